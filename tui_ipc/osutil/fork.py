"""What an object does in a process that was forked while it existed.

A forked child has a copy of every object. Where two copies would do the same thing twice (deliver what was
read ahead, change an epoll instance that both share), the child's must forget it: what belongs to a process
stays with it.
"""

import os
from weakref import WeakSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class ForkAware(Protocol):
        """Has something to forget in a forked child."""

        def _after_fork(self) -> None: ...


_objects: "WeakSet[ForkAware]" = WeakSet()


def forget_in_children(item: "ForkAware") -> None:
    """Have ``item._after_fork()`` called in every child that is forked from now on, as long as it exists."""
    _objects.add(item)


def _run_in_child() -> None:
    for item in list(_objects):
        item._after_fork()


os.register_at_fork(after_in_child=_run_in_child)
