"""Completes the handshake, and never reads."""

import signal

from tests.support.children.by_library import meet

ends = meet()
signal.pause()
