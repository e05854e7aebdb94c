"""An inline echo that has closed stdout and stderr."""

import os

from tests.support.children.raw_child import INLINE_HELLO, connect, read_text, text

os.close(1)
os.close(2)
client = connect()
client.sendall(INLINE_HELLO)
while (message := read_text(client)) not in ("quit", ""):
    client.sendall(text(f"silently: {message}"))
