"""Scripts in files: nothing is lost, whatever happens."""

import os
import resource
import stat
from pathlib import Path

import pytest

from tui_ipc.script.files import UnwritableScriptError, create, rewrite


def test_a_new_script_is_written_as_it_is(tmp_path: Path) -> None:
    """UTF-8, line ends unchanged."""
    file = tmp_path / "talk.tipc"
    create(str(file), '> "grüß"\r\n< 1\n')
    assert file.read_bytes() == '> "grüß"\r\n< 1\n'.encode()


def test_a_file_that_exists_is_left_alone(tmp_path: Path) -> None:
    """Whatever it is, a link that leads nowhere included."""
    file = tmp_path / "talk.tipc"
    file.write_text("precious")
    with pytest.raises(UnwritableScriptError, match=r"talk\.tipc exists already; name another file"):
        create(str(file), "quit\n")
    assert file.read_text() == "precious"
    dangling = tmp_path / "dangling.tipc"
    dangling.symlink_to("nowhere")
    with pytest.raises(UnwritableScriptError, match="exists already"):
        create(str(dangling), "quit\n")


@pytest.mark.parametrize(
    ("path", "said"),
    [("absent/talk.tipc", "No such file or directory"), ("a\0b", "null character"), ("", "No such")],
)
def test_a_place_that_takes_no_file_is_told(tmp_path: Path, path: str, said: str) -> None:
    """In the system's words."""
    with pytest.raises(UnwritableScriptError, match=f"cannot be written: .*{said}"):
        create(str(tmp_path / path) if path else "", "quit\n")


def test_a_script_that_finds_no_room_leaves_no_part_of_it(tmp_path: Path) -> None:
    """A full disk, or a limit on files, as here."""
    file = tmp_path / "talk.tipc"
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, kept[1]))
    try:
        with pytest.raises(UnwritableScriptError, match="File too large"):
            create(str(file), "quit\n" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)
    assert not file.exists()


def test_a_rewritten_file_keeps_its_permissions_and_its_link(tmp_path: Path) -> None:
    """And nothing else is left in the directory."""
    file, link = tmp_path / "talk.tipc", tmp_path / "link.tipc"
    file.write_bytes(b"old")
    file.chmod(0o640)
    link.symlink_to(file)
    rewrite(str(link), b"old", b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o640)
    assert link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["link.tipc", "talk.tipc"]


def test_a_rewritten_file_keeps_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where that is ours to say, as root's; where it is not, that is no failure."""
    asked = []

    def refuse(descriptor: int, *owner: int) -> None:
        asked.append(owner)
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refuse)
    file = tmp_path / "talk.tipc"
    file.write_bytes(b"old")
    rewrite(str(file), b"old", b"new")
    assert asked == [(file.stat().st_uid, file.stat().st_gid)]
    assert file.read_bytes() == b"new"


def test_a_file_that_was_edited_meanwhile_is_not_rewritten(tmp_path: Path) -> None:
    """Whoever edited it keeps the edit."""
    file = tmp_path / "talk.tipc"
    file.write_bytes(b"edited")
    with pytest.raises(UnwritableScriptError, match=r"was changed meanwhile, and so was not rewritten"):
        rewrite(str(file), b"old", b"new")
    assert file.read_bytes() == b"edited"


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    """In the system's words."""
    with pytest.raises(UnwritableScriptError, match="cannot be rewritten: No such file or directory"):
        rewrite(str(tmp_path / "talk.tipc"), b"old", b"new")


def test_a_rewriting_that_fails_leaves_the_old_text(tmp_path: Path) -> None:
    """And no half of the new one beside it."""
    file = tmp_path / "talk.tipc"
    file.write_bytes(b"old")
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, kept[1]))
    try:
        with pytest.raises(UnwritableScriptError, match="cannot be rewritten: File too large"):
            rewrite(str(file), b"old", b"new" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)
    assert file.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["talk.tipc"]
