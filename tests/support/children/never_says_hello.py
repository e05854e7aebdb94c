"""Connects, says nothing, and stays."""

import signal

from tests.support.children.raw_child import connect

client = connect()
signal.pause()
