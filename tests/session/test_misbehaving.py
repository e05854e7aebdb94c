"""The table of children that misbehave: what each of them makes of a session, event by event.

The one rule: every row is a real program, its whole story is stated, and whatever it did, the session ends in
time and nothing of it lives on. That no descriptor, file or thread stays is checked around every test.
"""

import asyncio
import itertools
import os
import re
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.session.playing import LADDER, OPEN, Act, Watch, child, lives, play, printed, refused, transcript
from tui_ipc.session import events as ev
from tui_ipc.session import group
from tui_ipc.session.session import NotListening, Session

BOUND = 15e9
"""Nanoseconds that no row may take, far above what one does on a busy machine, far below what would hang."""

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


EXITS = {
    "exits before connecting": exits(
        "spawned",
        "3",
        "listening",
        "spawned",
        fails("connected", "the child exited with code 3 before it connected", MUST_CONNECT, words=GIVING_UP),
    ),
    "is killed before connecting": exits(
        "spawned",
        "SIGKILL",
        "listening",
        "spawned",
        fails(
            "connected", "the child was ended by SIGKILL before it connected", MUST_CONNECT, words=GIVING_UP
        ),
    ),
    "exits after connecting": exits(
        "connected",
        "0",
        *LADDER,
        fails("hello", "the child connected and exited with code 0 before its hello", words=GIVING_UP),
    ),
    "dies after connecting": exits(
        "connected",
        "SIGTERM",
        *LADDER,
        fails("hello", "the child connected and was ended by SIGTERM before its hello", words=GIVING_UP),
    ),
    "exits in the middle of its hello": exits(
        "half a hello",
        "1",
        *LADDER,
        fails(
            "hello",
            "the child connected and exited with code 1 before its hello, 9 bytes into its first message",
            words=GIVING_UP,
        ),
    ),
    "dies in the middle of its hello": exits(
        "half a hello",
        "SIGKILL",
        *LADDER,
        fails(
            "hello",
            "the child connected and was ended by SIGKILL before its hello, 9 bytes into its first message",
            words=GIVING_UP,
        ),
    ),
    "exits right after its hello": exits("hello", "0", *INLINE, "closed"),
    "dies right after its hello": exits("hello", "SIGKILL", *INLINE, "closed"),
    "exits after its first message": exits("message", "5", *INLINE, "< 'first and last'", "closed"),
    "dies after its first message": exits("message", "SIGUSR1", *INLINE, "< 'first and last'", "closed"),
    "hangs up and stays": Row(
        command=child("hangs_up"),
        story=[
            *LADDER,
            fails("hello", "the child connected and closed the connection before its hello"),
            *DISMISSED,
        ],
        act=refused,
    ),
    "forks and exits before the other has connected": Row(
        command=child("double_forks", "before"),
        story=[
            "listening",
            "spawned",
            fails("connected", "the child exited with code 0 before it connected", MUST_CONNECT),
            "exited 0",
            "SIGTERM: the child ended and left processes behind: PID",
            "left 1 processes, 0 bytes unread",
        ],
        act=refused,
    ),
    "forks and exits after the other has said hello": Row(
        command=child("double_forks", "after"),
        story=[
            *INLINE,
            "closed",
            "exited 0",
            "SIGTERM: the child ended and left processes behind: PID",
            "left 1 processes, 0 bytes unread",
        ],
        act=over,
    ),
}

SILENT = {
    "never connects": Row(
        command=child("absent"),
        story=[
            "listening",
            "spawned",
            fails(
                "connected",
                "the child did not connect within 0.5 s, and still runs",
                MUST_CONNECT,
                words='it printed on stdout: "I have my own plans"',
                late=True,
            ),
            *DISMISSED,
            "stdout b'I have my own plans\\n'",
        ],
        act=refused,
        options={"timeout": 0.5},
    ),
    "connects and says nothing": Row(
        command=child("silent"),
        story=[
            *LADDER,
            fails("hello", "the child connected and said nothing for some time", late=True),
            *DISMISSED,
        ],
        act=refused,
        options={"timeout": 0.8},
    ),
    "says half a hello and no more": Row(
        command=child("says", HELLO[:9].hex()),
        story=[
            *LADDER,
            fails("hello", "the child connected and said nothing for some time", late=True),
            *DISMISSED,
        ],
        act=refused,
        options={"timeout": 0.8},
    ),
    "says half a message and no more": Row(
        command=child("says", (HELLO + b"\xa9half").hex()),
        story=[
            *INLINE,
            ASKED,
            LATE,
            "fault: the peer is gone: it ended 5 bytes into a message",
            "closed",
            "ended by SIGTERM",
            "left 0 processes, 5 bytes unread",
        ],
        act=leave,
        options={"grace": 0.1},
    ),
    "says half a message and exits": Row(
        command=child("breaks_the_wire", "cut off"),
        story=[
            *INLINE,
            "< 'so far so good'",
            "fault: the peer is gone: it ended 10 bytes into a message",
            *ENDED,
            "left 0 processes, 10 bytes unread",
        ],
        act=over,
    ),
}

NO_HELLO = {
    "speaks another protocol": says_first(
        b"GET / HTTP/1.1\r\n\r\n", "its first message, of 1 byte, is not a map: 71"
    ),
    "begins with 0xc1": says_first(b"\xc1", "0xc1 begins no msgpack value (at byte 0)"),
    "is of version 2": says_first(
        b"\x83\xa7tui-ipc\x02\xa3pid\x07\xa4name\xa1x",
        "its first message, of 22 bytes, is a hello of version 2, and this session speaks version 1: "
        '{"tui-ipc": 2, "pid": 7, "name": "x"}',
    ),
    "states no pid": says_first(
        b"\x82\xa7tui-ipc\x01\xa4name\xa1x",
        'its first message, of 17 bytes, has no process id under \'pid\': {"tui-ipc": 1, "name": "x"}',
    ),
    "claims a first message of 4 GiB": says_first(
        b"\xc6\xff\xff\xff\xff",
        "message of 4 294 967 300 bytes exceeds the limit of 67 108 864; raise it with max_message_size",
    ),
}

FAULTS = {
    "says 0xc1": says(b"\xc1", "0xc1 begins no msgpack value (at byte 28)"),
    "claims bytes of 4 GiB": says(
        b"\xc6\xff\xff\xff\xff",
        "message of 4 294 967 300 bytes exceeds the limit of 67 108 864; raise it with max_message_size",
    ),
    "claims a list of 2^31 items": Row(
        command=child("says", (HELLO + b"\xdd\x80\0\0\0").hex()),
        story=[
            *INLINE,
            ASKED,
            LATE,
            "fault: the peer is gone: it ended 5 bytes into a message",
            "closed",
            "ended by SIGTERM",
            "left 0 processes, 5 bytes unread",
        ],
        act=leave,
        options={"grace": 0.1},
    ),
    "says an unknown ext type": says(b"\xd4\x63\0", "unknown ext type 99 (at byte 28)"),
    "nests too deeply": says(b"\x91" * 2000, "a value is nested deeper than 1024 (at byte 1052)"),
    "says text that is not UTF-8": says(
        b"\xa2\xff\xfe", "a str is not UTF-8: invalid start byte (at byte 28)"
    ),
    "has a map as a key": says(b"\x81\x80\x01", "a map is the key of a map (at byte 28)"),
    "claims a handle without a descriptor": says(
        b"\xd4\x01\0", "a handle names descriptor 0, but 0 came with its message (at byte 28)"
    ),
    "claims more handles than came": breaks(
        child("attaches", "1", "d40101"),
        "a handle names descriptor 1, but 1 came with its message (at byte 32)",
    ),
    "passes a file as a channel": breaks(
        child("attaches", "1", "d40100"),
        "descriptor N came as an endpoint and is no socket (at byte 32)",
    ),
    "sends 254 descriptors": breaks(
        child("attaches", "254", "9301"),
        "254 descriptors came before one value was whole; 253 are allowed (at byte 32)",
    ),
}

HALVES = {
    "closes its sender": Row(
        command=child("closes_channel", "sender"),
        story=[*OPEN, "closed", "> 'hi'", ASKED, "exited 0", CLEAN, "stdout b'heard hi\\nheard quit\\n'"],
        act=still_heard,
    ),
    "closes its receiver": Row(
        command=child("closes_channel", "receiver"),
        story=[
            *OPEN,
            "< 'I do not listen'",
            'SIGTERM: "quit" could not be said: the child closed its channel: nobody listens',
            *TERMINATED,
        ],
        act=not_heard,
        options={"grace": 0.1},
    ),
    "shuts its writing direction down": Row(
        command=child("shuts_down", "writing"),
        story=[*INLINE, "closed", "> 'hi'", ASKED, "exited 0", CLEAN, "stdout b'heard hi\\n'"],
        act=still_heard,
    ),
    "shuts its reading direction down": Row(
        command=child("shuts_down", "reading"),
        story=[
            *INLINE,
            "< 'I do not listen'",
            'SIGTERM: "quit" could not be said: the child closed its channel: nobody listens',
            *TERMINATED,
        ],
        act=not_heard,
        options={"grace": 0.1},
    ),
    "never reads": Row(
        command=child("deaf"),
        story=[*OPEN, 'SIGTERM: the child reads nothing: "quit" could not be sent in 0.1 s', *TERMINATED],
        act=never_read,
        options={"grace": 0.1},
    ),
}

STUBBORN = {
    "ignores quit": Row(
        command=child("stubborn"),
        story=[*OPEN, ASKED, "< 'no quit'", LATE, *TERMINATED],
        act=leave,
        options={"grace": 0.1},
    ),
    "ignores quit and SIGTERM": Row(
        command=child("stubborn", "TERM"),
        story=[
            *OPEN,
            ASKED,
            "< 'no quit'",
            LATE,
            "SIGKILL: the child had not ended 0.1 s after SIGTERM",
            "closed",
            "ended by SIGKILL",
            CLEAN,
            "stdout b'not at SIGTERM either\\n'",
        ],
        act=leave,
        options={"grace": 0.1},
    ),
    "leaves a process that holds its output": Row(
        command=child("leaves", "polite"),
        story=[
            *OPEN,
            "< PID",
            *POLITE[:-1],
            "SIGTERM: the child ended and left processes behind: PID",
            "left 1 processes, 0 bytes unread",
            "stdout b'the first one out\\n'",
        ],
        act=hear,
    ),
    "leaves a job that ignores SIGTERM": Row(
        command=child("leaves", "stubborn"),
        story=[
            *OPEN,
            "< PID",
            *POLITE[:-1],
            "SIGTERM: the child ended and left processes behind: PID",
            "SIGKILL: the child ended and left processes behind: PID",
            "left 1 processes, 0 bytes unread",
            "stdout b'the first one out\\n'",
        ],
        act=hear,
        options={"grace": 0.5},
    ),
    "starts a daemon": Row(
        command=child("leaves_daemon"), story=[*INLINE, "< 'a pid'", *POLITE], act=end_the_daemon
    ),
}

PRINTING = {
    "floods stdout": Row(
        command=child("floods", "output"),
        story=[*OPEN, ASKED, LATE, *TERMINATED, "stdout b'xxxxxxxx' … b'xxxxxxxx'"],
        act=flooded,
        options={"grace": 0.1},
    ),
    "floods stderr": Row(
        command=child("floods", "errors"),
        story=[*OPEN, ASKED, LATE, *TERMINATED, "stderr b'xxxxxxxx' … b'xxxxxxxx'"],
        act=flooded,
        options={"grace": 0.1},
    ),
    "floods messages": Row(
        command=child("floods", "messages"),
        story=[*OPEN, *[(flood := f"< b'{'x' * 16}…{'x' * 19}'"), ASKED, flood, LATE, flood], *TERMINATED],
        act=flooded,
        options={"grace": 0.1},
    ),
    "prints binary": Row(
        command=child("prints_bytes"),
        story=[*OPEN, *ENDED, CLEAN, f"stdout {BINARY!r}"],
        act=over,
    ),
    "prints 10 MB without a newline": Row(
        command=child("prints_much"),
        story=[
            *LADDER,
            "hello prints_much.py",
            "open",
            "> 'go'",
            "< 'done' answers 1",
            *POLITE,
            "stdout b'01234567' … b'xiting.\\n'",
        ],
        act=much_printed,
    ),
    "closes stdout and stderr": Row(
        command=child("closes_output"),
        story=[*INLINE, "> 'hi'", "< 'silently: hi' answers 1", *POLITE],
        act=greet,
    ),
}

ODD = {
    "says everything byte by byte": Row(
        command=child("dawdles"),
        story=[*INLINE, "> 'hi'", "< 'slowly: hi' answers 1", *POLITE],
        act=greet,
    ),
    "answers before it is asked": Row(
        command=child("answers_first"),
        story=[
            *INLINE,
            "< 'forty-two'",
            "> 'hi'",
            *POLITE,
            "stdout b'I answered hi already\\n'",
        ],
        act=ask_late,
    ),
    "sends 8 MiB before it reads 8 MiB": Row(
        command=child("talks_past"),
        story=[
            *OPEN,
            f"< b'{'c' * 16}…{'c' * 19}'",
            f"> b'{'p' * 16}…{'p' * 19}'",
            "< 8388608 answers 1",
            *POLITE,
        ],
        act=past_each_other,
    ),
    "connects twice": Row(
        command=child("connects_twice"),
        story=[*INLINE, "> 'hi'", "< 'still here: hi' answers 1", *POLITE, "stdout b'turned away\\n'"],
        act=greet,
    ),
    "removes the socket that it connected to": Row(
        command=child("removes", "socket"),
        story=[*INLINE, "> 'hi'", "< 'without it: hi' answers 1", *POLITE],
        act=greet,
    ),
    "removes the directory that it was started in": Row(
        command=child("removes", "directory"),
        story=[*INLINE, "> 'hi'", "< 'without it: hi' answers 1", *POLITE],
        act=greet,
    ),
}

PARTS = (EXITS, SILENT, NO_HELLO, FAULTS, HALVES, STUBBORN, PRINTING, ODD)
TABLE = {name: row for part in PARTS for name, row in part.items()}


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_a_child_that_misbehaves(row: Row, tmp_path: Path) -> None:
    """Its whole story is told, in time, and nothing of it lives on."""
    place = tmp_path / "of the child"
    place.mkdir()
    events = play(row.command, row.act, cwd=str(place), **row.options)
    assert story(events) == row.story
    assert events[-1].at < BOUND
    assert isinstance(events[-1], ev.Audit)
    assert not events[-1].files
    assert not any(map(lives, events[-1].processes))
    for event in events:
        if isinstance(event, ev.ChildSpawned):
            assert not lives(event.pid)
            assert not group.members(event.pid)


def test_the_table_has_the_children_that_were_promised() -> None:
    """At least 25; a name used twice would hide a row."""
    assert len(TABLE) == sum(map(len, PARTS)) >= 25
