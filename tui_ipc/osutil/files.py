"""A file is replaced at once: whoever opens it, and a crash, finds the old content or the new one."""

import os
import stat
from contextlib import suppress


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
