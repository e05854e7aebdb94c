"""``exits STEP HOW``: ends after that step of the handshake, with a last word on stderr.

``held`` is after connecting; another process then holds the connection and the output open. ``message`` is
after a first message. HOW is an exit code, or the name of the signal that it dies by.
"""

import os
import signal
import socket
import sys

from tests.support.children.raw_child import INLINE_HELLO, connect, text

step, how = sys.argv[1:3]
client: socket.socket | None = None
if step != "spawned":
    client = connect()
if step == "half a hello" and client is not None:
    client.sendall(INLINE_HELLO[:9])
if step in ("hello", "message") and client is not None:
    client.sendall(INLINE_HELLO)
if step == "message" and client is not None:
    client.sendall(text("first and last"))
if step == "held" and not os.fork():
    signal.pause()
os.write(2, b"giving up\n")
if how.isdecimal():
    os._exit(int(how))
os.kill(os.getpid(), signal.Signals[how])
