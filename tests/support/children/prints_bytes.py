"""Prints every byte there is, twice over, then ends."""

import os

from tests.support.children.library_child import meet

ends = meet()
os.write(1, bytes(range(256)) + b"\r\n\n\x04\x03\x1a")
