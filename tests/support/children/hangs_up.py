"""Connects, closes the connection, and stays."""

import signal

from tests.support.children.raw_child import connect

connect().close()
signal.pause()
