"""Sends 8 MiB before it reads anything, then reads what was sent to it meanwhile, and says how much."""

from tests.support.children.library_child import meet

sender, receiver = meet()
sender.send(b"c" * (8 * 1024 * 1024))
for message in receiver:
    if message == "quit":
        break
    sender.send(len(message))
