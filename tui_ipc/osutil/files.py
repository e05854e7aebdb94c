"""Replacing a file at once, and locking one for as long as it is open."""

import fcntl
import os
import stat
import struct
from contextlib import suppress
from typing import Final

# struct flock of Linux: type, whence, start, length (0: to the end, however far that goes), pid. Open file
# description locks want a pid of 0; they end with the last descriptor of the file, so also with the process.
_WRITE_LOCK: Final = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


def lock_file(descriptor: int) -> bool:
    """Lock an open file against every other one that wants to; False if one has it.

    Raises:
        OSError: The file system cannot lock.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _WRITE_LOCK)
    except BlockingIOError:
        return False
    return True


def is_locked(descriptor: int) -> bool:
    """Whether another open file has the lock of :func:`lock_file`. It is only looked at, never taken.

    Raises:
        OSError: The file system cannot lock.
    """
    (kind,) = struct.unpack_from("h", fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _WRITE_LOCK))
    return bool(kind != fcntl.F_UNLCK)


def describe_path_error(error: "OSError | ValueError") -> str:
    """Why a path could not be opened: what the system said, in its own words, or why it was not asked."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) if isinstance(error, UnicodeError) else "a path cannot hold a null character"


def replace_file(
    path: str, data: bytes, facts: os.stat_result | None = None, *, mode: int | None = None
) -> None:
    """Put new content in a file's place, by a new file beside it.

    Args:
        path: The file; no symbolic link, for that itself would be replaced.
        data: What is to be in it.
        facts: What it belongs to and permits; None for what the user's new files do.
        mode: What it permits, whatever ``facts`` say.

    Raises:
        OSError: It cannot be written; what was there before is still there, and nothing beside it.
    """
    import tempfile  # 5 ms, which a start that replaces nothing does not pay

    directory, name = os.path.split(path)
    descriptor, written = tempfile.mkstemp(prefix=f".{name}.", dir=directory)
    try:
        with open(descriptor, "wb") as file:
            if facts is not None:
                with suppress(PermissionError):  # only root may give a file away
                    os.fchown(descriptor, facts.st_uid, facts.st_gid)
            if mode is None:
                mode = 0o666 & ~_read_umask() if facts is None else stat.S_IMODE(facts.st_mode)
            os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(written, path)
    except BaseException:  # an interrupt leaves no file behind either
        os.unlink(written)
        raise


def _read_umask() -> int:
    """The permissions that the user's files do not have; they can only be asked for by setting them."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
