"""Connects, says nothing, and stays."""

import signal

from tests.support.children.by_hand import connect

client = connect()
signal.pause()
