"""Connects to a one-shot server and says nothing, until its standard input ends."""

import sys

from tui_ipc import connect

with connect(sys.argv[1]):
    print("connected", flush=True)
    sys.stdin.read()
