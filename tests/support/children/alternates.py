"""Prints a line, then sends a message, a thousand times; then waits for the parent."""

import os

from tests.support.children.library_child import meet

sender, receiver = meet()
for number in range(1000):
    os.write(1, b"before %d\n" % number)
    sender.send(number)
for _ in receiver:
    break
