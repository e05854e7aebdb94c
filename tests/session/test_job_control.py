"""A stopped child is seen as stopped, and its events come in the order in which it happened."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable

import pytest

from tests.support.sessions import (
    OPEN_STEPS,
    EventCollector,
    child,
    describe_events,
    run_session,
    single_event,
    wait_for_failed_handshake,
)
from tui_ipc import events as ev
from tui_ipc.session import process
from tui_ipc.session.session import Session

GOOD_END = ["> 'quit'", "closed", "exited 0", "clean"]
CANNOT_QUIT = "SIGCONT: the child is stopped by SIGSTOP, and a stopped child cannot quit"
INLINE = [*OPEN_STEPS[:3], "hello by-hand inline", "open"]


async def there_and_back(send: Callable[[int], None], watch: EventCollector) -> None:
    """Stop the child and continue it, each time until there is an event."""
    before = watch.events[-1].at
    send(signal.SIGSTOP)
    stopped = await watch.until(ev.ChildStopped, lambda event: event.at > before)
    send(signal.SIGCONT)
    await watch.until(ev.ChildContinued, lambda event: event.at > stopped.at)


def test_stopping_and_continuing_the_child_is_told_once_each() -> None:
    """At once after a signal of ours, and after a look where somebody else sent it."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        pid = session.pid
        assert pid is not None
        await there_and_back(session.signal, watch)
        await there_and_back(lambda number: os.kill(pid, number), watch)

    assert describe_events(run_session(child("inline_echo"), act)) == [
        *INLINE,
        "SIGSTOP: the user asked for it",
        "stopped by SIGSTOP",
        "SIGCONT: the user asked for it",
        "continued",
        "stopped by SIGSTOP",
        "continued",
        *GOOD_END,
    ]


def test_a_stop_that_we_cause_does_not_wait_for_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who stops a child sees it stop."""
    monkeypatch.setattr(process, "_POLL_SECONDS", 600)

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        session.signal(signal.SIGSTOP)
        async with asyncio.timeout(10):
            await watch.until(ev.ChildStopped)

    assert describe_events(run_session(child("inline_echo"), act))[-1] == "clean"


def test_a_child_that_is_stopped_is_continued_so_that_it_can_quit() -> None:
    """The grace is for a child that hears us, and no stronger signal is needed."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        session.signal(signal.SIGSTOP)
        await watch.until(ev.ChildStopped)

    assert describe_events(run_session(child("inline_echo"), act))[5:] == [
        "SIGSTOP: the user asked for it",
        "stopped by SIGSTOP",
        CANNOT_QUIT,
        "continued",
        *GOOD_END,
    ]


def test_a_stop_that_was_not_seen_yet_is_found_before_the_child_is_asked_to_quit() -> None:
    """The look comes first."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        pid = session.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)

    assert describe_events(run_session(child("inline_echo"), act))[5:] == [
        "stopped by SIGSTOP",
        CANNOT_QUIT,
        "continued",
        *GOOD_END,
    ]


def test_quit_said_to_a_stopped_child_counts_from_when_it_can_hear_it() -> None:
    """Its whole grace had passed before."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        session.signal(signal.SIGSTOP)
        await watch.until(ev.ChildStopped)
        await session.send("quit")
        session._timeline._begin -= 60_000_000_000  # a minute later

    assert describe_events(run_session(child("inline_echo"), act))[7:] == [
        "> 'quit'",
        CANNOT_QUIT,
        "continued",
        *GOOD_END[1:],
    ]


def test_a_child_that_stops_itself_instead_of_ending_is_continued_then_as_well() -> None:
    """It needs a look, not the end of its grace."""
    script = "import signal, sys; from tests.support.children.raw_child import *; client = connect(); "
    script += "client.sendall(INLINE_HELLO); read_text(client); os.kill(os.getpid(), signal.SIGSTOP)"
    assert describe_events(run_session([sys.executable, "-c", script]))[5:] == [
        "> 'quit'",
        "stopped by SIGSTOP",
        CANNOT_QUIT,
        "continued",
        *GOOD_END[1:],
    ]


def test_sigterm_to_a_stopped_child_is_followed_by_sigcont() -> None:
    """A signal waits until the process goes on; SIGKILL, which does not, is not needed for that."""

    async def act(session: Session, watch: EventCollector) -> None:
        await wait_for_failed_handshake(session, watch)
        await watch.until(ev.Audit)

    events = run_session(["sh", "-c", "kill -STOP $$"], act, timeout=0.5)
    assert describe_events(events) == [
        "listening",
        "spawned",
        "stopped by SIGSTOP",
        "failed to reach 'connected' in time",
        "SIGTERM: the handshake failed",
        CANNOT_QUIT,
        "continued",
        "ended by SIGTERM",
        "clean",
    ]
    assert not single_event(events, ev.Audit).processes


def test_nothing_is_told_of_a_child_after_its_end() -> None:
    """One that was stopped and killed."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        session.signal(signal.SIGSTOP)
        await watch.until(ev.ChildStopped)
        session.signal(signal.SIGKILL)
        await watch.until(ev.Audit)

    assert describe_events(run_session(child("inline_echo"), act))[5:] == [
        "SIGSTOP: the user asked for it",
        "stopped by SIGSTOP",
        "SIGKILL: the user asked for it",
        "closed",
        "ended by SIGKILL",
        "clean",
    ]
