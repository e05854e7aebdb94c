"""Memory that several processes read and nobody writes any more.

It is sealed before anyone sees it. The kernel then refuses every later change of size or
content, by its maker too (see memfd_create(2)), so that a reader needs no copy and cannot be hurt by its
peer.
"""

import fcntl
import os
import stat
import warnings

from tui_ipc.ipc.errors import Closed, IpcError, ProtocolError
from tui_ipc.ipc.handle import Handle
from tui_ipc.ipc.wire import SHARED_MEMORY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

_SEALED = 0
if hasattr(fcntl, "F_SEAL_WRITE"):
    _SEALED = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
_SEALS = _SEALED | getattr(fcntl, "F_SEAL_SEAL", 0)


class SharedMemory(Handle):
    """An immutable piece of memory that travels in messages without being copied.

    Its owner closes it, by ``close()`` or a ``with`` block; one that is dropped is closed with a
    ResourceWarning. Sending it duplicates it: each holder closes its own, and the kernel frees the memory
    when the last one, and the last view of it, is gone.
    """

    __slots__ = ("_descriptor", "_size", "_view")

    kind = SHARED_MEMORY

    def __init__(self, data: "bytes | bytearray | memoryview") -> None:
        """Copy ``data``, any contiguous buffer, into new memory and seal it.

        Raises:
            IpcError: This system has no sealed memory (Linux has).
            OSError: There is no memory or no descriptor left.
        """
        if not _SEALED:
            raise IpcError("shared memory needs sealed memory files (memfd_create), which this system lacks")
        content = memoryview(data).cast("B")
        descriptor = os.memfd_create("tui-ipc", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
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
        self._view: memoryview | None = None

    @property
    def view(self) -> memoryview:
        """The content, without a copy: a read-only view that stays valid as long as somebody holds it.

        Raises:
            Closed: You closed this shared memory before.
            IpcError: It does not fit into this process.
        """
        if self._view is None:
            descriptor = self.fileno()
            if not self._size:
                return memoryview(b"")  # the kernel maps nothing of no length
            import mmap  # only readers need it, and it costs every child's start-up

            try:
                mapping = mmap.mmap(descriptor, self._size, mmap.MAP_SHARED, mmap.PROT_READ)
            except (OSError, OverflowError):
                raise IpcError(f"no room for a shared memory of {self._size} bytes in this process") from None
            self._view = memoryview(mapping)
        return self._view

    def __len__(self) -> int:
        return self._size

    def __bytes__(self) -> bytes:
        return bytes(self.view)

    @property
    def closed(self) -> bool:
        """Whether you closed it, or it moved away in a message."""
        return self._descriptor < 0

    def fileno(self) -> int:
        """The descriptor of the memory file; raises Closed after :meth:`close`."""
        if self._descriptor < 0:
            raise Closed("this shared memory was closed")
        return self._descriptor

    def close(self) -> None:
        """Give up the descriptor; views handed out before stay valid. Closing twice is harmless."""
        descriptor, self._descriptor, self._view = self._descriptor, -1, None
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self, warn: "Callable[..., None]" = warnings.warn) -> None:
        if getattr(self, "_descriptor", -1) >= 0:
            try:
                warn(f"unclosed {self!r}", ResourceWarning, source=self)
            finally:
                self.close()

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._descriptor < 0 else f"{self._size} bytes"
        return f"<SharedMemory {state}>"

    def _describe(self) -> tuple[int, bytes]:
        self.fileno()
        return SHARED_MEMORY, self._size.to_bytes(8, "big")

    def _duplicate(self) -> "SharedMemory":
        return _adopt_sized(fcntl.fcntl(self.fileno(), fcntl.F_DUPFD_CLOEXEC, 0), self._size)

    def _reduce(self) -> "tuple[Callable[[int, int], SharedMemory], int]":
        return _adopt_sized, self._size


def _adopt_sized(descriptor: int, size: int) -> SharedMemory:
    """Take over the descriptor of one that was made in a process of ours."""
    memory = SharedMemory.__new__(SharedMemory)
    memory._own(descriptor, size)
    return memory
