"""The state of a run, as its events tell it."""

from tui_ipc.events import (
    AnyEvent,
    ChannelsOpen,
    ChildConnected,
    ChildContinued,
    ChildExited,
    ChildSpawned,
    ChildStopped,
    Fault,
    HandshakeFailed,
    HelloReceived,
    MessageReceived,
    MessageSent,
    ServerListening,
    StepLate,
)
from tui_ipc.tui.model.status import Status

LISTENING = ServerListening(at=0, run=1, name="/run/s")
SPAWNED = ChildSpawned(at=1, run=1, pid=7, command=("/usr/bin/calculator", "channel_name:/run/s"))
CONNECTED = ChildConnected(at=2, run=1)
HELLO = HelloReceived(at=3, run=1, name="calc", pid=7, inline=False, raw=b"")
OPEN = ChannelsOpen(at=4, run=1)


def exited(code: int | None = 0, signal: int | None = None, run: int = 1) -> ChildExited:
    """The child's end."""
    return ChildExited(
        at=9, run=run, code=code, signal=signal, user_seconds=0.0, system_seconds=0.0, max_rss=0
    )


def after(*events: AnyEvent) -> Status:
    """The status once events have happened."""
    status = Status()
    for event in events:
        status.apply(event)
    return status


def test_the_handshake_is_told_step_by_step() -> None:
    """The state says what is waited for; the program's name gives way to the child's own."""
    assert after(LISTENING).state == "listening"
    spawned = after(LISTENING, SPAWNED)
    assert (spawned.name, spawned.pid, spawned.state) == ("calculator", 7, "waiting for it to connect")
    assert after(LISTENING, SPAWNED, CONNECTED).state == "waiting for its hello"
    whole = after(LISTENING, SPAWNED, CONNECTED, HELLO, OPEN)
    assert (whole.name, whole.state, whole.phase) == ("calc", "connected", "open")


def test_a_late_step_is_called_late_until_it_comes() -> None:
    """The state says what is waited for, and that it takes long."""
    late = StepLate(at=5, run=1, step="connected", waited=4, sentence="nobody connected")
    assert after(LISTENING, SPAWNED, late).state == "late: waiting for it to connect"
    assert after(LISTENING, SPAWNED, late, CONNECTED).state == "waiting for its hello"


def test_a_stopped_child_is_stopped_while_it_lasts() -> None:
    """The state comes back as it was, or as it became meanwhile; a dead child is not stopped."""
    stopped = ChildStopped(at=5, run=1, signal=19)
    assert after(LISTENING, SPAWNED, OPEN, stopped).state == "stopped by SIGSTOP"
    assert after(LISTENING, SPAWNED, OPEN, stopped, ChildContinued(at=6, run=1)).state == "connected"
    assert after(LISTENING, SPAWNED, OPEN, stopped, exited(None, 9)).state == "was ended by SIGKILL"
    assert after(LISTENING, stopped, ServerListening(at=9, run=2, name="/run/s")).state == "listening"


def test_messages_are_counted_and_the_median_latency_kept() -> None:
    """The counts are the newest numbers; the median is over answers only."""
    events: list[AnyEvent] = [MessageSent(at=5, run=1, number=n, value=n, raw=b"") for n in (1, 2, 3)]
    for number, elapsed in ((1, 30), (2, 10), (3, 20), (4, None)):
        answer = number if elapsed else None
        events.append(
            MessageReceived(at=6, run=1, number=number, value=0, raw=b"", answers=answer, elapsed=elapsed)
        )
    status = after(LISTENING, SPAWNED, OPEN, *events)
    assert (status.sent, status.received, status.p50) == (3, 4, 20)


def test_nobody_listens_after_the_end_and_the_reason_is_given() -> None:
    """An exit code and a signal are told apart; before the end somebody listens or soon will."""
    assert after(LISTENING, SPAWNED).absence is None
    assert (
        after(LISTENING, SPAWNED, OPEN, exited(3)).absence == "nobody listens: the child exited with code 3"
    )
    killed = after(LISTENING, SPAWNED, OPEN, exited(None, 9))
    assert killed.absence == "nobody listens: the child was ended by SIGKILL"


def test_a_failure_outlives_the_exit_that_follows_it() -> None:
    """The state says what went wrong first, the absence how the child ended."""
    failed = HandshakeFailed(at=5, run=1, step="connected", sentence="it ended", timed_out=False)
    status = after(LISTENING, SPAWNED, failed, exited(1))
    assert (status.state, status.absence) == (
        "handshake failed",
        "nobody listens: the child exited with code 1",
    )
    broken = after(LISTENING, SPAWNED, OPEN, Fault(at=5, run=1, sentence="not msgpack"))
    assert broken.absence == "nobody listens: the child broke the protocol"


def test_a_new_run_begins_anew() -> None:
    """Counts, latencies and the end belong to their run; the name stays until the child says another."""
    status = after(
        LISTENING, SPAWNED, HELLO, OPEN, MessageSent(at=5, run=1, number=1, value=0, raw=b""), exited()
    )
    status.apply(ServerListening(at=10, run=2, name="/run/s"))
    assert (status.run, status.sent, status.p50, status.absence) == (2, 0, None, None)
    assert (status.name, status.pid) == ("calc", None)
