"""Which bytes of a message say what."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.support.message_strategies import hostile, values
from tests.support.msgpack_indexes import index_whole_message
from tui_ipc.ipc.builder import scan
from tui_ipc.ipc.errors import ProtocolError
from tui_ipc.ipc.wire import encode
from tui_ipc.text import msgpack_index
from tui_ipc.text.msgpack_index import (
    DecodeError,
    MsgpackIndex,
    Path,
    PlacedToken,
    Token,
    ValueSpan,
    read_token,
)

PLAIN = st.integers(-40, 70_000) | st.none() | st.text(max_size=3)
LONG = st.lists(PLAIN, max_size=200) | st.lists(st.lists(PLAIN, max_size=40), max_size=20)
STRIDES = st.sampled_from((1, 7, 64, msgpack_index.CHECKPOINT_SPACING))


def inside(value: Any, path: Path = (0,)) -> Iterator[tuple[Path, Any]]:
    """Everything that a value consists of, with the path to it, in the order of its bytes."""
    yield path, value
    if isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from inside(item, (*path, number))
    elif isinstance(value, dict):
        for number, (key, item) in enumerate(value.items()):
            yield from inside(key, (*path, 2 * number))
            yield from inside(item, (*path, 2 * number + 1))


@given(value=values | LONG, stride=STRIDES)
@example(value=[[1] * 64] * 3, stride=1)
@example(value=[[[]], {}, "x" * 300, b"y" * 70_000, {1: [2, {3: 4}]}], stride=1)
def test_each_value_is_where_it_is_found(value: Any, stride: int) -> None:
    """At the path of everything in a value stand exactly the bytes that it is packed to, and no others."""
    data = encode(value)
    found = index_whole_message(data, stride)
    expected = list(inside(value))
    assert found.is_finished
    assert found.error is None
    assert [place.path for place in found.tokens(0)] == [path for path, _ in expected]
    for path, item in expected:
        extent = found.find_value(path)
        assert extent is not None
        assert data[extent.token.start : extent.end] == encode(item)
    assert found.find_value((1,)) is None
    assert found.find_value((0, 2 * len(data))) is None
    assert found.find_value(()) is None


@given(value=values | LONG, stride=STRIDES)
def test_each_byte_belongs_to_one_part(value: Any, stride: int) -> None:
    """The parts follow each other without a gap, and each byte leads to the part that holds it."""
    data = encode(value)
    found = index_whole_message(data, stride)
    places = list(found.tokens(0))
    assert [place.token.end for place in places] == [*(place.token.start for place in places[1:]), len(data)]
    for place in places:
        for offset in {place.token.start, place.token.payload_start - 1, place.token.end - 1}:
            assert found.token_at(offset) == place
    assert found.token_at(len(data)) is None
    third = len(data) // 3
    assert list(found.tokens(third, 2 * third)) == [
        place for place in places if place.token.end > third and place.token.start < 2 * third
    ]


@given(data=hostile, stride=STRIDES)
def test_of_broken_bytes_is_known_what_makes_sense(data: bytes, stride: int) -> None:
    """Whatever the bytes are: a value that msgpack finds ends there, and where it finds none is a flaw."""
    assume(
        b"\xc9\xff\xff\xff\xff" not in data
    )  # an ext of 2^32 - 1 bytes, which msgpack skips as if it had none
    found = index_whole_message(data, stride)
    first = found.find_value((0,))
    try:
        size = scan(data)
    except ProtocolError:
        assert found.error is not None or not data
        assert first is None or first.end == found.indexed_size == (found.error and found.error.offset)
    else:
        assert first is not None
        assert first.end == size
    assert all(place.token.end <= found.indexed_size for place in found.tokens(0))
    if found.error is not None:
        assert found.token_at(found.error.offset) is None


@pytest.mark.parametrize(
    ("data", "flaw"),
    [
        (b"\x92\x01\xc1", DecodeError(2, "0xc1 is not the first byte of a value")),
        (b"\x01\xda\x01", DecodeError(1, "the str 16 is cut off inside its length")),
        (b"\xc4\x05abc", DecodeError(0, "the bin 8 is cut off: it claims 2 more bytes than there are")),
        (b"\x93\x01\x91", DecodeError(3, "the bytes end where 2 more values should follow")),
        (b"\x82\x01", DecodeError(2, "the bytes end where 3 more values should follow")),
        (b"\xd4\x01", DecodeError(0, "the fixext 1 is cut off: it claims 1 more byte than there are")),
        (b"\x91" * 1030, DecodeError(1024, "more than 1024 containers inside each other")),
    ],
)
def test_a_flaw_names_its_byte(data: bytes, flaw: DecodeError) -> None:
    """An error says where the bytes are not msgpack, and why."""
    assert index_whole_message(data).error == flaw


def test_values_may_follow_each_other() -> None:
    """What was sent as bytes need not be one message: each value has its number."""
    found = index_whole_message(b"\x01\x92\x02\x03\xa1x")
    assert [place.path for place in found.tokens(0)] == [(0,), (1,), (1, 0), (1, 1), (2,)]
    assert found.error is None


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"\x07", Token(0, 1, 1, "positive fixint", "int")),
        (b"\xff", Token(0, 1, 1, "negative fixint", "int")),
        (b"\xcd\x01\x02", Token(0, 1, 3, "uint 16", "int")),
        (b"\xcb" + bytes(8), Token(0, 1, 9, "float 64", "float")),
        (b"\xa2hi", Token(0, 1, 3, "fixstr", "str")),
        (b"\xd9\x02hi", Token(0, 2, 4, "str 8", "str")),
        (b"\xc6\x00\x00\x00\x01x", Token(0, 5, 6, "bin 32", "bin")),
        (b"\xd6\xff" + bytes(4), Token(0, 2, 6, "fixext 4", "ext")),
        (b"\xc7\x09\x03" + bytes(9), Token(0, 3, 12, "ext 8", "ext")),
        (b"\xc3", Token(0, 1, 1, "true", "bool")),
        (b"\xdc\x01\x00", Token(0, 3, 3, "array 16", "array", 256)),
        (b"\x81", Token(0, 1, 1, "fixmap", "map", 1)),
    ],
)
def test_each_format_has_its_name(data: bytes, part: Token) -> None:
    """Names and headers are those of the msgpack specification."""
    assert read_token(data, 0) == part
    assert part.children == (2 if part.family == "map" else part.items)


def test_it_is_walked_no_further_than_asked() -> None:
    """What comes later is unknown, not wrong; so is an end that comes later."""
    found = MsgpackIndex(encode([["x" * 40] * 9, 2]))
    assert found.token_at(0) is None
    assert found.advance(4)
    assert found.find_value((0, 0, 1)) == ValueSpan(Token(44, 46, 86, "str 8", "str"), 86)
    assert found.find_value((0,)) == ValueSpan(Token(0, 1, 1, "fixarray", "array", 2), None)
    assert found.find_value((0, 1)) is None
    assert found.token_at(found.indexed_size) is None
    assert not found.advance(100)
    assert found.find_value((0, 1)) == ValueSpan(Token(380, 381, 381, "positive fixint", "int"), 381)


def test_the_far_end_of_a_large_array_is_near() -> None:
    """Ten million items are walked in few steps, after which any of them is found at once."""
    data = b"\xdd" + (10_000_000).to_bytes(4, "big") + bytes(10_000_000)
    found = MsgpackIndex(data)
    assert not found.advance(160_000)
    last = Token(len(data) - 1, len(data), len(data), "positive fixint", "int")
    assert found.token_at(len(data) - 1) == PlacedToken(last, (0, 9_999_999))
    assert found.find_value((0, 9_999_999)) == ValueSpan(last, len(data))
