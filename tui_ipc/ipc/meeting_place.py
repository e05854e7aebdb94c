"""Where a one-shot server's socket is: a fresh directory that only its owner may enter.

While the server waits, it holds a lock on that directory, by which the next start tells what a killed process
left from what is in use, and removes it.
"""

import errno
import fcntl
import os
import socket
import stat
from time import time

from tui_ipc.ipc.errors import IpcError

PATH_LIMIT = 107
"""Bytes of a socket's path at most: sockaddr_un.sun_path less its final NUL, see unix(7)."""

_PREFIX = "tui-ipc-"
_RANDOM = 6
"""Bytes of chance in a directory's name."""
SOCKET_NAME = "server"
_GRACE = 60.0
"""Seconds that a directory without a socket may be old before it counts as left behind."""


def open_meeting_place() -> tuple[str, int, socket.socket]:
    """A new directory that only we may enter, the descriptor that locks it, and the socket that listens
    there.

    What fails in one place is removed there and tried in the next.
    """
    refusals = []
    remedy = _USUAL_REMEDY
    for place in _places():
        _sweep(place)
        path = os.path.join(place, f"{_PREFIX}{os.urandom(_RANDOM).hex()}")
        size = len(os.fsencode(os.path.join(path, SOCKET_NAME)))
        if size > PATH_LIMIT:
            refusals.append(f"{place} makes a path of {size} bytes, {PATH_LIMIT} are allowed")
            continue
        try:
            return path, *_listen_in(path)
        except OSError as error:
            refusals.append(f"{place}: {error.strerror}")
            remedy = _REMEDIES.get(error.errno or 0, _USUAL_REMEDY)
    raise IpcError(f"no place for a socket ({'; '.join(refusals)}); {remedy}")


_USUAL_REMEDY = "set TMPDIR to a short path that you may write to"
_REMEDIES = {
    errno.EMFILE: "close some files, or raise the limit of open files (ulimit -n)",
    errno.ENFILE: "close some files: the whole system has too many open",
    errno.ENOSPC: "free space and inodes there, or set TMPDIR to another file system",
}


def _listen_in(path: str) -> tuple[int, socket.socket]:
    """Make a directory and listen in it; nothing stays if that fails."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.mkdir(path, 0o700)
        try:
            os.chmod(path, 0o700)  # whatever the umask took away
            lock = _locked(path)
            try:
                name = os.path.join(path, SOCKET_NAME)
                listener.bind(name)
                os.chmod(name, 0o700)
                listener.listen()
                listener.setblocking(False)
            except BaseException:
                remove_meeting_place(path, lock)
                raise
        except BaseException:
            try:
                os.rmdir(path)
            except FileNotFoundError:
                pass  # removed with its lock
            raise
    except BaseException:
        listener.close()
        raise
    return lock, listener


def _places() -> list[str]:
    """Directories to try, the most private first."""
    wanted = (os.environ.get("XDG_RUNTIME_DIR"), os.environ.get("TMPDIR"), "/tmp")
    return list(dict.fromkeys(os.path.abspath(place) for place in wanted if place))


def _locked(path: str) -> int:
    """A descriptor of a directory that holds the lock on it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    fcntl.flock(descriptor, fcntl.LOCK_EX)  # waits for a sweep in another process that just looks at it
    return descriptor


def _is_ours(name: str) -> bool:
    return name.startswith(_PREFIX) and len(name) == len(_PREFIX) + 2 * _RANDOM


def _sweep(place: str) -> None:
    """Remove what killed processes of ours left here: directories that nobody holds the lock of."""
    try:
        names = [entry.name for entry in os.scandir(place) if _is_ours(entry.name)]
    except OSError:
        return  # not there, or not ours to look into: the caller finds out when it makes its own
    for name in names:
        path = os.path.join(place, name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue  # gone, or another user's
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)  # in use
            continue
        status = os.fstat(descriptor)
        abandoned = _has_socket(descriptor) or time() - status.st_mtime > _GRACE
        if abandoned and status.st_uid == os.geteuid():
            remove_meeting_place(path, descriptor)
        else:
            os.close(descriptor)


def _has_socket(directory: int) -> bool:
    """Whether a server listened there; needs no further descriptor, of which there may be none left."""
    try:
        os.stat(SOCKET_NAME, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def remove_meeting_place(path: str, descriptor: int) -> None:
    """Remove a directory of ours and its socket, and give up the lock."""
    try:
        if stat.S_ISSOCK(os.stat(SOCKET_NAME, dir_fd=descriptor, follow_symlinks=False).st_mode):
            os.unlink(SOCKET_NAME, dir_fd=descriptor)
    except FileNotFoundError:
        pass
    try:
        os.rmdir(path)
    except OSError:
        pass  # somebody put something else there, or removed it
    finally:
        os.close(descriptor)
