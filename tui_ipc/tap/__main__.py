"""``python -m tui_ipc.tap NAME``: starts a relay in front of a one-shot server.

For :class:`~tui_ipc.OneShotServer`, where the variable TUI_IPC_TAP asks for it; see docs/TAP.md.
"""

import os
import sys

from tui_ipc.tap.launch import TapOptions, fork_relay


def main(name: str) -> int:
    """Start the relay; write the name of its server, or why there is none (code 1)."""
    is_tapped, answer = fork_relay(name, TapOptions(), os.getppid())
    sys.stdout.write(answer)
    return 0 if is_tapped else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
