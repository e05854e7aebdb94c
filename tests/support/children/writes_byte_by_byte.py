"""An inline child that sends its hello and its answers one byte a write."""

from tests.support.children.raw_child import INLINE_HELLO, connect, read_text, text

client = connect()


def say(data: bytes) -> None:
    """Send it, byte by byte."""
    for byte in data:
        client.sendall(bytes([byte]))


say(INLINE_HELLO)
while (message := read_text(client)) not in ("quit", ""):
    say(text(f"slowly: {message}"))
