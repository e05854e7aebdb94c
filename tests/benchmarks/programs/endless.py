"""``endless``: prints without pause from the first message on, and answers each further message.

If the first message is ``"messages"``, it sends 5 000 messages a second instead. It ends at ``"quit"``.
"""

import os
import sys
import threading
import time

from tests.benchmarks.programs.flood import meet
from tui_ipc import Sender

LINE = "nothing has happened, and it has been happening for a while\n" * 50


def print_lines() -> None:
    """Print until the process ends."""
    while True:
        os.write(1, LINE.encode())


def send_messages(sender: "Sender[object]") -> None:
    """Send 5 000 messages a second until the process ends, as far as the parent reads them."""
    begin, count = time.monotonic(), 0
    while True:
        for _ in range(50):
            sender.send({"count": count, "what": "a message among many"})
            count += 1
        time.sleep(max(0.0, begin + count / 5_000 - time.monotonic()))


def main() -> int:
    """Flood, and answer."""
    sender, receiver = meet()
    with sender, receiver:
        if receiver.recv() == "messages":
            flood = threading.Thread(target=send_messages, args=(sender.clone(),), daemon=True)
        else:
            flood = threading.Thread(target=print_lines, daemon=True)
        flood.start()
        while (message := receiver.recv()) != "quit":
            sender.send(f"answer to {message}")
        os._exit(0)  # without waiting for the thread


if __name__ == "__main__":
    sys.exit(main())
