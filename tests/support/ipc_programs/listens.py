"""Opens a one-shot server, says its name, and waits for its standard input to end."""

import sys

from tui_ipc import OneShotServer

with OneShotServer() as server:
    print(server.name, flush=True)
    sys.stdin.read()
