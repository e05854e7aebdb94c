"""Connects a second time before it says hello, and sees the second connection turned away."""

import contextlib

from tests.support.children.raw_child import INLINE_HELLO, connect, read_text, text

client = connect()
with contextlib.suppress(OSError), connect() as second:  # no server is there any more, or it hangs up
    second.recv(1)
print("turned away", flush=True)
client.sendall(INLINE_HELLO)
while (message := read_text(client)) not in ("quit", ""):
    client.sendall(text(f"still here: {message}"))
