"""Connects, closes the connection, and stays."""

import signal

from tests.support.children.by_hand import connect

connect().close()
signal.pause()
