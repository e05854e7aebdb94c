"""Sends a message of 300 000 bytes, which the parent may refuse, and goes on."""

from contextlib import suppress

from tests.support.children.library_child import meet
from tui_ipc import MessageTooLarge

sender, receiver = meet()
with suppress(MessageTooLarge):  # whether this end still sees the refusal depends on who is faster
    sender.send(bytes(300_000))
sender.send("still here")
for message in receiver:
    if message == "quit":
        break
    sender.send(f"received {message}")
