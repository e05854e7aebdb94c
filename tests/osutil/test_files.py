"""A file is replaced whole or not at all, and keeps what it permits."""

import os
import stat
from pathlib import Path

import pytest

from tui_ipc.osutil.files import is_locked, lock_file, replace_file


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_a_file_permits_stays_or_is_said(tmp_path: Path) -> None:
    """As the old file, as the caller says, or as the user's mask has it."""
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o641)
    replace_file(str(path), b"new", path.stat())
    assert (path.read_bytes(), mode(path)) == (b"new", 0o641)
    replace_file(str(path), b"newer", path.stat(), mode=0o600)
    assert (path.read_bytes(), mode(path)) == (b"newer", 0o600)
    mine = os.umask(0o027)
    try:
        replace_file(str(path), b"newest")
    finally:
        assert os.umask(mine) == 0o027
    assert (path.read_bytes(), mode(path)) == (b"newest", 0o640)


@pytest.mark.parametrize("end", [OSError, KeyboardInterrupt])
def test_what_cannot_be_replaced_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: type[BaseException]
) -> None:
    """And nothing is left beside it, whatever broke it off."""
    path = tmp_path / "file"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise end

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(end):
        replace_file(str(path), b"new")
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "old"


def test_a_file_is_locked_for_as_long_as_it_is_open(tmp_path: Path) -> None:
    """Whoever looks does not take the lock, and may have opened the file only to read it."""
    path = tmp_path / "file"
    path.touch()
    with path.open("r+b") as first, path.open("r+b") as second, path.open("rb") as reader:
        assert not is_locked(reader.fileno())
        assert lock_file(first.fileno())
        assert not lock_file(second.fileno())
        assert (is_locked(reader.fileno()), is_locked(first.fileno())) == (True, False)
        first.close()
        assert not is_locked(reader.fileno())
        assert lock_file(second.fileno())
