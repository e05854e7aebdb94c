"""A child's end of the handshake by the library, before ``serve`` would take over."""

import os
import sys
from typing import Any

from tui_ipc import Receiver, Sender, channel, connect


def meet(**more: Any) -> tuple[Sender[Any], Receiver[Any]]:
    """Say hello, with ``more`` in it; a sender to the parent and a receiver from it."""
    to_parent, from_child = channel()
    to_child, from_parent = channel()
    hello = {"tui-ipc": 1, "pid": os.getpid(), "name": "by-library"}
    with from_child, to_child, connect(sys.argv[-1].removeprefix("channel_name:")) as bootstrap:
        bootstrap.send({**hello, "to_child": to_child, "from_child": from_child, **more})
    return to_parent, from_parent
