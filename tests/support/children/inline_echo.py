"""Carries both directions on the connection, as a child does that cannot pass descriptors."""

from tests.support.children.raw_child import INLINE_HELLO, connect, read_text, text

client = connect()
client.sendall(INLINE_HELLO)
while (message := read_text(client)) not in ("quit", ""):
    client.sendall(text(f"inline: {message}"))
