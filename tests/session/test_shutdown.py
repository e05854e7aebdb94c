"""What still holds the streams of a child that has ended."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from tests.support.sessions import (
    EventCollector,
    child,
    describe_events,
    is_alive,
    name_leftover,
    output_of,
    run_session,
    single_event,
    wait_for_failed_handshake,
)
from tui_ipc import events as ev
from tui_ipc.session.session import Session

DAEMONIZES = """
import os, sys, time
reading, writing = os.pipe()
pid = os.fork()
if not pid:
    os.setsid()
    os.write(writing, b"!")
    time.sleep(600)
os.read(reading, 1)
print(pid)
sys.exit(3)
"""


@pytest.fixture
def daemons() -> Iterator[list[int]]:
    """Pids of processes that outlive their session, and not the test."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


async def leave(session: Session, watch: EventCollector) -> None:
    """Have the child say which process it leaves, and leave the session."""
    await watch.until(ev.MessageReceived)


@pytest.mark.parametrize("pty", [True, False])
@pytest.mark.parametrize(
    "let_go", [(), ("stdout",), ("stderr", "channel"), ("stdout", "stderr", "channel")], ids=" ".join
)
def test_a_daemon_that_holds_streams_lives_on_and_the_audit_names_them(
    let_go: tuple[str, ...], pty: bool, daemons: list[int]
) -> None:
    """It has a session of its own and is not ours to end; the audit names what it keeps of the child's."""
    events = run_session(child("leaves_process", "daemon", *let_go), leave, pty=pty)
    pid = single_event(events, ev.MessageReceived).value
    daemons.append(pid)
    assert is_alive(pid)
    audit = single_event(events, ev.Audit)
    assert (audit.processes, audit.files, audit.unread) == ((), (), 0)
    assert audit.held == tuple(name for name in ("stdout", "stderr", "channel") if name not in let_go)
    assert audit.clean == (len(let_go) == 3)
    assert describe_events(events)[-3:-1] == ["closed", "exited 0"]
    assert audit.at < 10e9


def test_what_a_process_of_the_session_held_is_free_once_it_was_ended() -> None:
    """It is named as a process, not once more by its streams."""
    audit = single_event(run_session(child("leaves_process", "stubborn"), leave, grace=0.2), ev.Audit)
    assert (len(audit.processes), audit.held) == (1, ())


def test_a_stopped_process_that_the_child_left_is_continued_to_its_end() -> None:
    """SIGKILL is not needed for that."""
    events = run_session(child("leaves_process", "stopped"), leave)
    name = name_leftover(events)
    assert describe_events(events)[-4:] == [
        "exited 0",
        f"SIGTERM: the child ended and left processes behind: {name}",
        f"SIGCONT: a stopped process cannot end: {name}",
        "left 1 processes, 0 bytes unread",
    ]


def test_a_daemon_of_a_child_that_never_connected_is_told_as_well(daemons: list[int]) -> None:
    """There is no channel that it could hold."""
    events = run_session([sys.executable, "-c", DAEMONIZES], wait_for_failed_handshake)
    daemons.append(int(output_of(events)))
    assert describe_events(events)[-2:] == [
        "exited 3",
        "left 0 processes, 0 bytes unread, stdout, stderr held",
    ]
