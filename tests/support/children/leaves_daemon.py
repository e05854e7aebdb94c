"""``leaves_daemon HOLDS``: starts a daemon in a session of its own, sends its pid, and ends at ``"quit"``.

The daemon holds ``nothing`` of ours, or stdout and stderr as ``output``.
"""

import os
import signal
import sys

from tests.support.children.raw_child import INLINE_HELLO, connect, read_text, text

reading, writing = os.pipe()
if not os.fork():
    os.setsid()
    if sys.argv[1] == "nothing":
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        os.dup2(1, 2)
    os.write(writing, str(os.getpid()).encode())
    signal.pause()
pid = os.read(reading, 20).decode()
client = connect()
client.sendall(INLINE_HELLO + text(pid))
while read_text(client) not in ("quit", ""):
    pass
