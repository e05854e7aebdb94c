"""``double_forks WHEN``: ends ``before`` or ``after`` a process of its own, which lives on, said hello."""

import os
import signal
import sys

from tests.support.children.raw_child import INLINE_HELLO, connect

reading, writing = os.pipe()
if os.fork():
    os.close(writing)
    if sys.argv[1] == "after":
        os.read(reading, 1)
    os._exit(0)
if sys.argv[1] == "after":
    client = connect()
    client.sendall(INLINE_HELLO)
    os.write(writing, b"!")
signal.pause()
