"""The leak checks themselves: each kind of leak is found, named, and told from what only looks like one."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

from tests.support import leaks

ENDLESS = [sys.executable, "-c", "input()"]  # lives until its stdin closes


def test_nothing_is_left_by_code_that_cleans_up() -> None:
    """Descriptors that were closed, children that were reaped and threads that ended are not reported."""
    before = leaks.take_snapshot()
    for end in socket.socketpair():
        end.close()
    subprocess.run([sys.executable, "-c", ""], check=True)
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    assert leaks.find_leaks(before) == []
    assert leaks.find_closed(before) == []


def test_an_open_descriptor_is_named_with_its_target(tmp_path: Path) -> None:
    """The sentence says which descriptor, and what it is of."""
    before = leaks.take_snapshot()
    path = tmp_path / "kept"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        assert leaks.find_leaks(before) == [f"descriptor {descriptor} is still open: {path}"]
    finally:
        os.close(descriptor)


def test_a_descriptor_whose_number_was_used_again_is_seen(tmp_path: Path) -> None:
    """Closing what was open before and opening another file under its number does not hide a leak."""
    old = os.open(tmp_path / "old", os.O_CREAT | os.O_WRONLY)
    before = leaks.take_snapshot()
    os.close(old)
    new = os.open(tmp_path / "new", os.O_CREAT | os.O_WRONLY)
    try:
        assert new == old
        assert leaks.find_leaks(before) == [f"descriptor {new} is still open: {tmp_path / 'new'}"]
    finally:
        os.close(new)


def test_closing_what_was_open_before_is_reported(tmp_path: Path) -> None:
    """A descriptor closed twice may hit one that somebody else has opened meanwhile; such a loss is seen."""
    descriptor = os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)
    before = leaks.take_snapshot()
    os.close(descriptor)
    assert leaks.find_closed(before) == [
        f"descriptor {descriptor}, open before, is closed: it belonged to someone else"
    ]


def test_what_only_a_reference_cycle_keeps_is_no_leak() -> None:
    """Garbage is collected before a leak is reported."""

    class Keeper:
        def __init__(self) -> None:
            self.descriptors = os.pipe()
            self.myself = self

        def __del__(self) -> None:
            for descriptor in self.descriptors:
                os.close(descriptor)

    before = leaks.take_snapshot()
    Keeper()
    assert leaks.find_leaks(before) == []


def test_a_living_child_is_named_and_ended() -> None:
    """A child that still runs is reported with its command, and can be ended and reaped."""
    before = leaks.take_snapshot()
    with subprocess.Popen(ENDLESS, stdin=subprocess.PIPE) as child:
        sentences = leaks.find_leaks(before)
        leaks.kill_new_children(before)
        assert f"process {child.pid} still runs: {' '.join(ENDLESS)}" in sentences
        child.returncode = -9  # reaped behind its back
    assert leaks.find_leaks(before) == []


def test_an_unreaped_child_is_told_from_a_living_one() -> None:
    """A child that has exited and that nobody waited for is a leak of its own kind."""
    before = leaks.take_snapshot()
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    try:
        assert leaks.find_leaks(before) == [f"process {child.pid} has exited and was not reaped"]
    finally:
        child.wait()


def test_a_running_thread_is_named() -> None:
    """A thread that does not end within its grace is reported by name."""
    before = leaks.take_snapshot()
    release = threading.Event()
    thread = threading.Thread(target=release.wait, name="lingering")
    thread.start()
    try:
        assert leaks.find_leaks(before) == ["thread 'lingering' still runs"]
    finally:
        release.set()
        thread.join()


def test_a_descendant_is_found_by_the_environment_it_inherited(runtime_dir: Path) -> None:
    """A process that is nobody's child any more is found, with the test that it came from."""
    reading, writing = os.pipe()
    with open(writing, "wb"):
        orphan = f"import subprocess; print(subprocess.Popen({ENDLESS!r}, stdout=2).pid)"
        with open(reading, "rb") as stdin:
            done = subprocess.run(
                [sys.executable, "-c", orphan], stdin=stdin, stdout=subprocess.PIPE, check=True
            )
        found = leaks.find_descendants("XDG_RUNTIME_DIR", str(runtime_dir))
    assert [sentence.split()[:4] for sentence in found] == [
        ["process", done.stdout.decode().strip(), "still", "runs:"]
    ]
    assert "test_leaks.py::test_a_descendant_is_found" in found[0]
    assert leaks.find_descendants("XDG_RUNTIME_DIR", str(runtime_dir)) == []
