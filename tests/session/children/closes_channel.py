"""``closes_channel WHICH``: closes its sender, or both ends, and lives on."""

import signal
import sys

from tests.session.children.by_library import meet

sender, receiver = meet()
if sys.argv[1] == "both":
    receiver.close()
sender.close()
if sys.argv[1] == "sender":
    for message in receiver:
        print(f"heard {message}", flush=True)
        if message == "quit":
            sys.exit()
signal.pause()
