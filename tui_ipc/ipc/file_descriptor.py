"""An open file of any kind as a value of a message."""

import fcntl

from tui_ipc.ipc.handle import DescriptorHandle
from tui_ipc.ipc.wire import FILE_DESCRIPTOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class HasFileno(Protocol):
        """An open file, a socket, a pipe to a process."""

        def fileno(self) -> int:
            """The descriptor."""
            raise NotImplementedError
else:
    Any = HasFileno = object


class FileDescriptor(DescriptorHandle):
    r"""A descriptor of an open file, pipe, socket, terminal or whatever else has one.

    Its owner closes it, by ``close()`` or a ``with`` block, or takes the number out with :meth:`detach`; one
    that is dropped is closed with a ResourceWarning. Sending it duplicates it, unless it moves. It arrives
    close-on-exec. As everywhere, position and flags belong to the open file, which all its descriptors share.

    Example:
        >>> import os
        >>> from tui_ipc import FileDescriptor, channel
        >>> sender, receiver = channel()
        >>> reading, writing = os.pipe()
        >>> sender.send({"log": FileDescriptor(writing)}, move=True)
        >>> os.close(writing)
        >>> with open(receiver.recv()["log"].detach(), "w") as log:
        ...     print("hello", file=log)
        >>> with open(reading) as log:
        ...     log.read()
        'hello\n'
        >>> sender.close()
        >>> receiver.close()
    """

    __slots__ = ()

    kind = FILE_DESCRIPTOR

    def __init__(self, file: "int | HasFileno") -> None:
        """Duplicate a descriptor; the one that is given stays its owner's.

        Args:
            file: The descriptor, or what has it: an open file, a socket, …

        Raises:
            OSError: It is not open, or no descriptor is left.
        """
        self._descriptor = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 0)

    @classmethod
    def _adopt(cls, descriptor: int) -> "FileDescriptor":
        """Take over a descriptor."""
        made = cls.__new__(cls)
        made._descriptor = descriptor
        return made

    def detach(self) -> int:
        """The descriptor, which is yours to close from now on; this object is closed.

        Raises:
            Closed: It was closed before.
        """
        descriptor = self.fileno()
        self._descriptor = -1
        return descriptor

    def __repr__(self) -> str:
        return f"<FileDescriptor {'closed' if self.closed else self._descriptor}>"

    def _describe(self) -> tuple[int, bytes]:
        self.fileno()
        return FILE_DESCRIPTOR, b""

    def _duplicate(self) -> "FileDescriptor":
        return FileDescriptor(self.fileno())

    def _reduce(self) -> "tuple[Callable[[int], Any]]":
        return (FileDescriptor._adopt,)
