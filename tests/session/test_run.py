"""What a run gives its child, how it ends with children that make that hard, and what they leave behind."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.session.playing import (
    LADDER,
    OPEN,
    Watch,
    child,
    environment,
    lives,
    only,
    play,
    printed,
    transcript,
)
from tui_ipc.session import ending, group
from tui_ipc.session import events as ev
from tui_ipc.session.process import Process
from tui_ipc.session.session import NotListening, Session


def test_a_child_that_ignores_quit_is_ended_by_sigterm() -> None:
    """Grace, then SIGTERM; what it says meanwhile is still heard."""
    events = play(child("stubborn"), grace=0.2)
    assert transcript(events) == [
        *OPEN,
        "> 'quit'",
        "< 'no quit'",
        'SIGTERM: the child had not ended 0.2 s after "quit"',
        "closed",
        "ended by SIGTERM",
        "clean",
    ]
    elapsed = only(events, ev.Audit).quit_elapsed
    assert elapsed is not None
    assert elapsed >= 0.2e9


def test_a_child_that_ignores_sigterm_as_well_is_killed() -> None:
    """Each step of the escalation is an event with its reason."""
    events = play(child("stubborn", "TERM"), grace=0.2)
    assert transcript(events)[-6:] == [
        'SIGTERM: the child had not ended 0.2 s after "quit"',
        "stdout 'not at SIGTERM either\\n'",
        "SIGKILL: the child had not ended 0.2 s after SIGTERM",
        "closed",
        "ended by SIGKILL",
        "clean",
    ]


def test_a_child_that_reads_nothing_cannot_be_told_to_quit_and_is_ended_all_the_same() -> None:
    """A send that waits for ever is broken off by the end of the run, with a sentence."""

    async def act(session: Session, watch: Watch) -> None:
        await session.ready()
        waiting = asyncio.create_task(session.send(b"x" * 10_000_000))
        await asyncio.sleep(0)
        await session.quit()
        with pytest.raises(NotListening, match="child"):
            await waiting

    assert transcript(play(child("deaf"), act, grace=0.2)) == [
        *OPEN,
        'SIGTERM: the child reads nothing: "quit" could not be sent in 0.2 s',
        "closed",
        "ended by SIGTERM",
        "clean",
    ]


def test_quit_said_by_hand_is_not_said_again() -> None:
    """A person who types ``quit`` and then leaves says it once; the child's time runs from then."""

    async def act(session: Session, watch: Watch) -> None:
        await session.ready()
        await session.send("quit")
        await session.quit()
        with pytest.raises(NotListening, match="the child exited with code 0: nobody listens"):
            await session.send("anyone?")

    events = play(child("inline_echo"), act)
    assert transcript(events)[5:] == ["> 'quit'", "closed", "exited 0", "clean"]
    assert only(events, ev.Audit).quit_elapsed is not None


def test_quitting_again_and_from_several_tasks_is_harmless() -> None:
    """Everyone returns once the run is over."""

    async def act(session: Session, watch: Watch) -> None:
        await session.ready()
        await asyncio.gather(session.quit(), session.quit())
        await session.quit()
        assert session.pid is None

    assert transcript(play(child("inline_echo"), act))[5:] == ["> 'quit'", "closed", "exited 0", "clean"]


@pytest.mark.parametrize(("name", "rung"), [("absent", ev.ChildSpawned), ("silent", ev.ChildConnected)])
def test_quitting_in_the_middle_of_the_handshake_breaks_it_off(name: str, rung: type[ev.Event]) -> None:
    """Nobody waits for the deadline then."""

    async def act(session: Session, watch: Watch) -> None:
        await watch.until(rung)
        await session.quit()

    events = play(child(name), act)
    assert only(events, ev.HandshakeFailed).sentence.startswith("the handshake was broken off before ")
    kinds = [type(event) for event in events if not isinstance(event, ev.ChildOutput)]
    assert kinds[-4:] == [ev.HandshakeFailed, ev.SignalSent, ev.ChildExited, ev.Audit]


def test_quitting_before_anything_happened_leaves_nothing() -> None:
    """Not even a child was started, or it is gone."""

    async def act(session: Session, watch: Watch) -> None:
        await session.quit()

    assert transcript(play(child("silent"), act))[-1] == "clean"


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV"])
def test_what_a_dying_child_said_and_printed_comes_before_its_end(name: str) -> None:
    """Messages, then output, then the close, then the exit."""

    async def act(session: Session, watch: Watch) -> None:
        await session.ready()
        await session.send("die")
        await watch.until(ev.Audit)

    events = play(child("dies", name), act)
    rest = transcript(events)[5:]
    assert [line for line in rest if not line.startswith("std")] == [
        "> 'die'",
        "< 0 answers 1",
        "< 1",
        "< 2",
        "closed",
        f"ended by {name}",
        "clean",
    ]
    assert (printed(events), printed(events, "stderr")) == (b"last words\n", b"and a complaint\n")
    assert rest.index("stdout 'last words\\n'") < rest.index("< 0 answers 1")


def test_a_child_that_closes_its_channel_and_lives_is_ended_by_signals() -> None:
    """There is nobody to say ``"quit"`` to; who tries to send is told so."""

    async def act(session: Session, watch: Watch) -> None:
        await watch.until(ev.ChannelClosed)
        with pytest.raises(NotListening, match="closed its channel"):
            await session.send("anyone?")

    assert transcript(play(child("closes_channel", "both"), act, grace=0.2)) == [
        *OPEN,
        "closed",
        'SIGTERM: "quit" could not be said: the child closed its channel: nobody listens',
        "ended by SIGTERM",
        "clean",
    ]


def test_a_child_that_closes_only_its_sender_still_hears_quit() -> None:
    """Half a conversation is one."""

    async def act(session: Session, watch: Watch) -> None:
        await watch.until(ev.ChannelClosed)
        await session.send("still there?")
        await watch.until_printed("heard still there?")

    assert transcript(play(child("closes_channel", "sender"), act))[5:] == [
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

    async def act(session: Session, watch: Watch) -> None:
        await watch.until_printed("I said something wrong")
        await watch.until(ev.ChannelClosed)
        with pytest.raises(NotListening, match="broke the wire, and its channel was closed: 0xc1"):
            await session.send("what?")

    broken = "0xc1 begins no msgpack value (at byte 48)"
    lines = transcript(play(child("breaks_the_wire", "garbage"), act, grace=0.1))
    assert [line for line in lines if not line.startswith("stdout")] == [
        *LADDER,
        "hello by-hand inline",
        "open",
        "< 'so far so good'",
        f"fault: {broken}",
        "closed",
        f'SIGTERM: "quit" could not be said: the child broke the wire, and its channel was closed: {broken}',
        "ended by SIGTERM",
        "clean",
    ]


def test_half_a_message_at_the_end_is_a_fault_and_counted_as_unread() -> None:
    """What was cut off is not silently lost."""
    events = play(child("breaks_the_wire", "cut off"), lambda _, watch: watch.until(ev.Audit))
    assert transcript(events)[5:] == [
        "< 'so far so good'",
        "fault: the peer is gone: it ended 10 bytes into a message",
        "closed",
        "exited 0",
        "left 0 processes, 10 bytes unread",
    ]


@pytest.mark.parametrize(("kind", "signals"), [("polite", 1), ("job", 1), ("stubborn", 2)])
def test_a_process_that_outlives_the_child_neither_holds_us_up_nor_lives_on(kind: str, signals: int) -> None:
    """It holds stdout, stderr and both channels; the child's end is told at once, then the rest is ended."""

    async def act(session: Session, watch: Watch) -> None:
        await watch.until(ev.MessageReceived)

    events = play(child("leaves", kind), act, grace=0.3)
    pid = only(events, ev.MessageReceived).value
    reason = f"the child ended and left processes behind: {pid}"
    assert transcript(events)[6:] == [
        "> 'quit'",
        "stdout 'the first one out\\n'",
        "closed",
        "exited 0",
        *[f"SIGTERM: {reason}", f"SIGKILL: {reason}"][:signals],
        "left 1 processes, 0 bytes unread",
    ]
    assert only(events, ev.Audit).processes == (pid,)
    assert not lives(pid)


def test_a_child_that_nobody_can_end_is_named_by_the_audit_and_does_not_hold_us_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may be stuck in the kernel, or run as another user; here no signal reaches it."""

    def reaches_nobody(*_: object) -> bool:
        return False

    monkeypatch.setattr(Process, "signal", reaches_nobody)
    monkeypatch.setattr(group, "send", reaches_nobody)
    monkeypatch.setattr(ending, "LAST_WAIT", 0.05)
    events = play(child("stubborn"), grace=0.05)
    pid = only(events, ev.ChildSpawned).pid
    assert only(events, ev.Audit).processes == (pid,)
    assert not [event for event in events if isinstance(event, ev.ChildExited)]
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


async def look_away_until_it_ended(session: Session, watch: Watch) -> None:
    """Block our loop until the child has ended, so that it finds everything at once: hello, output, end."""
    spawned = await watch.until(ev.ChildSpawned)
    os.waitid(os.P_PID, spawned.pid, os.WEXITED | os.WNOWAIT)
    await watch.until(ev.Audit)


def test_a_child_that_did_everything_while_we_looked_away_is_told_whole() -> None:
    """Its end does not overtake its hello, its messages or its output, however much lies in the kernel."""
    events = play(child("fills_pipe"), look_away_until_it_ended, pty=False)
    assert [line for line in transcript(events) if not line.startswith("stdout")] == [
        *OPEN,
        "< 'all done'",
        "closed",
        "exited 0",
        "clean",
    ]
    assert len(printed(events)) == 1024 * 1024


def test_an_inline_child_that_came_and_went_while_we_looked_away_had_a_good_handshake() -> None:
    """The same where the hello itself is still in the kernel."""
    events = play(child("exits", "hello", "0"), look_away_until_it_ended)
    assert [line for line in transcript(events) if not line.startswith("stderr")] == [
        *LADDER,
        "hello by-hand inline",
        "open",
        "closed",
        "exited 0",
        "clean",
    ]


async def given(session: Session, watch: Watch) -> None:
    """Have the child report what it was given."""
    await session.ready()
    await session.send("report")
    await watch.until(ev.MessageReceived)


def report(command: list[str], **options: Any) -> tuple[dict[str, Any], str]:
    """What a child reports of its surroundings, and the name of the server."""
    events = play(command, given, **options)
    return only(events, ev.MessageReceived).value, only(events, ev.ServerListening).name


def test_the_child_gets_a_terminal_a_session_and_no_keyboard() -> None:
    """stdout is a terminal of 80 × 24, but not one that could signal it."""
    told, name = report(child("reports", "one", "two"))
    assert told["argv"] == ["one", "two", f"channel_name:{name}"]
    assert told["env"] == {**environment(), "TUI_IPC_SERVER": name}
    assert (told["isatty"], told["size"]) == (True, [80, 24])
    assert told["session"]
    assert not told["controlling terminal"]
    assert told["stdin"] == os.devnull
    assert told["cwd"] == os.getcwd()


def test_pipe_directory_environment_and_the_place_of_the_name_can_be_chosen(tmp_path: Path) -> None:
    """``{channel_name}`` may stand anywhere in the command; then nothing is appended."""
    env = environment(GREETING="hello")
    told, name = report(
        child("reports", "--server=channel_name:{channel_name}", "channel_name:{channel_name}"),
        cwd=str(tmp_path),
        env=env,
        pty=False,
    )
    assert told["argv"] == [f"--server=channel_name:{name}", f"channel_name:{name}"]
    assert told["env"] == {**env, "TUI_IPC_SERVER": name}
    assert told["cwd"] == str(tmp_path)
    assert not told["isatty"]
