"""Stops itself right after its hello; if somebody continues it, it says so and ends at ``"quit"``."""

import os
import signal

from tests.session.children.by_hand import INLINE_HELLO, connect, read_text, text

client = connect()
client.sendall(INLINE_HELLO)
os.kill(os.getpid(), signal.SIGSTOP)
client.sendall(text("I go on"))
while read_text(client) not in ("quit", ""):
    pass
