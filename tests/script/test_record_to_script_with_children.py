"""Real sessions, converted to scripts that pass with the same child."""

import math
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import TUI_IPC
from tests.support.sessions import Action, EventCollector, child, environment, run_session
from tui_ipc import events as ev
from tui_ipc.script.record_to_script import convert_events_to_script
from tui_ipc.session.session import BUILTIN_CHILD_COMMAND, Session


async def _message(watch: EventCollector, number: int) -> None:
    """The message with that number has come."""
    await watch.until(ev.MessageReceived, lambda event: event.number == number)


async def exchange(session: Session, watch: EventCollector, *messages: Any) -> None:
    """Send messages, each once the one before it was answered."""
    await session.ready()
    for number, message in enumerate(messages, 1):
        await session.send(message)
        await _message(watch, number)


async def echo(session: Session, watch: EventCollector) -> None:
    await exchange(session, watch, "hi", {"n": [1, math.nan, b"\x00"]}, datetime(2026, 1, 1, tzinfo=UTC))


async def restarted(session: Session, watch: EventCollector) -> None:
    await exchange(session, watch, "one")
    await session.restart()
    await session.ready()
    await session.send("two")
    await watch.until(ev.MessageReceived, lambda event: event.run == 2)


async def handles(session: Session, watch: EventCollector) -> None:
    await session.ready()
    await watch.until(ev.MessageReceived)


async def raw_bytes(session: Session, watch: EventCollector) -> None:
    await session.ready()
    await session.send_raw(b"\xa5hello\xa5again")
    await _message(watch, 2)


async def signals(session: Session, watch: EventCollector) -> None:
    await session.ready()
    for number in (1, 2):
        session.signal(signal.SIGUSR1)
        await _message(watch, number)
    session.signal(signal.SIGKILL)
    await watch.until(ev.ChildExited)


async def dying(session: Session, watch: EventCollector) -> None:
    await session.ready()
    await session.send("anything")
    await watch.until(ev.ChildExited)


async def stopped(session: Session, watch: EventCollector) -> None:
    await session.ready()
    session.signal(signal.SIGSTOP)
    await watch.until(ev.ChildStopped)
    session.signal(signal.SIGCONT)
    await exchange(session, watch, "awake")


async def unasked(session: Session, watch: EventCollector) -> None:
    await session.ready()
    await watch.until(ev.MessageReceived)
    await watch.until(ev.ChildExited)


async def broken(session: Session, watch: EventCollector) -> None:
    await session.ready()
    await watch.until(ev.Fault)


async def closed(session: Session, watch: EventCollector) -> None:
    await session.ready()
    await watch.until(ev.ChannelClosed)
    await session.send("anybody there?")


async def last_word(session: Session, watch: EventCollector) -> None:
    await session.ready()
    await watch.until(ev.ChildStopped)
    session.signal(signal.SIGCONT)
    await watch.until(ev.ChildContinued)


CHILDREN: dict[str, tuple[list[str] | None, Action, list[str]]] = {
    "built-in": (None, echo, ["? exit 0", "? clean"]),
    "inline": (child("inline_echo"), lambda *both: exchange(*both, "a", "b"), ['< "inline: b"']),
    "restarted": (None, restarted, ["restart", '> "two"']),
    "handles": (child("sends_handles"), handles, ["..."]),
    "raw bytes": (None, raw_bytes, [">raw"]),
    "signals": (child("sends_on_signal"), signals, ["signal SIGUSR1", "? signal SIGKILL"]),
    "killed by itself": (child("dies", "SIGTERM"), dying, ["< 2", "? signal SIGTERM"]),
    "exit code": (child("exits", "message", "3"), unasked, ['< "first and last"', "? exit 3"]),
    "stopped": (None, stopped, ["signal SIGSTOP", "signal SIGCONT"]),
    "a last word": (child("stops_itself", "after"), last_word, ['quit\n< "on my feet again"\n', "? exit 0"]),
    "broken wire": (child("breaks_the_wire", "garbage"), broken, ["# The child broke"]),
    "half a message": (child("breaks_the_wire", "half"), unasked, ["# The child broke", "? exit 0"]),
    "closed channel": (child("closes_channel", "sender"), closed, ["quit", "? exit 0"]),
    "more stubborn": (
        child("ignores_quit", "TERM"),
        lambda *both: exchange(*both, "a"),
        ["? signal SIGKILL"],
    ),
    "stubborn": (child("ignores_quit"), lambda *both: exchange(*both, "a"), ["? signal SIGTERM"]),
    "says its environment": (
        child("reports_environment"),
        lambda *both: exchange(*both, "?"),
        ['"argv": [{{_}}]'],
    ),
}


@pytest.mark.parametrize("name", CHILDREN)
def test_the_script_of_a_real_session_passes_at_once(name: str, tmp_path: Path) -> None:
    """Against the same child, from its own command or the one after ``--``."""
    command, act, lines = CHILDREN[name]
    events = run_session(command, act, grace=0.5, terminal="dumb")  # as scripts have it
    text = convert_events_to_script(events, BUILTIN_CHILD_COMMAND if command is None else command)
    for line in lines:
        assert line in text, text
    file = tmp_path / "talk.tipc"
    file.write_text(text)
    done = subprocess.run(
        [*TUI_IPC, "--script", str(file)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{text}\n{done.stderr}"
