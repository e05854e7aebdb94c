"""What a run gives its child, how it ends with children that make that hard, and what they leave behind."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.misbehaving.rows import OUT_OF_STEP
from tests.support.sessions import (
    CONNECT_STEPS,
    OPEN_STEPS,
    EventCollector,
    child,
    describe_events,
    environment,
    is_alive,
    name_leftover,
    output_of,
    run_session,
    single_event,
)
from tui_ipc import events as ev
from tui_ipc.osutil import process_group
from tui_ipc.session import shutdown
from tui_ipc.session.conversation import NotConnected
from tui_ipc.session.process import Process
from tui_ipc.session.session import Session


def test_a_child_that_ignores_quit_is_ended_by_sigterm() -> None:
    """Grace, then SIGTERM; what it says meanwhile is still heard."""
    events = run_session(child("ignores_quit"), grace=0.2)
    assert describe_events(events) == [
        *OPEN_STEPS,
        "> 'quit'",
        "< 'no quit'",
        'SIGTERM: the child had not ended 0.2 s after "quit"',
        "closed",
        "ended by SIGTERM",
        "clean",
    ]
    elapsed = single_event(events, ev.Audit).quit_elapsed
    assert elapsed is not None
    assert elapsed >= 0.2e9


def test_a_child_that_ignores_sigterm_as_well_is_killed() -> None:
    """Each step of the escalation is an event with its reason."""
    events = run_session(child("ignores_quit", "TERM"), grace=0.2)
    assert describe_events(events)[-6:] == [
        'SIGTERM: the child had not ended 0.2 s after "quit"',
        "stdout 'not at SIGTERM either\\n'",
        "SIGKILL: the child had not ended 0.2 s after SIGTERM",
        "closed",
        "ended by SIGKILL",
        "clean",
    ]


def test_a_child_that_reads_nothing_cannot_be_told_to_quit_and_is_ended_all_the_same() -> None:
    """A send that waits for ever is broken off by the end of the run, with a sentence."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        waiting = asyncio.create_task(session.send(b"x" * 10_000_000))
        await asyncio.sleep(0)
        await session.quit()
        with pytest.raises(NotConnected, match="child"):
            await waiting

    assert describe_events(run_session(child("never_reads"), act, grace=0.2)) == [
        *OPEN_STEPS,
        'SIGTERM: the child does not read: "quit" could not be sent in 0.2 s',
        "closed",
        "ended by SIGTERM",
        "clean",
    ]


def test_quit_said_by_hand_is_not_said_again() -> None:
    """A person who types ``quit`` and then leaves says it once; the child's time runs from then."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        await session.send("quit")
        await session.quit()
        with pytest.raises(NotConnected, match="child not running: it exited with code 0"):
            await session.send("anyone?")

    events = run_session(child("inline_echo"), act)
    assert describe_events(events)[5:] == ["> 'quit'", "closed", "exited 0", "clean"]
    assert single_event(events, ev.Audit).quit_elapsed is not None


def test_quitting_again_and_from_several_tasks_is_harmless() -> None:
    """Everyone returns once the run is over."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        await asyncio.gather(session.quit(), session.quit())
        await session.quit()
        assert session.pid is None

    assert describe_events(run_session(child("inline_echo"), act))[5:] == [
        "> 'quit'",
        "closed",
        "exited 0",
        "clean",
    ]


@pytest.mark.parametrize(
    ("name", "step"), [("never_connects", ev.ChildSpawned), ("never_says_hello", ev.ChildConnected)]
)
def test_quitting_in_the_middle_of_the_handshake_breaks_it_off(name: str, step: type[ev.AnyEvent]) -> None:
    """Nobody waits for the deadline then."""

    async def act(session: Session, watch: EventCollector) -> None:
        await watch.until(step)
        await session.quit()

    events = run_session(child(name), act)
    assert single_event(events, ev.HandshakeFailed).sentence.startswith(
        "the handshake was broken off before "
    )
    kinds = [type(event) for event in events if not isinstance(event, ev.ChildOutput)]
    assert kinds[-4:] == [ev.HandshakeFailed, ev.SignalSent, ev.ChildExited, ev.Audit]


def test_quitting_before_anything_happened_leaves_nothing() -> None:
    """Not even a child was started, or it is gone."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.quit()

    assert describe_events(run_session(child("never_says_hello"), act))[-1] == "clean"


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV"])
def test_what_a_dying_child_said_and_printed_comes_before_its_end(name: str) -> None:
    """Messages, then output, then the close, then the exit."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        await session.send("die")
        await watch.until(ev.Audit)

    events = run_session(child("dies", name), act)
    rest = describe_events(events)[5:]
    assert [line for line in rest if not line.startswith("std")] == [
        "> 'die'",
        "< 0 answers 1",
        "< 1",
        "< 2",
        "closed",
        f"ended by {name}",
        "clean",
    ]
    assert (output_of(events), output_of(events, "stderr")) == (b"last words\n", b"and a complaint\n")
    assert rest.index("stdout 'last words\\n'") < rest.index("< 0 answers 1")


def test_a_child_that_closes_its_channel_and_lives_is_ended_by_signals() -> None:
    """``"quit"`` cannot be sent; nor can anything else, and the error says so."""

    async def act(session: Session, watch: EventCollector) -> None:
        await watch.until(ev.ChannelClosed)
        with pytest.raises(NotConnected, match="closed its channel"):
            await session.send("anyone?")

    assert describe_events(run_session(child("closes_channel", "both"), act, grace=0.2)) == [
        *OPEN_STEPS,
        "closed",
        'SIGTERM: "quit" could not be sent: the child closed its channel',
        "ended by SIGTERM",
        "clean",
    ]


def test_a_child_that_closes_only_its_sender_still_hears_quit() -> None:
    """Half a conversation is one."""

    async def act(session: Session, watch: EventCollector) -> None:
        await watch.until(ev.ChannelClosed)
        await session.send("still there?")
        await watch.until_printed("heard still there?")

    assert describe_events(run_session(child("closes_channel", "sender"), act))[5:] == [
        "closed",
        "> 'still there?'",
        "stdout 'heard still there?\\n'",
        "> 'quit'",
        "stdout 'heard quit\\n'",
        "exited 0",
        "clean",
    ]


def test_a_child_that_breaks_the_wire_is_a_fault_and_goes_on_printing_until_it_is_ended() -> None:
    """The channel is closed, its output is not."""

    async def act(session: Session, watch: EventCollector) -> None:
        await watch.until_printed("I said something wrong")
        await watch.until(ev.ChannelClosed)
        with pytest.raises(NotConnected, match="broke the protocol, and its channel was closed: 0xc1"):
            await session.send("what?")

    refusal = "the child broke the protocol, and its channel was closed"
    broken = "0xc1 is not the first byte of a msgpack value (at byte 48)"
    lines = describe_events(run_session(child("breaks_the_wire", "garbage"), act, grace=0.1))
    assert [line for line in lines if not line.startswith("stdout")] == [
        *CONNECT_STEPS,
        "hello by-hand inline",
        "open",
        "< 'so far so good'",
        f"fault: {broken}. {OUT_OF_STEP}",
        "closed",
        f'SIGTERM: "quit" could not be sent: {refusal}: {broken}',
        "ended by SIGTERM",
        "clean",
    ]


def test_half_a_message_at_the_end_is_a_fault_and_counted_as_unread() -> None:
    """What was cut off is not silently lost."""
    events = run_session(child("breaks_the_wire", "cut off"), lambda _, watch: watch.until(ev.Audit))
    assert describe_events(events)[5:] == [
        "< 'so far so good'",
        "fault: the peer is gone: it ended 10 bytes into a message of 36 bytes: a text",
        "closed",
        "exited 0",
        "left 0 processes, 10 bytes unread",
    ]


@pytest.mark.parametrize(("kind", "signals"), [("polite", 1), ("job", 1), ("stubborn", 2)])
def test_a_process_that_outlives_the_child_neither_holds_us_up_nor_lives_on(kind: str, signals: int) -> None:
    """It holds all streams and channels; the child's end is an event at once, then the rest is ended."""

    async def act(session: Session, watch: EventCollector) -> None:
        await watch.until(ev.MessageReceived)

    events = run_session(child("leaves_process", kind), act, grace=0.3)
    pid = single_event(events, ev.MessageReceived).value
    reason = f"the child ended and left processes behind: {name_leftover(events)}"
    assert describe_events(events)[6:] == [
        "> 'quit'",
        "stdout 'the first one out\\n'",
        "closed",
        "exited 0",
        *[f"SIGTERM: {reason}", f"SIGKILL: {reason}"][:signals],
        "left 1 processes, 0 bytes unread",
    ]
    assert single_event(events, ev.Audit).processes == (pid,)
    assert not is_alive(pid)


def test_a_child_that_cannot_be_ended_is_named_by_the_audit_and_does_not_hold_us_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may be stuck in the kernel, or run as another user; here no signal reaches it."""

    def reach_no_process(*_: object) -> bool:
        return False

    monkeypatch.setattr(Process, "signal", reach_no_process)
    monkeypatch.setattr(process_group, "signal_processes", reach_no_process)
    monkeypatch.setattr(shutdown, "KILL_TIMEOUT", 0.05)
    events = run_session(child("ignores_quit"), grace=0.05)
    pid = single_event(events, ev.ChildSpawned).pid
    assert single_event(events, ev.Audit).processes == (pid,)
    assert not [event for event in events if isinstance(event, ev.ChildExited)]
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


async def look_away_until_it_ended(session: Session, watch: EventCollector) -> None:
    """Block our loop until the child has ended, so that it finds everything at once: hello, output, end."""
    spawned = await watch.until(ev.ChildSpawned)
    os.waitid(os.P_PID, spawned.pid, os.WEXITED | os.WNOWAIT)
    await watch.until(ev.Audit)


def test_a_child_that_did_everything_while_we_looked_away_is_told_whole() -> None:
    """Its end does not overtake its hello, its messages or its output, however much the kernel holds."""
    events = run_session(child("fills_pipe"), look_away_until_it_ended, pty=False)
    assert [line for line in describe_events(events) if not line.startswith("stdout")] == [
        *OPEN_STEPS,
        "< 'all done'",
        "closed",
        "exited 0",
        "clean",
    ]
    assert len(output_of(events)) == 1024 * 1024


def test_an_inline_child_that_came_and_went_while_we_looked_away_had_a_good_handshake() -> None:
    """The same where the hello itself is still in the kernel."""
    events = run_session(child("exits", "hello", "0"), look_away_until_it_ended)
    assert [line for line in describe_events(events) if not line.startswith("stderr")] == [
        *CONNECT_STEPS,
        "hello by-hand inline",
        "open",
        "closed",
        "exited 0",
        "clean",
    ]


async def given(session: Session, watch: EventCollector) -> None:
    """Have the child report what it was given."""
    await session.ready()
    await session.send("report")
    await watch.until(ev.MessageReceived)


def report(command: list[str], **options: Any) -> tuple[dict[str, Any], str]:
    """What a child reports of its surroundings, and the name of the server."""
    events = run_session(command, given, **options)
    return single_event(events, ev.MessageReceived).value, single_event(events, ev.ServerListening).name


def test_the_child_gets_a_terminal_a_session_and_no_keyboard() -> None:
    """stdout is a terminal of 80 × 24, but not one that could signal it."""
    found, name = report(child("reports_environment", "one", "two"))
    assert found["argv"] == ["one", "two", f"channel_name:{name}"]
    assert found["env"] == {**environment(), "TUI_IPC_SERVER": name}
    assert (found["isatty"], found["size"]) == (True, [80, 24])
    assert found["session"]
    assert not found["controlling terminal"]
    assert found["stdin"] == os.devnull
    assert found["cwd"] == os.getcwd()


def test_the_terminal_can_be_named_and_have_another_size() -> None:
    """The variables that say how large ours is do not reach the child."""
    env = environment(TERM="xterm", COLUMNS="500", LINES="300")
    found, _ = report(child("reports_environment"), env=env, terminal="dumb", size=(7, 99))
    assert (found["size"], found["env"]["TERM"]) == ([99, 7], "dumb")
    assert not {"COLUMNS", "LINES"} & found["env"].keys()


def test_the_terminal_is_resized_while_the_child_runs_and_after_a_restart() -> None:
    """The child learns of it by SIGWINCH."""
    sizes: list[object] = []

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        session.resize(31, 101)
        await session.send("report")
        sizes.append((await watch.until(ev.MessageReceived)).value)
        await session.restart()
        await session.ready()
        await session.send("report")
        second = await watch.until(ev.MessageReceived, lambda event: event.run == 2)
        sizes.append(second.value)

    run_session(child("reports_resizes"), act)
    assert sizes == [{"size": [101, 31], "told": True}, {"size": [101, 31], "told": False}]


def test_pipe_directory_environment_and_the_place_of_the_name_can_be_chosen(tmp_path: Path) -> None:
    """``{channel_name}`` may stand anywhere in the command; then nothing is appended."""
    env = environment(GREETING="hello")
    found, name = report(
        child("reports_environment", "--server=channel_name:{channel_name}", "channel_name:{channel_name}"),
        cwd=str(tmp_path),
        env=env,
        pty=False,
    )
    assert found["argv"] == [f"--server=channel_name:{name}", f"channel_name:{name}"]
    assert found["env"] == {**env, "TUI_IPC_SERVER": name}
    assert found["cwd"] == str(tmp_path)
    assert not found["isatty"]
