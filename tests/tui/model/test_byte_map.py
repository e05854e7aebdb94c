"""Which bytes hold which part of a value, and the other way round."""

from typing import Any

import pytest
from hypothesis import given

from tests.support.message_strategies import arrived, hostile, values
from tests.support.tree_models import open_whole_tree
from tui_ipc.events import ChannelsOpen, HelloReceived, MessageSent
from tui_ipc.events.message_values import decode_stored
from tui_ipc.ipc.wire import encode
from tui_ipc.text.msgpack_index import MsgpackIndex
from tui_ipc.tui.model.byte_map import (
    DUPLICATE_KEY_LIMIT,
    TEXT_SCAN_LIMIT,
    ByteMap,
    Location,
    map_event_bytes,
)
from tui_ipc.tui.model.tree_model import TreeModel, ValueNode


def map_whole(value: Any, raw: bytes | None = None) -> ByteMap:
    """The map of a message, indexed to its end."""
    subject = ByteMap(value, encode(value) if raw is None else raw)
    while subject.advance():
        pass
    return subject


def at(value: Any, *position: int) -> ValueNode:
    """The row of a part of a value."""
    tree = TreeModel(value, 100)
    return tree.rows[tree.reveal(position)]


def bytes_of(subject: ByteMap, node: ValueNode) -> bytes:
    """The bytes that are found for a row."""
    byte_range = subject.byte_range(node)
    assert byte_range is not None
    return subject.raw[byte_range.start : byte_range.end]


@given(value=values)
def test_each_row_has_the_bytes_that_it_is_packed_to(value: Any) -> None:
    """And each of those bytes leads back to it, or to what is in it."""
    subject = map_whole(arrived(value), encode(value))
    for node in open_whole_tree(subject.value).rows:
        if node.kind != "value":
            continue
        byte_range = subject.byte_range(node)
        assert byte_range is not None
        assert subject.raw[byte_range.start : byte_range.end] == encode(node.value)
        place = subject.index.token_at(byte_range.start)
        assert place is not None
        assert subject.location(place) == Location(node.position, is_key=False)


def test_groups_and_pieces_have_bytes_too() -> None:
    """Those of their items, keys included, or of their characters."""
    items = list(range(300))
    groups = TreeModel(items, 60).root.children or []
    assert bytes_of(map_whole(items), groups[1]) == b"".join(encode(item) for item in items[100:200])
    entries = dict.fromkeys(range(300), "v")
    groups = TreeModel(entries, 60).root.children or []
    assert bytes_of(map_whole(entries), groups[2]) == b"".join(
        encode(key) + b"\xa1v" for key in range(200, 300)
    )
    for text in ("abc" * 50, "äöü" * 50, b"\x00\xff" * 80):
        for piece in TreeModel(text, 60).root.children or []:
            content = piece.content.encode() if isinstance(piece.content, str) else piece.content
            assert bytes_of(map_whole(text), piece) == content
    long = "ä" * (TEXT_SCAN_LIMIT + 1)
    piece = TreeModel(long, 60).rows[-1]
    assert bytes_of(map_whole(long), piece) == encode(long)


def test_a_key_leads_to_its_entry() -> None:
    """Bytes of a key, and of a list that is a key, belong to the value that they name."""
    subject = map_whole({"a": 1, (2, "b"): [3]})
    locations = [subject.location(place) for place in subject.index.tokens(0)]
    entry = Location((1,), is_key=True)
    assert locations == [
        Location((), is_key=False),
        Location((0,), is_key=True),
        Location((0,), is_key=False),
        *[entry] * 3,
        Location((1,), is_key=False),
        Location((1, 0), is_key=False),
    ]


def test_of_a_key_given_twice_the_last_value_is_shown() -> None:
    """Its bytes are those of the last, and all bytes under that key lead to the one row that there is."""
    raw = b"\x84" + b"\xa1a\x01" + b"\xa1b\x02" + b"\xa1a\x03" + b"\x91\x07\x04"
    subject = map_whole(decode_stored(raw), raw)
    assert subject.value == {"a": 3, "b": 2, (7,): 4}
    assert [bytes_of(subject, at(subject.value, place)) for place in range(3)] == [b"\x03", b"\x02", b"\x04"]
    values_ = [subject.index.token_at(offset) for offset in (3, 6, 9, 12)]
    assert [place and subject.location(place) for place in values_] == [
        Location((0,), is_key=False),
        Location((1,), is_key=False),
        Location((0,), is_key=False),
        Location((2,), is_key=False),
    ]


def test_unknown_bytes_are_not_guessed() -> None:
    """In a map of too many keys, some of them twice, no bytes are claimed for an entry."""
    pairs = DUPLICATE_KEY_LIMIT + 1
    raw = (
        b"\xdf"
        + (pairs + 1).to_bytes(4, "big")
        + b"".join(encode(n) + b"\xc0" for n in range(pairs))
        + b"\x00\xc0"
    )
    subject = map_whole(decode_stored(raw), raw)
    assert subject.byte_range(at(subject.value, 0)) is None
    place = subject.index.token_at(5)
    assert place is not None
    assert subject.location(place) is None
    assert bytes_of(subject, at(subject.value)) == raw


def test_positions_are_named() -> None:
    """Keys that are words after a dot, others in brackets as they are typed."""
    value = {"result": [0, {"a b": {1: {b"x": "here"}}}], "é": 1}
    subject = map_whole(value)
    assert subject.name(()) == "$"
    assert subject.name((0, 1, 0, 0, 0)) == '$.result[1]["a b"][1][b"x"]'
    assert subject.name((1,)) == '$["é"]'


def test_what_is_not_indexed_is_not_known_yet() -> None:
    """A part far ahead has no bytes until the index has come there; the whole message has."""
    value = [["x" * 100] * 1_000] * 20
    subject = ByteMap(value, encode(value))
    far = at(value, 19, 999)
    assert subject.byte_range(far) is None
    assert bytes_of(subject, at(value)) == subject.raw
    while subject.advance():
        pass
    assert bytes_of(subject, far) == encode("x" * 100)


@given(data=hostile)
def test_bytes_sent_as_they_are(data: bytes) -> None:
    """They are the value that they make, if they make one, else themselves; each row has its bytes."""
    subject = map_whole(data, data)
    assert subject.is_value == (subject.value != data)
    for node in open_whole_tree(subject.value).rows:
        byte_range = subject.byte_range(node)
        if not subject.is_value:
            assert bytes_of(subject, node) == node.content
        elif byte_range is not None:
            assert 0 <= byte_range.start < byte_range.end <= len(data)
    for place in subject.index.tokens(0):
        location = subject.location(place)
        assert location is None or subject.name(location.position)


@pytest.mark.parametrize("raw", [b"", b"\x91", b"\x93\x01\x02\x03", encode({"a": [1]})])
def test_bytes_of_another_value_do_no_harm(raw: bytes) -> None:
    """Should value and bytes not belong together, nothing is claimed that is not there."""
    subject = map_whole([1, {"k": "v"}], raw)
    for place in subject.index.tokens(0):
        subject.location(place)
    for node in open_whole_tree(subject.value).rows:
        subject.byte_range(node)


def test_a_hello_has_a_byte_map_too() -> None:
    """Its handles are shown as words; an event without bytes has no map."""
    raw = b"\x82\xa4name\xa4echo\xa8to_child\xd4\x01\x00"
    hello = map_event_bytes(HelloReceived(at=0, run=1, name="echo", pid=1, inline=False, raw=raw))
    assert hello is not None
    assert hello.value == {"name": "echo", "to_child": "<sender>"}
    assert bytes_of(hello, at(hello.value, 1)) == b"\xd4\x01\x00"
    assert map_event_bytes(ChannelsOpen(at=0, run=1)) is None
    assert map_event_bytes(None) is None
    sent = map_event_bytes(MessageSent(at=0, run=1, number=1, value=[1], raw=b"\x91\x01"))
    assert sent is not None
    assert isinstance(sent.index, MsgpackIndex)
    assert sent.value == [1]
