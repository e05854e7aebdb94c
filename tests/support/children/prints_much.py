"""Prints 10 MB without a newline once told to, and says so."""

import os

from tui_ipc.child import serve


def flood(message: str) -> str:
    left = memoryview(b"0123456789" * 1_000_000)
    while left:
        left = left[os.write(1, left) :]
    return "done"


serve(flood)
