"""What travels inside a message by its descriptor, and what becomes of it when it is copied or pickled.

A descriptor has one owner. So a copy of a handle has a descriptor of its own, or there is none: two objects
with the same number would close each other's file, and in the end a stranger's.
"""

import os
import sys
import warnings
from collections.abc import Callable
from types import GenericAlias

from tui_ipc.ipc.errors import Closed
from tui_ipc.ipc.log import log_debug

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any, Generic, Never, Self, TypeVar

    T_contra = TypeVar("T_contra", contravariant=True)
    T_co = TypeVar("T_co", covariant=True)
else:
    Any = Never = Self = object


class Closable:
    """What its owner closes, at the end of a ``with`` block for example."""

    __slots__ = ()

    def close(self) -> None:
        """Give up what it holds. Closing twice is harmless."""
        raise NotImplementedError

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Handle(Closable):
    """What travels inside a message by its descriptor: a sender, a receiver, a shared memory, an open file.

    Attributes:
        kind: Its ext type, see PROTOCOL.md.
    """

    __slots__ = ()

    kind = 0

    @property
    def closed(self) -> bool:
        """Whether you closed it, or it moved away in a message."""
        raise NotImplementedError

    def fileno(self) -> int:
        """The descriptor; raises :class:`~tui_ipc.ipc.errors.Closed` if there is none any more."""
        raise NotImplementedError

    def __copy__(self) -> "Self":
        return self._duplicate()

    def __deepcopy__(self, memo: object) -> "Self":
        return self._duplicate()

    def __reduce_ex__(self, protocol: object) -> "tuple[Callable[..., Any], tuple[Any, ...]]":
        if not _is_multiprocessing():
            raise TypeError(
                f"{self!r} has an open descriptor, which bytes cannot carry: send it in a message, or as an "
                "argument to a process or pool of multiprocessing or concurrent.futures"
            )
        from multiprocessing.reduction import DupFd

        self._describe()  # whether it may travel now
        return _rebuild, (DupFd(self._travelling_fileno()), *self._reduce())

    def _duplicate(self) -> "Self":
        """Another handle of the same, to be closed on its own; raises TypeError where there may be none."""
        raise NotImplementedError

    def _reduce(self) -> "tuple[Any, ...]":
        """What makes it again in another process, ``function(descriptor, *arguments)``, and the arguments."""
        raise NotImplementedError

    def _describe(self) -> "tuple[int, bytes]":
        """The ext type, and what its payload says after the index; raises if the handle may not travel
        now.
        """
        raise NotImplementedError

    def _travelling_fileno(self) -> int:
        """The descriptor that is attached to the message."""
        return self.fileno()

    def _left(self) -> None:
        """Called once the message that holds this handle is on its way."""


class DescriptorHandle(Handle):
    """A handle that owns a bare descriptor, -1 once it is closed."""

    __slots__ = ("_descriptor",)

    _descriptor: int

    @property
    def closed(self) -> bool:
        """Whether you closed it, or it moved away in a message."""
        return self._descriptor < 0

    def fileno(self) -> int:
        """The descriptor; raises Closed after :meth:`close`."""
        if self._descriptor < 0:
            raise Closed(f"this {type(self).__name__} was closed")
        return self._descriptor

    def close(self) -> None:
        """Close the descriptor. Closing twice is harmless."""
        if self._descriptor >= 0:
            log_debug("closing %s", self)
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def __del__(self, warn: "Callable[..., None]" = warnings.warn) -> None:
        if getattr(self, "_descriptor", -1) >= 0:
            try:
                warn(f"unclosed {self!r}", ResourceWarning, source=self)
            finally:
                self.close()


if TYPE_CHECKING:

    class TypedSender(Handle, Generic[T_contra]):
        """A handle that is typed by the messages that go into it."""

    class TypedReceiver(Handle, Generic[T_co]):
        """A handle that is typed by the messages that come out of it."""
else:

    class TypedSender(Handle):
        """Makes ``Sender[int]`` an expression without importing ``typing``, 3 ms of every child's start."""

        __slots__ = ()
        __class_getitem__ = classmethod(GenericAlias)

    TypedReceiver = TypedSender


def find_handles(value: "Any") -> "Iterator[Handle]":
    """Each handle in a message, without recursion: it may nest deeper than Python calls."""
    unseen = [value]
    while unseen:
        item = unseen.pop()
        if isinstance(item, Handle):
            yield item
        elif isinstance(item, list | tuple):
            unseen += item
        elif isinstance(item, dict):
            unseen += item
            unseen += item.values()


def close_handles(value: "Any") -> None:
    """Close each handle in a message that nobody will read."""
    for handle in find_handles(value):
        handle.close()


class Unloaded:
    """Replaces a class that only annotations name: ``typing.get_type_hints`` works without its module."""

    def __class_getitem__(cls, arguments: "Any") -> GenericAlias:
        return GenericAlias(cls, arguments)


class Uncopied(Closable):
    """What belongs to one process, and of which there is one: a server, a set."""

    __slots__ = ()

    def __copy__(self) -> "Never":
        raise TypeError(f"{self!r} cannot be copied: {self._explain_uniqueness()}")

    def __deepcopy__(self, memo: object) -> "Never":
        self.__copy__()

    def __reduce_ex__(self, protocol: object) -> "Never":
        raise TypeError(f"{self!r} cannot be pickled: {self._explain_uniqueness()}")

    def _explain_uniqueness(self) -> str:
        """Why, and what to do instead."""
        raise NotImplementedError


def _rebuild(shared: "Any", rebuild: "Callable[..., Any]", *arguments: object) -> "Any":
    """Make a handle again where multiprocessing unpickles it."""
    descriptor: int = shared.detach()
    os.set_inheritable(descriptor, False)
    try:
        return rebuild(descriptor, *arguments)
    except BaseException:
        os.close(descriptor)
        raise


def _is_multiprocessing() -> bool:
    """Whether it is multiprocessing that pickles: only what it pickles does it also carry descriptors for.

    It keeps a table of its own for such types, but filling that means to import it, 20 ms of every child's
    start, and it may be imported later than we are. So its frame is looked for, which calls the pickler.
    """
    if "multiprocessing.reduction" not in sys.modules:
        return False
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") != "multiprocessing.reduction":
        frame = frame.f_back
    return frame is not None
