"""The table of children that misbehave: what each of them makes of a session, event by event.

The one rule: every row is a real program, its whole story is stated, and whatever it did, the session ends in
time and nothing of it lives on. That no descriptor, file or thread stays is checked around every test.
"""

from pathlib import Path

import pytest

from tests.session.misbehaving import (
    ASKED,
    BINARY,
    CLEAN,
    DISMISSED,
    ENDED,
    GIVING_UP,
    HELLO,
    INLINE,
    LATE,
    MUST_CONNECT,
    POLITE,
    TERMINATED,
    Row,
    ask_late,
    breaks,
    end_the_daemon,
    exits,
    fails,
    flooded,
    greet,
    hear,
    leave,
    much_printed,
    never_read,
    not_heard,
    over,
    past_each_other,
    says,
    says_first,
    still_heard,
    story,
)
from tests.session.playing import LADDER, OPEN, child, lives, play, refused
from tui_ipc.session import events as ev
from tui_ipc.session import group

BOUND = 15e9
"""Nanoseconds that no row may take, far above what one does on a busy machine, far below what would hang."""

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
