"""A new file, and what is written to it."""

from pathlib import Path

import pytest

from tui_ipc.tui.saving import NewFile, SaveError


def test_the_pieces_are_in_the_file(tmp_path: Path) -> None:
    """In their order, as UTF-8; what that cannot hold is told in its place."""
    path = tmp_path / "new.txt"
    assert NewFile(str(path)).write(iter(["é\n", "\udcff", "end"])) == 6
    assert path.read_bytes() == "é\n\\udcffend".encode()


def test_a_file_that_comes_between_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although it was not there when one looked."""
    path = tmp_path / "new.txt"
    path.write_text("precious")
    with pytest.raises(SaveError, match="is there already"):
        NewFile(str(path))
    monkeypatch.setattr("tui_ipc.tui.saving.problem", lambda path: None)
    with pytest.raises(SaveError, match=r"cannot be made: File exists; name another file\."):
        NewFile(str(path))
    assert path.read_text() == "precious"


def test_what_cannot_be_a_path_is_told() -> None:
    """With what the system says."""
    for path in ("a\0b", "x" * 300, "/proc/nothing-can-be-made-here"):
        with pytest.raises(SaveError, match="cannot be made"):
            NewFile(path)
