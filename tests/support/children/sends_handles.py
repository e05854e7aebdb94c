"""Sends handles, as values, keys and in keys, and ends at ``"quit"``."""

from tests.support.children.library_child import meet
from tui_ipc import channel

sender, receiver = meet()
one, other = channel()
third, fourth = channel()
sender.send({"both": [one, {"nested": other}], third: "a key", "same": one})
receiver.recv()
