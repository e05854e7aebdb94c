"""A step of the handshake that takes long is reported while it may still come."""

import signal

import pytest

from tests.support.sessions import (
    EventCollector,
    child,
    describe_events,
    run_session,
    single_event,
    wait_for_failed_handshake,
)
from tui_ipc import events as ev
from tui_ipc.session import handshake_monitor
from tui_ipc.session.session import Session

WAITING = ["sh", "-c", "echo waiting for a friend >&2; exec sleep 600"]


def test_a_child_that_does_not_connect_is_told_as_late_once_and_then_as_failed() -> None:
    """After half a second at the earliest; what it printed comes before."""
    events = run_session(WAITING, wait_for_failed_handshake, timeout=1.3)
    assert describe_events(events) == [
        "listening",
        "spawned",
        "stderr 'waiting for a friend\\n'",
        "late to reach 'connected'",
        "failed to reach 'connected' in time",
        "SIGTERM: the handshake failed",
        "ended by SIGTERM",
        "clean",
    ]
    late = single_event(events, ev.StepLate)
    assert late.sentence == (
        f"the child has run for {late.waited / 1e9:.1f} s and has not connected; "
        'it printed on stderr: "waiting for a friend". A child must connect to the one-shot server that is '
        "named in its last argument (channel_name:…) and in TUI_IPC_SERVER."
    )
    spawned = single_event(events, ev.ChildSpawned)
    assert 0.5e9 <= late.waited <= late.at - spawned.at + 1e6


@pytest.mark.parametrize(
    ("how", "cure", "meanwhile", "words"),
    [
        ("waits", signal.SIGUSR1, [], "; it printed nothing on stderr. The first message of a child must be"),
        (
            "stops",
            signal.SIGCONT,
            ["stopped by SIGSTOP"],
            ": it is stopped by SIGSTOP; it printed nothing on stderr. A stopped child does nothing until",
        ),
    ],
)
def test_a_step_that_was_late_may_still_come(
    how: str, cure: signal.Signals, meanwhile: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is waited for by itself."""
    monkeypatch.setattr(handshake_monitor, "late_threshold", lambda _: 0.3)

    async def act(session: Session, watch: EventCollector) -> None:
        await watch.until(ev.StepLate, lambda event: event.step == "hello")
        session.signal(cure)
        await session.ready()

    events = run_session(child("says_hello_late", how), act)
    lines = describe_events(events)
    assert lines[lines.index("connected") + 1 :] == [
        *meanwhile,
        "late to reach 'hello'",
        f"{cure.name}: the user asked for it",
        *(["continued"] if meanwhile else []),
        "hello by-hand inline",
        "open",
        "> 'quit'",
        "closed",
        "exited 0",
        "clean",
    ]
    (late,) = (event for event in events if isinstance(event, ev.StepLate) and event.step == "hello")
    happened = f"the child connected {late.waited / 1e9:.1f} s ago and has not sent its hello"
    assert late.sentence.startswith(happened + words)
    assert 0.3e9 <= late.waited <= late.at - single_event(events, ev.ChildConnected).at


def test_a_handshake_without_the_time_to_be_late_only_fails() -> None:
    """The shortest threshold is as long as the timeout."""
    events = run_session(WAITING, wait_for_failed_handshake, timeout=0.5)
    assert not [event for event in events if isinstance(event, ev.StepLate)]
    assert single_event(events, ev.HandshakeFailed).timed_out


def test_a_child_that_is_stopped_at_the_deadline_is_told_as_that() -> None:
    """Not as one that runs and does nothing."""
    failed = single_event(
        run_session(["sh", "-c", "kill -STOP $$"], wait_for_failed_handshake, timeout=0.4), ev.HandshakeFailed
    )
    assert failed.sentence == (
        "the child did not connect within 0.4 s: it is stopped by SIGSTOP; it printed nothing on stderr. "
        "A stopped child does nothing until SIGCONT continues it."
    )
