"""``closes_channel WHICH``: closes its sender, its receiver, or both ends, and lives on."""

import signal
import sys

from tests.support.children.library_child import meet

sender, receiver = meet()
if sys.argv[1] != "sender":
    receiver.close()
if sys.argv[1] == "receiver":
    sender.send("I do not listen")
    signal.pause()
sender.close()
if sys.argv[1] == "sender":
    for message in receiver:
        print(f"heard {message}", flush=True)
        if message == "quit":
            sys.exit()
signal.pause()
