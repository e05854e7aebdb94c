"""Connects and greets, with two senders embedded in the first message; then tells what comes through them."""

import sys

from tui_ipc import channel, connect

to_left, left = channel()
to_right, right = channel()
with left, right, connect(sys.argv[1]) as bootstrap:
    with to_left, to_right:
        bootstrap.send({"greeting": "hello", "senders": [to_left, to_right]})
    bootstrap.send({"left": list(left), "right": list(right)})
