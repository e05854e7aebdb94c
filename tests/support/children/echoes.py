"""Sends every message back as it came, except "quit"."""

from tests.support.children.library_child import meet

sender, receiver = meet()
while (message := receiver.recv()) != "quit":
    sender.send(message)
