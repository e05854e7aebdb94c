"""``ignores_quit [TERM]``: does not end at ``"quit"``, nor, with TERM, at SIGTERM."""

import signal
import sys

from tests.support.children.library_child import meet

if "TERM" in sys.argv:
    signal.signal(signal.SIGTERM, lambda *_: print("not at SIGTERM either", flush=True))
sender, receiver = meet()
for message in receiver:
    sender.send(f"no {message}")
while True:
    signal.pause()
