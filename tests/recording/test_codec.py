"""Events to bytes and back: every kind, every value, every broken file."""

import errno
import os
import re
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.event_strategies import EVENTS_BY_KIND, any_event
from tests.support.message_strategies import same
from tests.support.recordings import encode_recording
from tui_ipc import SharedMemory, channel
from tui_ipc import events as ev
from tui_ipc.events.message_values import close_handles
from tui_ipc.ipc.wire import encode
from tui_ipc.recording import codec, reader
from tui_ipc.recording.codec import RecordingError, encode_event, encode_event_parts, encode_header
from tui_ipc.recording.reader import USUAL_MAX_EVENT_SIZE, open_recording

BEGAN = datetime(2026, 5, 25, 15, 24, 48, tzinfo=UTC)
HEADER = encode_header(("./child",), BEGAN)
DOCUMENT = files("tui_ipc").joinpath("docs/RECORDING.md").read_text(encoding="utf-8")


def stored(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> str:
    """A file with that content; the same one each time, because hypothesis asks often."""
    path = tmp_path_factory.getbasetemp() / "some.rec"
    path.write_bytes(data)
    return str(path)


def outcome(path: str) -> tuple[list[ev.AnyEvent], str | None]:
    """The events that a recording gives, and the error that ends it, if any."""
    found: list[ev.AnyEvent] = []
    try:
        found.extend(open_recording(path).events())
    except RecordingError as error:
        return found, str(error)
    return found, None


@contextmanager
def tracing() -> Iterator[Callable[[], int]]:
    """Give a function that returns the most bytes that Python held at once since then."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "session.rec")


@given(st.lists(any_event, max_size=5))
def test_what_is_read_is_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, written: list[ev.AnyEvent]
) -> None:
    written = [replace(event, run=run) for run, event in enumerate(written, 1)]
    recorded = open_recording(stored(tmp_path_factory, HEADER + b"".join(map(encode_event, written))))
    assert same(list(recorded.events()), written)
    assert (recorded.command, recorded.began, recorded.truncated) == (("./child",), BEGAN, 0)


@pytest.mark.parametrize("kind", EVENTS_BY_KIND, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_kind_comes_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, kind: type[ev.AnyEvent]
) -> None:
    event = data.draw(EVENTS_BY_KIND[kind])
    (found,) = open_recording(stored(tmp_path_factory, HEADER + encode_event(event))).events()
    assert same(found, event)


def test_a_sent_tuple_comes_back_as_the_list_that_it_was_on_the_wire(path: str) -> None:
    value = {"point": (1, 2)}
    event = ev.MessageSent(at=0, run=1, number=1, value=value, raw=encode(value))
    Path(path).write_bytes(HEADER + encode_event(event))
    (found,) = open_recording(path).events()
    assert isinstance(found, ev.MessageSent)
    assert found.value == {"point": [1, 2]}


@pytest.mark.parametrize("raw", [b"\xa2ok", b"\xc1", b"\x92\x01"], ids=["a message", "none", "half of one"])
def test_bytes_that_were_sent_as_they_are_are_their_own_value(path: str, raw: bytes) -> None:
    event = ev.MessageSent(at=0, run=1, number=1, value=raw, raw=raw)
    Path(path).write_bytes(HEADER + encode_event(event))
    assert list(open_recording(path).events()) == [event]


def test_handles_are_shown_as_the_session_showed_them(path: str) -> None:
    """Wherever they are in the value; no descriptor of this process is touched."""
    over, out = channel()
    sender, receiver = channel()
    with SharedMemory(b"data") as memory:
        over.send({"a": [sender, {"b": (receiver, sender)}], "m": memory, sender: 1, (1, (receiver, 2)): 2})
    over.send(sender)
    over.close()
    sender.close()
    receiver.close()
    written: list[ev.AnyEvent] = []
    with out:
        for number in (1, 2):
            message = out.recv_message(1.0)
            value = close_handles(message.value)
            written.append(ev.MessageReceived(at=0, run=1, number=number, value=value, raw=message.raw))
    before = os.listdir("/proc/self/fd")
    Path(path).write_bytes(HEADER + b"".join(map(encode_event, written)))
    assert list(open_recording(path).events()) == written
    assert "<a list with 1 handles>" in repr(written)
    assert os.listdir("/proc/self/fd") == before


def test_long_content_is_not_copied() -> None:
    data = bytes(100_000)
    head, content, tail = encode_event_parts(ev.ChildOutput(at=0, run=1, stream="stdout", data=data))
    assert content is data
    assert (len(head) < 20, tail) == (True, b"")


def test_the_header_begins_with_the_bytes_of_every_recording() -> None:
    assert HEADER.startswith(codec.MAGIC + bytes((codec.VERSION,)))


@pytest.mark.parametrize("name", ["d\udcff", "\ud800\udc00", "plain"])
def test_text_that_is_not_utf8_comes_back(path: str, name: str) -> None:
    """A command with stray bytes is a command."""
    Path(path).write_bytes(
        encode_header((name, "ä"), BEGAN)
        + encode_event(ev.ChildSpawned(at=0, run=1, pid=1, command=("ä", name)))
    )
    recorded = open_recording(path)
    assert recorded.command == (name, "ä")
    assert list(recorded.events()) == [ev.ChildSpawned(at=0, run=1, pid=1, command=("ä", name))]


# ------------------------------------------------------------------------------------------- broken files

REMEDY = "; all events before it are complete"
OPEN = ev.ChannelsOpen(at=5, run=1)
SAID = ev.ChildOutput(at=6, run=1, stream="stdout", data=b"hello")


@pytest.mark.parametrize("kept", range(1, len(encode_event(SAID))))
def test_a_truncated_last_event_costs_only_itself(path: str, kept: int) -> None:
    Path(path).write_bytes(HEADER + encode_event(OPEN) + encode_event(SAID)[:kept])
    recorded = open_recording(path)
    assert list(recorded.events()) == [OPEN]
    assert recorded.truncated == kept


def test_what_a_newer_program_adds_is_skipped_and_counted(path: str) -> None:
    """Kinds that are not known, and fields after those that are; the sentence says which kinds."""
    sent = ev.MessageSent(at=7, run=1, number=1, value="x", raw=b"\xa1x", origin="filter", channel=1)
    known = encode_event(sent)
    longer = bytes((known[0] + 4,)) + known[1:] + encode("later") + encode({"more": [1]}) + encode(None) * 2
    again = encode([61, 9]) + encode([60, 10, 1, "x"])
    Path(path).write_bytes(HEADER + encode([60]) + longer + encode_event(OPEN) + again + codec.encode_end())
    recorded = open_recording(path)
    assert list(recorded.events()) == [sent, OPEN]
    assert recorded.skipped == {60: 2, 61: 1}
    assert recorded.is_complete
    program = recorded.program
    assert recorded.problems() == [
        (
            f"{path}: 3 events skipped, of kinds that this tui-ipc does not know (2 of kind 60, 1 of kind 61)"
            f"; to see everything, install what recorded it ({program}), or a newer one"
        )
    ]


def test_what_a_run_has_once_is_refused_the_second_time(path: str) -> None:
    """Of another run, it is not the second."""
    hello = ev.HelloReceived(at=1, run=1, name="x", pid=1, inline=True, raw=b"")
    other = replace(hello, run=2)
    first = HEADER + encode_event(hello) + encode_event(other)
    Path(path).write_bytes(first + encode_event(hello))
    error = f"{path} is broken: the event at byte {len(first)} is a second HelloReceived of run 1{REMEDY}"
    assert outcome(path) == ([hello, other], error)


def test_fields_at_the_end_may_be_absent_where_they_have_a_default(path: str) -> None:
    Path(path).write_bytes(HEADER + encode([16, 1, 1, "why"]) + encode([17, 2, 1, [], [], 0, None]))
    assert list(open_recording(path).events()) == [
        ev.Fault(at=1, run=1, sentence="why", byte=None),
        ev.Audit(at=2, run=1, processes=(), files=(), unread=0, quit_elapsed=None, held=()),
    ]


def test_a_default_at_the_end_is_not_written() -> None:
    assert encode_event(ev.Fault(at=1, run=1, sentence="why")) == encode([16, 1, 1, "why"])


def test_a_program_of_a_later_version_reads_what_it_writes(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec, "VERSION", codec.VERSION + 1)
    Path(path).write_bytes(encode_recording(OPEN))
    assert list(open_recording(path).events()) == [OPEN]


def test_the_wall_clock_holds_for_the_events_that_follow(path: str) -> None:
    later = BEGAN + timedelta(hours=1)
    Path(path).write_bytes(
        HEADER
        + codec.encode_clock(codec.Clock(5, BEGAN))
        + encode_event(OPEN)
        + codec.encode_clock(codec.Clock(6, later))
        + encode_event(SAID)
    )
    recorded = open_recording(path)
    times = [recorded.time_of(event.at + 2_000_000_000) for event in recorded.events()]
    assert times == [BEGAN + timedelta(seconds=2), later + timedelta(seconds=2)]


@pytest.mark.parametrize("data", [b"\xc1", encode([5, "x", 1])], ids=["bytes", "a field"])
def test_errors_after_a_start_in_the_middle_name_the_byte_of_the_file(path: str, data: bytes) -> None:
    before = HEADER + encode_event(OPEN)
    Path(path).write_bytes(before + encode_event(SAID) + data)
    with pytest.raises(RecordingError, match=f"at byte {len(before + encode_event(SAID))}"):
        list(open_recording(path).events(len(before)))


def test_a_recording_may_have_no_events(path: str) -> None:
    Path(path).write_bytes(HEADER)
    assert list(open_recording(path).events()) == []


def broken(*fields: Any) -> bytes:
    """The bytes of an array that is not an event."""
    return encode(list(fields))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xc1", "0xc1 is not the first byte of a msgpack value (at byte {at})"),
        (encode(5), "what begins at byte {at} is not an event"),
        (broken(), "what begins at byte {at} is not an event"),
        (broken(-1, 1, 1), "what begins at byte {at} is not an event"),
        (broken(0, 1), "what begins at byte {at} is not an event"),
        (broken(0, -1, BEGAN), "what begins at byte {at} is not an event"),
        (broken([], 1, 1), "what begins at byte {at} is not an event"),
        (broken(True, 1, 1, "x"), "what begins at byte {at} is not an event"),
        (broken(5, 1), "the event at byte {at} is a ChannelsOpen whose 'run' is absent"),
        (broken(7, 1, 1, 1, False), "the event at byte {at} is a MessageSent whose 'raw' is absent"),
        (
            broken(5, "x", 1),
            "the event at byte {at} is a ChannelsOpen whose 'at' is of type str instead of int",
        ),
        (
            broken(5, 1, 0),
            "the event at byte {at} is a ChannelsOpen whose 'run' is 0, below 1",
        ),
        (broken(2, 1, 1, 7, []), "the event at byte {at} is a ChildSpawned whose 'command' is empty"),
        (broken(2, 1, 1, 7, ["", "x"]), "the event at byte {at} is a ChildSpawned whose 'command' is empty"),
        (
            broken(14, 1, 1, 0, None, float("nan"), 0.5, 1),
            (
                "the event at byte {at} is a ChildExited whose 'user_seconds' is nan, "
                "not a number from 0 to 1000000000000"
            ),
        ),
        (
            broken(14, 1, 1, 0, 9, 0.5, 0.5, 1),
            (
                "the event at byte {at} is a ChildExited whose 'code' and 'signal' are both there, "
                "and a child ends in one way"
            ),
        ),
        (
            broken(12, 1, 1, True),
            "the event at byte {at} is a ChildStopped whose 'signal' is of type bool instead of int",
        ),
        (
            broken(9, 1, 1, 3, b""),
            "the event at byte {at} is a ChildOutput whose 'stream' is 3, which is unknown",
        ),
        (
            broken(15, 1, 1, "{lunch}", "", True),
            "the event at byte {at} is a HandshakeFailed whose 'step' is '{{lunch}}', which is unknown",
        ),
        (broken(1, 1, 1, b"\xff"), "the event at byte {at} is a ServerListening whose 'name' is not text"),
        (
            broken(8, 1, 1, 1, None, None, b"\x92\x01"),
            (
                "the event at byte {at} is a MessageReceived whose 'raw' is not a message: "
                "a value is cut off after 2 bytes (at byte 2)"
            ),
        ),
        (
            broken(8, 1, 1, 1, None, None, b"\xc7\x08\x04" + bytes(8)),
            "the event at byte {at} is a MessageReceived whose 'raw' is not a message: it only announces one",
        ),
        (
            b"\x93\x05\x01\xd4\x01\x00",
            "a handle names descriptor 0, but 0 came with its message (at byte {at})",
        ),
    ],
)
def test_a_broken_event_is_an_error_that_names_its_byte(path: str, data: bytes, sentence: str) -> None:
    Path(path).write_bytes(HEADER + encode_event(OPEN) + data + encode_event(SAID))
    found, error = outcome(path)
    assert found == [OPEN]
    assert error == f"{path} is broken: " + sentence.format(at=len(HEADER + encode_event(OPEN))) + REMEDY


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "{path} is empty: nothing was recorded to it; --follow waits until something is"),
        (b"#!/bin/sh\n", "{path} is not a tui-ipc recording; name a file that --record or F5 wrote"),
        (
            HEADER[:10],
            (
                "{path} breaks off in its header, after 10 bytes: nothing was recorded to it; "
                "--follow waits until something is"
            ),
        ),
        (
            HEADER[:-1],
            (
                f"{{path}} breaks off in its header, after {len(HEADER) - 1} bytes: nothing was recorded "
                "to it; --follow waits until something is"
            ),
        ),
        (
            encode(["tui-ipc recording", 3, "what it may be", "by then"]).replace(b"\x94", b"\x93", 1),
            (
                "{path} is a recording of version 3, and this tui-ipc reads versions up to 2; "
                "install a newer one"
            ),
        ),
        (
            encode(["tui-ipc recording", 0, {}]),
            "{path} is broken: its header is not one of version 1 to 2; copy it again from where it was made",
        ),
        (
            encode(["tui-ipc recording", 1, {}]),
            "{path} is broken: its header is not one of version 1 to 2; copy it again from where it was made",
        ),
        (
            encode(["tui-ipc recording", True, {}]),
            "{path} is broken: its header is not one of version 1 to 2; copy it again from where it was made",
        ),
        (
            encode(["tui-ipc recording", 1, {"began": BEGAN, "command": [1], "program": ""}]),
            "{path} is broken: its header is not one of version 1 to 2; copy it again from where it was made",
        ),
    ],
    ids=["empty", "foreign", "cut", "cut late", "newer", "version 0", "no facts", "true", "no command"],
)
def test_a_file_that_is_not_a_recording_is_refused(path: str, content: bytes, sentence: str) -> None:
    Path(path).write_bytes(content)
    with pytest.raises(RecordingError) as caught:
        open_recording(path)
    assert str(caught.value) == sentence.format(path=path)


def test_a_path_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A fifo without a writer, too, instead of waiting for one."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "directory").mkdir()
    (tmp_path / "talk.tipc").write_text("> 1\n")
    name_one = "name a file that --record or F5 wrote"
    for name, why in [
        ("none", f"cannot be read: No such file or directory; {name_one}, or wait for one with --follow"),
        ("fifo", "is not a regular file; read it as standard input, with --replay -"),
        ("directory", "is a directory; name a recording in it"),
        ("nul\0", f"cannot be read: a path cannot hold a null character; {name_one}"),
        ("talk.tipc", f"is not a tui-ipc recording; run a script with --script {tmp_path}/talk.tipc"),
    ]:
        with pytest.raises(RecordingError) as caught:
            open_recording(f"{tmp_path}/{name}")
        assert str(caught.value) == f"{tmp_path}/{name} {why}"


def test_a_recording_of_another_user_is_refused(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(path).write_bytes(HEADER)

    def refuse(path: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(reader, "FileIO", refuse)
    with pytest.raises(RecordingError, match="cannot be read: Permission denied; only its owner may read"):
        open_recording(path)


@pytest.mark.parametrize(
    "claim",
    [
        b"\xdd\xff\xff\xff\xff",
        b"\x95\x09\x01\x01\x01\xc6\xff\xff\xff\xff",
        b"\x96\x07\x01\x01\x01\xdd" + b"\xff" * 4,
    ],
    ids=["an array", "output", "not a flag"],
)
def test_a_broken_length_in_a_huge_file_is_found_in_little_memory(path: str, claim: bytes) -> None:
    """A hole of 3 GiB follows, of which no more is read than a message may measure."""
    Path(path).write_bytes(HEADER + encode_event(OPEN) + claim)
    os.truncate(path, 3 * 2**30)
    begin = len(HEADER + encode_event(OPEN))
    with tracing() as peak:
        found, error = outcome(path)
        most = peak()
    assert found == [OPEN]
    assert error == f"{path} is broken: the event at byte {begin} has no end{REMEDY}"
    assert most < 3 * USUAL_MAX_EVENT_SIZE


def test_bytes_that_were_sent_as_they_are_may_be_longer_than_a_message(path: str) -> None:
    raw = bytes(USUAL_MAX_EVENT_SIZE + 300_000)
    event = ev.MessageSent(at=2**40, run=1, number=1, value=raw, raw=raw)
    Path(path).write_bytes(HEADER + encode_event(event) + encode_event(OPEN))
    assert list(open_recording(path).events()) == [event, OPEN]


VALID = encode_recording(
    ev.ServerListening(at=1, run=1, name="/tmp/x"),
    ev.ChildSpawned(at=2, run=1, pid=7, command=("a", "b")),
    ev.HelloReceived(at=3, run=1, name="x", pid=7, inline=True, raw=b"\x80"),
    ev.MessageSent(at=4, run=1, number=1, value=[1, {}], raw=b"\x92\x01\x80"),
    ev.MessageReceived(at=2**33, run=1, number=1, value="ok", raw=b"\xa2ok", answers=1, elapsed=3),
    ev.ChildExited(at=2**33, run=1, code=0, signal=None, user_seconds=0.1, system_seconds=0, max_rss=1),
    ev.Audit(at=2**33, run=1, processes=(), files=("f",), unread=0, quit_elapsed=None),
)


@given(
    st.lists(
        st.tuples(st.integers(0, len(VALID)), st.integers(0, 3), st.binary(max_size=5)),
        min_size=1,
        max_size=4,
    )
)
@example([(len(HEADER), 0, b"\xdd\xff\xff\xff\xff")])
@example([(len(HEADER), 0, b"\xc6\xff\xff\xff\xff")])
@example([(len(HEADER), 0, b"\x91" * 1030)])
def test_whatever_is_in_the_file_it_is_events_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[int, int, bytes]]
) -> None:
    """Bytes removed, added and changed anywhere: no other exception, and every event can be shown."""
    data = VALID
    for start, removed, added in cuts:
        data = data[:start] + added + data[start + removed :]
    path = stored(tmp_path_factory, data)
    found, error = outcome(path)
    for event in found:
        assert type(event.at) is type(event.run) is int
        encode_event(event)
    assert error is None or error.startswith(path)


# ----------------------------------------------------------------------------------------------- the document

EXAMPLES = re.findall(r"^```recording (.*)\n((?:.*\n)*?)```$", DOCUMENT, re.MULTILINE)
BYTES = re.compile(r"(?:[0-9a-f]{2} {1,2})*[0-9a-f]{2}(?= {2,}\S)")


def shown(content: str) -> bytes:
    """The bytes of an example, line by line with an explanation each."""
    found = b""
    for line in content.splitlines():
        match = BYTES.match(line)
        assert match, f"neither bytes nor explanation: {line!r}"
        found += bytes.fromhex(match[0])
    return found


@pytest.mark.parametrize(("what", "content"), EXAMPLES, ids=[what.partition("(")[0] for what, _ in EXAMPLES])
def test_the_examples_of_the_document_are_true(what: str, content: str) -> None:
    expected = HEADER if what == "header" else encode_event(eval(what, vars(ev)))
    assert shown(content).hex(" ") == expected.hex(" ")
