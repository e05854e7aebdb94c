"""Memory that several processes read and nobody writes any more.

It is sealed before anyone else sees it. The kernel then refuses every later change of size or content, by
its maker too (see memfd_create(2)), so that a reader needs no copy and cannot be hurt by its peer.
"""

import fcntl
import os
import stat

from tui_ipc.ipc.errors import IpcError, ProtocolError
from tui_ipc.ipc.handle import DescriptorHandle
from tui_ipc.ipc.wire import SHARED_MEMORY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from mmap import mmap
else:
    mmap = object

_SEALED = 0
if hasattr(fcntl, "F_SEAL_WRITE"):
    _SEALED = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
_SEALS = _SEALED | getattr(fcntl, "F_SEAL_SEAL", 0)


class SharedMemory(DescriptorHandle):
    """A piece of memory that travels in messages without being copied, immutable from then on.

    Two are equal if their content is. From Python 3.12 on it has the buffer protocol; before, its
    :attr:`view` has.

    Its owner closes it, by ``close()`` or a ``with`` block; one that is dropped is closed with a
    ResourceWarning. Sending it duplicates it: each holder closes its own, and the kernel frees the memory
    when the last one, and the last view of it, is gone.
    """

    __slots__ = ("_is_sealed", "_mapping", "_size", "_view")
    __hash__ = None  # type: ignore[assignment] # equal by content, which may be large and, unsealed, change

    kind = SHARED_MEMORY

    _is_sealed: bool
    _view: "memoryview | None"
    _mapping: "mmap | None"  # while it is to be written

    def __init__(self, data: "bytes | bytearray | memoryview") -> None:
        """Copy ``data``, any contiguous buffer, into new memory and seal it.

        Raises:
            TypeError: It is not a buffer, or not in one piece.
            IpcError: This system has no sealed memory (Linux has).
            OSError: No memory or no descriptor is left.
        """
        try:
            content = memoryview(data).cast("B")
        except (TypeError, ValueError, BufferError) as error:
            remedy = "; give its tobytes()" if hasattr(data, "tobytes") else ""
            kind = type(data).__name__
            raise TypeError(f"a shared memory cannot copy this {kind} as it is ({error}){remedy}") from None
        descriptor = _make_file()
        try:
            written = 0
            while written < len(content):
                written += os.write(descriptor, content[written:])
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        except BaseException:
            os.close(descriptor)
            raise
        self._own(descriptor, len(content))

    @classmethod
    def allocate(cls, size: int) -> "SharedMemory":
        r"""New memory of zeros, to be written through its :attr:`view` and then sealed, without any copy.

        Example:
            >>> with SharedMemory.allocate(5) as memory:
            ...     memory.view[:2] = b"hi"
            ...     memory.seal()
            ...     bytes(memory)
            b'hi\x00\x00\x00'

        Raises:
            ValueError: The size is negative.
            IpcError: This system has no sealed memory (Linux has).
            OSError: No file is so large, or no descriptor is left.
        """
        if size < 0:
            raise ValueError(f"a shared memory cannot have {size} bytes")
        descriptor = _make_file()
        try:
            os.ftruncate(descriptor, size)  # pages are taken as they are written, as of any memory
        except BaseException:
            os.close(descriptor)
            raise
        memory = cls.__new__(cls)
        memory._own(descriptor, size)
        memory._is_sealed = False
        return memory

    def seal(self) -> None:
        """End all writing, for good. Sending or copying seals it as well; sealing twice is harmless.

        The view is released; ask for another one to read.

        Raises:
            ValueError: Something still holds a view of it for writing, such as a numpy array.
            Closed: You closed it before.
        """
        descriptor = self.fileno()
        if self._is_sealed:
            return
        try:
            if self._view is not None:
                self._view.release()
                self._view = None
            if self._mapping is not None:
                self._mapping.close()
                self._mapping = None
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        except (BufferError, OSError):  # OSError: a forked process has it mapped
            raise ValueError(
                f"{self!r} cannot be sealed while something may write it: release its view, and delete the "
                "arrays and slices that were made of it"
            ) from None
        self._is_sealed = True

    @classmethod
    def _adopt(cls, descriptor: int, payload: bytes) -> "SharedMemory":
        """Take over a descriptor that a peer sent; ProtocolError leaves it with the caller."""
        if len(payload) != 8:
            raise ProtocolError(f"the size of a shared memory is given in {len(payload)} bytes instead of 8")
        size = int.from_bytes(payload, "big")
        try:
            seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) if _SEALED else 0
        except OSError:
            seals = 0
        if seals & _SEALED != _SEALED:
            raise ProtocolError("a shared memory came without the seals that keep it unchanged")
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size != size:
            raise ProtocolError(f"a shared memory of {status.st_size} bytes came as one of {size}")
        memory = cls.__new__(cls)
        memory._own(descriptor, size)
        return memory

    def _own(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._size = size
        self._is_sealed = True
        self._view = None
        self._mapping = None

    @property
    def view(self) -> memoryview:
        """The content, without a copy: a view that stays valid as long as somebody holds it.

        It is read-only, but for memory from :meth:`allocate` that was not yet sealed.

        Raises:
            Closed: You closed this shared memory before.
            IpcError: It does not fit into this process.
        """
        if self._view is None:
            descriptor = self.fileno()
            if not self._size:
                return memoryview(b"" if self._is_sealed else bytearray())  # nothing of no length is mapped
            if self._mapping is not None:
                self._view = memoryview(self._mapping)
                return self._view
            from mmap import ACCESS_READ, ACCESS_WRITE, mmap  # only its users need it: a child starts faster

            try:
                mapping = mmap(
                    descriptor, self._size, access=ACCESS_READ if self._is_sealed else ACCESS_WRITE
                )
            except (OSError, OverflowError):
                raise IpcError(f"no room for a shared memory of {self._size} bytes in this process") from None
            self._view = memoryview(mapping)
            if not self._is_sealed:
                self._mapping = mapping
        return self._view

    def __buffer__(self, flags: int) -> memoryview:
        return self.view.__buffer__(flags)  # called by Python 3.12 and later

    def __release_buffer__(self, view: memoryview) -> None:
        # Where this is missing, numpy takes the buffer for one that lives as long as its owner does, and lets
        # go of it at once: an array would then outlive the memory that close() gives back.
        view.release()

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, SharedMemory):
            return self is other
        return not self.closed and not other.closed and self.view == other.view

    def __len__(self) -> int:
        return self._size

    def __bytes__(self) -> bytes:
        return bytes(self.view)

    def close(self) -> None:
        """Give up the descriptor; views handed out before stay valid. Closing twice is harmless."""
        self._view = self._mapping = None
        super().close()

    def __repr__(self) -> str:
        state = "closed" if self._descriptor < 0 else f"{self._size} bytes"
        state += "" if self.closed or self._is_sealed else ", not sealed"
        return f"<SharedMemory {state}>"

    def _describe(self) -> tuple[int, bytes]:
        self.seal()
        return SHARED_MEMORY, self._size.to_bytes(8, "big")

    def _duplicate(self) -> "SharedMemory":
        self.seal()
        return _adopt_sized(fcntl.fcntl(self.fileno(), fcntl.F_DUPFD_CLOEXEC, 0), self._size)

    def _reduce(self) -> "tuple[Callable[[int, int], SharedMemory], int]":
        return _adopt_sized, self._size


def _make_file() -> int:
    """The descriptor of a new memory file that can be sealed."""
    if not _SEALED:
        raise IpcError("shared memory needs sealed memory files (memfd_create), which this system lacks")
    return os.memfd_create("tui-ipc", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)


def _adopt_sized(descriptor: int, size: int) -> SharedMemory:
    """Take over the descriptor of one that was made in a process of ours."""
    memory = SharedMemory.__new__(SharedMemory)
    memory._own(descriptor, size)
    return memory
