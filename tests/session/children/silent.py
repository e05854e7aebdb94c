"""Connects, says nothing, and stays."""

import signal

from tests.session.children.by_hand import connect

client = connect()
signal.pause()
