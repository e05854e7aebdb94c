"""A tap in front of a one-shot server of this process, where the environment asks for it."""

import sys
from subprocess import DEVNULL, PIPE, run

from tui_ipc.ipc.log import log_debug


def ask_for_tap(name: str) -> str:
    """Start a tap in front of a server; without one, the reason is written to standard error.

    Args:
        name: The server's name.

    Returns:
        The name that a child is to be given: the tap's, or the server's if there is no tap.
    """
    command = [sys.executable, "-m", "tui_ipc.tap", name]
    started = run(command, stdin=DEVNULL, stdout=PIPE, text=True, check=False)
    if started.returncode == 0:
        log_debug("started a tap at %s for the server %s", started.stdout, name)
        return started.stdout
    reason = started.stdout or f"it ended with status {started.returncode}"
    sys.stderr.write(f"tui-ipc: no tap for the child of this process: {reason}\n")
    return name
