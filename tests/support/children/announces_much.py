"""Announces a message of 500 bytes, sends 5 of them, and waits for the next message."""

from tests.support.children.library_child import meet
from tests.support.raw_wire import begin_large

sender, receiver = meet()
with begin_large(sender, 500) as side:
    side.send(bytes(5))
    for message in receiver:
        if message == "quit":
            break
