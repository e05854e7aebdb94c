"""Receives a shared memory and tries all that could change it; tells what it held and what came of each
try.
"""

import fcntl
import mmap
import os
import sys
from collections.abc import Callable
from typing import Any

from tui_ipc import SharedMemory, channel, connect


def write_to_view(memory: SharedMemory) -> None:
    """Through the view."""
    view: Any = memory.view
    view[0] = 0


def write_to_descriptor(memory: SharedMemory) -> None:
    """Through the descriptor."""
    os.pwrite(memory.fileno(), b"spoiled", 0)


def map_for_writing(memory: SharedMemory) -> None:
    """Through a map of one's own."""
    mmap.mmap(memory.fileno(), len(memory), mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)


def reopen_and_map(memory: SharedMemory) -> None:
    """Through a descriptor opened anew."""
    descriptor = os.open(f"/proc/self/fd/{memory.fileno()}", os.O_RDWR)
    try:
        mmap.mmap(descriptor, len(memory), mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
    finally:
        os.close(descriptor)


def shrink(memory: SharedMemory) -> None:
    """By cutting it off, which would kill whoever reads it."""
    os.ftruncate(memory.fileno(), 1)


def grow(memory: SharedMemory) -> None:
    """By making it longer."""
    os.ftruncate(memory.fileno(), 2 * len(memory))


def add_seals(memory: SharedMemory) -> None:
    """By adding seals that its owner did not want."""
    fcntl.fcntl(memory.fileno(), fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL)


TRIES = (write_to_view, write_to_descriptor, map_for_writing, reopen_and_map, shrink, grow, add_seals)


def attempt(spoil: Callable[[SharedMemory], None], memory: SharedMemory) -> str:
    """What comes of it."""
    try:
        spoil(memory)
    except (PermissionError, TypeError) as error:
        return type(error).__name__
    return "done"


if __name__ == "__main__":
    to_self, given = channel()
    with connect(sys.argv[1]) as teller, given:
        with to_self:
            teller.send(to_self)
        with given.recv() as memory:
            before = bytes(memory)
            results = {spoil.__name__: attempt(spoil, memory) for spoil in TRIES}
            teller.send({"before": before, "results": results, "after": bytes(memory)})
