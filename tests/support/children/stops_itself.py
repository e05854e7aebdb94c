"""``stops_itself WHEN``: stops itself ``after`` its hello, or instead of it, and continued ignores SIGTERM.

It ends at ``"quit"``, with a word.
"""

import os
import signal
import sys

from tests.support.children.raw_child import INLINE_HELLO, connect, read_text, text

signal.signal(signal.SIGTERM, signal.SIG_IGN)
client = connect()
if sys.argv[1] == "after":
    client.sendall(INLINE_HELLO)
os.kill(os.getpid(), signal.SIGSTOP)
while read_text(client) not in ("quit", ""):
    pass
client.sendall(text("on my feet again"))
