"""``flood LINES MESSAGES LAST_LINE LAST_MESSAGE``: at a word, prints and sends so many, evenly mixed.

Then it waits to be told to quit.
"""

import os
import sys

from tui_ipc import Receiver, Sender, channel, connect


def meet() -> "tuple[Sender[object], Receiver[object]]":
    """Shake hands; a sender to the parent and a receiver from it."""
    to_parent, from_child = channel()
    to_child, from_parent = channel()
    hello = {"tui-ipc": 1, "pid": os.getpid(), "name": "flood"}
    with from_child, to_child, connect(sys.argv[-1].removeprefix("channel_name:")) as bootstrap:
        bootstrap.send({**hello, "to_child": to_child, "from_child": from_child})
    return to_parent, from_parent


def pour(sender: "Sender[object]", lines: int, messages: int) -> None:
    """Print and send all but the last of each."""
    share = lines // messages
    for count in range(lines - 1):
        print(f"line {count}: nothing has happened, and it has been happening for a while")
        if count % share == 0 and count // share < messages - 1:
            sender.send({"count": count // share, "what": "a message among many"})


def main() -> int:
    """Meet, wait, pour, wait."""
    lines, messages, last_line, last_message = sys.argv[1:5]
    sender, receiver = meet()
    with sender, receiver:
        receiver.recv()
        pour(sender, int(lines), int(messages))
        print(last_line, flush=True)
        sender.send(last_message)
        receiver.recv()
    return 0


if __name__ == "__main__":
    sys.exit(main())
