"""Sends the size of its terminal, and whether it was told that it changed."""

import os
import signal

from tui_ipc.child import serve

told: list[int] = []


def report(message: str) -> dict[str, object]:
    return {"size": list(os.get_terminal_size(1)), "told": bool(told)}


signal.signal(signal.SIGWINCH, lambda number, _: told.append(number))
serve(report)
