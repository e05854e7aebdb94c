"""Takes messages of up to 200 000 bytes, and says how long each was."""

import os
import sys

from tui_ipc import MessageTooLarge, channel, connect

to_parent, from_child = channel()
to_child, from_parent = channel(max_message_size=200_000)
with from_child, to_child, connect(sys.argv[-1].removeprefix("channel_name:")) as bootstrap:
    hello = {"tui-ipc": 1, "pid": os.getpid(), "name": "modest"}
    bootstrap.send({**hello, "to_child": to_child, "from_child": from_child})
with to_parent, from_parent:
    while True:
        try:
            message = from_parent.recv()
        except MessageTooLarge:
            continue
        if message == "quit":
            break
        to_parent.send(len(message))
