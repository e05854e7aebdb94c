"""What a row of the table of misbehaving children consists of: the child, what is done with it, what is told.

The one rule: a story holds every event and nothing that differs from run to run.
"""

import asyncio
import itertools
import os
import re
import signal
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.session.playing import LADDER, Act, Watch, child, lives, printed, refused, transcript
from tui_ipc.session import events as ev
from tui_ipc.session.session import NotListening, Session

INLINE = [*LADDER, "hello by-hand inline", "open"]
HELLO = b"\x83\xa7tui-ipc\x01\xa3pid\x07\xa4name\xa7by-hand"
ASKED, ENDED, CLEAN = "> 'quit'", ["closed", "exited 0"], "clean"
POLITE = [ASKED, *ENDED, CLEAN]
TERMINATED = ["closed", "ended by SIGTERM", CLEAN]
DISMISSED = ["SIGTERM: the handshake failed", "ended by SIGTERM", CLEAN]
LATE = 'SIGTERM: the child had not ended 0.1 s after "quit"'

BINARY = bytes(range(256)) + b"\r\n\n\x04\x03\x1a"

NOTHING = "it printed nothing on stderr"
GIVING_UP = 'it printed on stderr: "giving up"'
MUST_CONNECT = (
    "A child must connect to the one-shot server that is named in its last argument (channel_name:…) "
    "and in TUI_IPC_SERVER."
)
MUST_GREET = "The first message of a child must be its hello; PROTOCOL.md shows one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A child, what is done with it, and what is told of it.

    Attributes:
        command: The child.
        story: Every event but output, in order, each as :func:`story` tells it; then what it printed.
        act: What the session is asked to do before it is left.
        options: Of the session.
    """

    command: list[str]
    story: list[str]
    act: Act
    options: dict[str, Any] = field(default_factory=dict)


def story(events: list[ev.Event]) -> list[str]:
    """The transcript, with the sentences of a failed handshake, without what differs from run to run.

    What was printed comes last, all of a stream in one line: two streams are not ordered against each other.
    """
    failures = (event.sentence for event in events if isinstance(event, ev.HandshakeFailed))
    lines = transcript([event for event in events if not isinstance(event, ev.ChildOutput)])
    lines = [f"{line}: {next(failures)}" if line.startswith("failed") else line for line in lines]
    for stream in ("stdout", "stderr"):
        output = printed(events, stream)
        shown = f"{output[:8]!r} … {output[-8:]!r}" if len(output) > 2000 else repr(output)
        lines += [f"{stream} {shown}"] if output else []
    pids = [str(event.pid) for event in events if isinstance(event, ev.ChildSpawned)]
    pids += [str(pid) for event in events if isinstance(event, ev.Audit) for pid in event.processes]
    return [_plain(line, pids) for line, _ in itertools.groupby(lines)]


def _plain(line: str, pids: list[str]) -> str:
    """A line without process ids and measured seconds, a long one cut to its ends."""
    line = re.sub(rf"\b({'|'.join(pids)})\b", "PID", line) if pids else line
    line = re.sub(r"said nothing for \d+\.\d s", "said nothing for some time", line)
    line = re.sub(r"descriptor \d+ came", "descriptor N came", line)
    line = re.sub(r"^< '\d+'$", "< 'a pid'", line)
    return f"{line[:20]}…{line[-20:]}" if len(line) > 2000 else line


async def leave(session: Session, _: Watch) -> None:
    """Be ready, and leave."""
    await session.ready()


async def over(_: Session, watch: Watch) -> None:
    """Wait until the run has ended of its own accord."""
    await watch.until(ev.Audit)


async def hear(_: Session, watch: Watch) -> None:
    """Wait for a message, and leave."""
    await watch.until(ev.MessageReceived)


async def faulty(_: Session, watch: Watch) -> None:
    """Wait for the fault, and leave."""
    await watch.until(ev.Fault)


async def greet(session: Session, watch: Watch) -> None:
    """Say ``hi``, and leave with the answer."""
    await session.ready()
    await session.send("hi")
    await watch.until(ev.MessageReceived, lambda event: event.answers is not None)


def fails(
    step: str, happened: str, cure: str = MUST_GREET, *, words: str = NOTHING, late: bool = False
) -> str:
    """A failed handshake, as :func:`story` tells it."""
    return f"failed to reach {step!r}{' in time' if late else ''}: {happened}; {words}. {cure}"


def exits(rung: str, how: str, *lines: str) -> Row:
    """A child that ends on a rung of the handshake."""
    end = f"ended by {how}" if how.startswith("SIG") else f"exited {how}"
    told = [*lines, end, CLEAN, "stderr b'giving up\\n'"]
    open_ = rung in ("hello", "message")
    return Row(command=child("exits", rung, how), story=told, act=over if open_ else refused)


def says_first(data: bytes, problem: str) -> Row:
    """A child whose first message is no hello."""
    told = [*LADDER, fails("hello", f"the child connected, but {problem}"), *DISMISSED]
    return Row(command=child("says", data.hex()), story=told, act=refused)


def breaks(command: list[str], sentence: str) -> Row:
    """A child that breaks the wire after its hello."""
    refusal = '"quit" could not be said: the child broke the wire, and its channel was closed'
    told = [*INLINE, f"fault: {sentence}", "closed", f"SIGTERM: {refusal}: {sentence}", *TERMINATED[1:]]
    return Row(command=command, story=told, act=faulty, options={"grace": 0.1})


def says(data: bytes, sentence: str) -> Row:
    """A child that says hello, and then something that is no message."""
    return breaks(child("says", (HELLO + data).hex()), sentence)


async def past_each_other(session: Session, watch: Watch) -> None:
    """Send 8 MiB to a child that sends as much itself before it reads."""
    await session.ready()
    await session.send(b"p" * (8 * 1024 * 1024))
    first = await watch.until(ev.MessageReceived)
    assert first.value == b"c" * (8 * 1024 * 1024)
    await watch.until(ev.MessageReceived, lambda event: event.number == 2)


async def ask_late(session: Session, watch: Watch) -> None:
    """Ask what was answered before."""
    await watch.until(ev.MessageReceived)
    await session.send("hi")
    await watch.until_printed("already")


async def not_heard(session: Session, watch: Watch) -> None:
    """Send to a child that has closed the way to it."""
    await watch.until(ev.MessageReceived)
    with pytest.raises(NotListening, match="the child closed its channel: nobody listens"):
        await session.send("hi")


async def still_heard(session: Session, watch: Watch) -> None:
    """Send to a child that has closed the way from it."""
    await watch.until(ev.ChannelClosed)
    await session.send("hi")
    await watch.until_printed("heard hi")


async def never_read(session: Session, watch: Watch) -> None:
    """Send more than the kernel keeps to a child that reads nothing; leaving breaks that off."""
    await session.ready()
    sending = asyncio.create_task(session.send(b"x" * 10_000_000))
    await asyncio.sleep(0)
    await session.quit()
    with pytest.raises(NotListening):
        await sending


async def flooded(_: Session, watch: Watch) -> None:
    """Take some of a flood, and leave."""
    await watch.until(ev.Event, lambda event: isinstance(event, ev.ChildOutput | ev.MessageReceived))


async def much_printed(session: Session, watch: Watch) -> None:
    """Have 10 MB printed without a newline."""
    await session.ready()
    await session.send("go")
    await watch.until(ev.MessageReceived)
    assert b"0123456789" * 1_000_000 in printed(watch.events)


async def end_the_daemon(session: Session, watch: Watch) -> None:
    """Leave; then end the daemon, which still lives: it is not ours, but this test's."""
    pid = int((await watch.until(ev.MessageReceived)).value)
    await session.quit()
    assert lives(pid)
    os.kill(pid, signal.SIGKILL)
