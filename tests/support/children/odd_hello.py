"""``odd_hello KIND``: a hello with something wrong about its channels."""

import signal
import sys

from tests.support.children.library_child import meet
from tui_ipc import channel, connect

kind = sys.argv[1]
if kind == "one channel":
    ends = meet(from_child=None)
elif kind == "swapped":
    sender, receiver = channel()
    ends = meet(to_child=receiver, from_child=sender)
elif kind == "extra handles":
    ends = meet(extra=list(channel()))
elif kind == "handles only":
    bootstrap = connect(sys.argv[-1].removeprefix("channel_name:"))
    bootstrap.send([{"deep": channel()}])
signal.pause()
