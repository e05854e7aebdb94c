"""Completes the handshake, and never reads."""

import signal

from tests.support.children.library_child import meet

ends = meet()
signal.pause()
