"""``shuts_down WHICH``: an inline child that ends one direction of its connection, and lives on."""

import signal
import socket
import sys

from tests.support.children.raw_child import INLINE_HELLO, connect, read_text, text

client = connect()
if sys.argv[1] == "reading":
    client.shutdown(socket.SHUT_RD)
    client.sendall(INLINE_HELLO + text("I do not listen"))
    signal.pause()
client.sendall(INLINE_HELLO)
client.shutdown(socket.SHUT_WR)
while (message := read_text(client)) not in ("quit", ""):
    print(f"heard {message}", flush=True)
