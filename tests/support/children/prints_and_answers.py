"""``prints_and_answers SIZE``: for each message, prints SIZE bytes and answers with the message."""

import os
import sys

from tui_ipc.child import serve

text = (b"%063d\n" * (int(sys.argv[1]) // 64)) % tuple(range(int(sys.argv[1]) // 64))


def answer(message: int) -> int:
    left = memoryview(text)
    while left:
        left = left[os.write(1, left) :]
    return message


serve(answer)
