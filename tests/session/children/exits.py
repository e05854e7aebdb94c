"""``exits RUNG CODE``: ends after that rung of the handshake, with a last word on stderr.

``held`` is after connecting; another process then holds the connection and the output open.
"""

import os
import signal
import socket
import sys

from tests.session.children.by_hand import INLINE_HELLO, connect

rung, code = sys.argv[1:3]
client: socket.socket | None = None
if rung != "spawned":
    client = connect()
if rung == "half a hello" and client is not None:
    client.sendall(INLINE_HELLO[:9])
if rung == "hello" and client is not None:
    client.sendall(INLINE_HELLO)
if rung == "held" and not os.fork():
    signal.pause()
os.write(2, b"giving up\n")
os._exit(int(code))
