"""An inline child that gives its answer before it was asked, and none after."""

from tests.support.children.raw_child import INLINE_HELLO, connect, read_text, text

client = connect()
client.sendall(INLINE_HELLO + text("forty-two"))
while (message := read_text(client)) not in ("quit", ""):
    print(f"I answered {message} already", flush=True)
