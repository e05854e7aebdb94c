"""Where a one-shot server lies, and that nothing of it stays, whoever is killed."""

import os
import select
import signal
import socket
from pathlib import Path

import pytest

from tests.support.ipc_programs import running, said
from tests.support.threads import PATIENCE
from tui_ipc import (
    Disconnected,
    IpcError,
    OneShotServer,
    TimedOut,
    connect,
)
from tui_ipc.ipc import meeting_place

# --------------------------------------------------------------------------------------------- Where it lies


def test_xdg_runtime_dir_is_preferred(runtime_dir: Path) -> None:
    """The socket lies in a fresh directory under ``XDG_RUNTIME_DIR``, each server's in one of its own."""
    with OneShotServer() as one, OneShotServer() as other:
        places = {Path(server.name).parent for server in (one, other)}
        assert {place.parent for place in places} == {runtime_dir}
        assert len(places) == 2
    assert not any(place.exists() for place in places)


def test_a_very_long_temp_dir_is_passed_over(
    runtime_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A very long temp dir: a shorter place."""
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    monkeypatch.setenv("TMPDIR", str(runtime_dir))
    with OneShotServer() as server:
        assert Path(server.name).parent.parent == runtime_dir
    assert list(long.iterdir()) == []


def test_only_very_long_temp_dirs_are_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A very long temp dir, and no shorter place: a clear error with the numbers, never a wrong path."""
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(meeting_place, "_places", lambda: [str(long), "/nowhere"])
    size = len(str(long)) + len("/tui-ipc-0123456789ab/server")
    sentence = (
        rf"{long} makes a path of {size} bytes, 107 are allowed; /nowhere: No such file .* set TMPDIR to"
    )
    with pytest.raises(IpcError, match=sentence):
        OneShotServer()


@pytest.mark.parametrize("excess", [0, 1])
def test_the_longest_path_that_a_socket_can_have(
    runtime_dir: Path, monkeypatch: pytest.MonkeyPatch, excess: int
) -> None:
    """A temp dir whose socket's path has exactly 107 bytes is used, one byte more is not; bytes count."""
    room = 107 - len(os.fsencode(runtime_dir)) - len("//tui-ipc-0123456789ab/server")
    longest = runtime_dir / ("é" * (room // 2) + "e" * (room % 2) + "x" * excess)
    longest.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(longest))
    monkeypatch.setenv("TMPDIR", str(runtime_dir))
    with OneShotServer() as server, connect(server.name):
        assert Path(server.name).parent.parent == (runtime_dir if excess else longest)
        assert excess or len(os.fsencode(server.name)) == 107
    longest.rmdir()


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 108])
def test_what_is_no_server_name(name: str) -> None:
    """``connect`` says of what cannot be a socket's path that it is none."""
    with pytest.raises(ValueError, match="invalid server name"):
        connect(name)


def test_a_name_where_nobody_listens(tmp_path: Path) -> None:
    """``connect`` says the same wherever nobody listens: no file, no socket, a socket whose owner is gone."""
    plain = tmp_path / "plain"
    plain.touch()
    for name in (tmp_path / "none", plain, tmp_path):
        with pytest.raises(Disconnected, match="no one-shot server listens at"):
            connect(str(name))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{os.environ['XDG_RUNTIME_DIR']}/dead")
        name = listener.getsockname()
    with pytest.raises(Disconnected, match="no one-shot server listens at"):
        connect(str(name))
    os.unlink(name)


# ------------------------------------------------------------------------------------------------ What stays


@pytest.mark.parametrize("outcome_of_accept", ["accepted", "timed out", "closed", "dropped"])
def test_nothing_of_the_meeting_place_stays(runtime_dir: Path, outcome_of_accept: str) -> None:
    """The socket and its directory are gone after accept, whatever its outcome, and after ``close``."""
    with OneShotServer() as server:
        assert len(list(runtime_dir.iterdir())) == 1
        if outcome_of_accept == "accepted":
            with connect(server.name) as bootstrap:
                bootstrap.send("hello")
                server.accept(PATIENCE)[0].close()
        elif outcome_of_accept == "timed out":
            with pytest.raises(TimedOut):
                server.accept(0)
        else:
            server.close()
            server.close()
        assert list(runtime_dir.iterdir()) == []


def test_a_directory_that_somebody_removed_does_not_disturb() -> None:
    """Somebody cleaned up the temp dir: closing the server is no error."""
    with OneShotServer() as server:
        os.unlink(server.name)
        os.rmdir(os.path.dirname(server.name))


def test_the_parent_is_killed(runtime_dir: Path) -> None:
    """The parent is killed with SIGKILL: the directory is swept by the next start, once its process is gone.

    A living server's directory is not swept, by whatever process.
    """
    with running("listens") as parent:
        name = said(parent)
        with OneShotServer():
            assert os.path.exists(name), "a living server was swept"
        connect(name).close()
        parent.kill()
        parent.wait()
        assert os.path.exists(name)
        with OneShotServer() as server:
            assert [path.name for path in runtime_dir.iterdir()] == [Path(server.name).parent.name]


def test_the_parent_is_killed_in_mid_message() -> None:
    """The parent is killed with SIGKILL while the child is in mid-message: the child ends by itself in a
    second.
    """
    with running("abandons") as parent:
        assert parent.stderr is not None
        child = os.pidfd_open(int(said(parent)))
        try:
            poller = select.poll()
            poller.register(child, select.POLLIN)
            assert poller.poll(0) == []
            parent.send_signal(signal.SIGKILL)
            assert poller.poll(1000), "the child outlived its parent"
        finally:
            os.close(child)
        assert parent.stderr.read() == "child.py: the parent is gone\n"


def test_what_another_start_has_just_made_is_not_swept(runtime_dir: Path) -> None:
    """A directory that was just made, and has no socket and no lock yet, is not swept; an old one is."""
    fresh, old = runtime_dir / f"tui-ipc-{'0' * 12}", runtime_dir / f"tui-ipc-{'1' * 12}"
    for directory in (fresh, old):
        directory.mkdir(0o700)
    os.utime(old, (1, 1))
    OneShotServer().close()
    assert fresh.exists()
    assert not old.exists()
    fresh.rmdir()


def test_what_is_not_ours_is_not_swept(runtime_dir: Path) -> None:
    """Sweeping follows no link, enters no other program's directory, and removes no file but a socket."""
    ours, linked = runtime_dir / f"tui-ipc-{'0' * 12}", runtime_dir / f"tui-ipc-{'2' * 12}"
    foreign = runtime_dir / "tui-ipc-of-someone"
    for directory in (ours, foreign):
        directory.mkdir(0o700)
        (directory / "server").write_text("no socket")
        os.utime(directory, (1, 1))
    linked.symlink_to(foreign)
    OneShotServer().close()
    for directory in (ours, foreign):
        assert (directory / "server").read_text() == "no socket"
        (directory / "server").unlink()
    assert linked.is_symlink()
    linked.unlink()
    ours.rmdir()
    foreign.rmdir()


def test_a_bind_that_fails_leaves_nothing(runtime_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that cannot listen leaves no directory and no descriptor."""

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(IpcError, match=r"run: No space left on device; .*free space and inodes there"):
        OneShotServer()
    assert list(runtime_dir.iterdir()) == []
