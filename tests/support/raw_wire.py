"""A peer that writes the wire by hand, byte by byte: what no Sender would do, or not at a chosen moment."""

import socket
from collections.abc import Sequence
from typing import Any

from tui_ipc import Sender
from tui_ipc.ipc import sockets
from tui_ipc.ipc.wire import announce


def send_packet(sender: Sender[Any], data: bytes, descriptors: Sequence[int] = ()) -> None:
    """Send bytes with descriptors, whatever they say of them."""
    with socket.fromfd(sender.fileno(), socket.AF_UNIX, -1) as own:
        own.sendmsg([data], sockets.rights(list(descriptors)))


def begin_large(sender: Sender[Any], size: int, descriptors: Sequence[int] = ()) -> socket.socket:
    """Announce a message of ``size`` bytes that comes on a stream of its own; the end to write it to."""
    ours, theirs = socket.socketpair()
    with theirs:
        send_packet(sender, announce(size), [theirs.fileno(), *descriptors])
    return ours
