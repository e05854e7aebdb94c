"""Answers two messages in the wrong order, by their ids, the second twice, with a word of its own between."""

from tests.support.children.library_child import meet

sender, receiver = meet()
first, second = receiver.recv(), receiver.recv()
for message in (second, {"note": "unasked"}, second, first):
    sender.send(message)
receiver.recv()
