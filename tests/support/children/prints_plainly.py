"""Prints with plain ``print``, and after each line waits for a message before it goes on."""

from tests.support.children.library_child import meet

sender, receiver = meet()
print("first line")
receiver.recv()
print("second line")
receiver.recv()
