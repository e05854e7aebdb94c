"""The rows of a hex dump, and tokens of msgpack in words."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.message_strategies import hostile, values
from tests.support.msgpack_indexes import index_whole_message
from tests.support.unicode_text import is_safe
from tui_ipc.ipc.wire import encode
from tui_ipc.text.msgpack_index import PlacedToken, Token, read_token
from tui_ipc.tui.model.hex_dump import HexDump, abbreviate_token, describe_byte, describe_token

MOMENT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def part_of(data: bytes) -> Token:
    """The first part of some bytes."""
    part = read_token(data, 0)
    assert isinstance(part, Token)
    return part


@pytest.mark.parametrize(
    ("data", "words", "short"),
    [
        (encode(5), "positive fixint, 1 byte", "5"),
        (encode(-300), "int 16, 2 bytes after a header of 1 byte", "-300"),
        (encode(None), "nil, 1 byte", "null"),
        (encode("hé"), "fixstr, 3 bytes after a header of 1 byte", '"hé"'),
        (encode("x" * 40), "str 8, 40 bytes after a header of 2 bytes", f'"{"x" * 24}"…'),
        (encode(b"\x00"), "bin 8, 1 byte after a header of 2 bytes", r'b"\x00"'),
        (encode(bytes(70_000)), "bin 32, 70 000 bytes after a header of 5 bytes", "binary 70 000"),
        (encode([0] * 300), "array 16, 300 items, header of 3 bytes", "array 300"),
        (encode({1: 2}), "fixmap, 1 pair, header of 1 byte", "map 1"),
        (b"\xd4\x01\x00", "fixext 1, type 1 (a sender), 1 byte after a header of 2 bytes", '"<sender>"'),
        (
            b"\xd4\x05\x00",
            "fixext 1, type 5 (a file descriptor), 1 byte after a header of 2 bytes",
            '"<file descriptor>"',
        ),
        (b"\xd4\x63\x00", "fixext 1, type 99, 1 byte after a header of 2 bytes", "fixext 1"),
        (
            encode(MOMENT),
            "fixext 4, type 255 (a time stamp), 4 bytes after a header of 2 bytes",
            'timestamp("2024-05-06T07:08:09Z")',
        ),
    ],
)
def test_a_part_is_named_measured_and_shown(data: bytes, words: str, short: str) -> None:
    """At length what it is, briefly what it says."""
    assert describe_token(part_of(data), data) == words
    assert abbreviate_token(part_of(data), data).text == short


def test_each_byte_of_a_part_has_a_role() -> None:
    """The kind, the length, the type, the content; a byte may be all at once."""
    ext = part_of(b"\xc8\x00\x02\x05ab")
    assert [describe_byte(ext, offset) for offset in range(6)] == [
        "header: the kind",
        "header: the length",
        "header: the length",
        "header: the type",
        "content, byte 0 of 2",
        "content, byte 1 of 2",
    ]
    assert describe_byte(part_of(b"\x05"), 0) == "kind and content in one"


@given(data=hostile | values.map(encode))
def test_words_are_safe_to_show(data: bytes) -> None:
    """Whatever the bytes are, each token has a description and an abbreviation in few safe characters."""
    for place in index_whole_message(data).tokens(0):
        texts = (
            describe_token(place.token, data),
            abbreviate_token(place.token, data).text,
            describe_byte(place.token, place.token.start),
        )
        assert all(is_safe(character) for text in texts for character in text)
        assert max(map(len, texts)) < 200


def places(data: bytes) -> list[PlacedToken]:
    """The tokens of some bytes."""
    return list(index_whole_message(data).tokens(0))


@given(data=st.binary(max_size=300) | hostile, width=st.integers(0, 200))
def test_the_dump_is_the_bytes(data: bytes, width: int) -> None:
    """Every byte is in the dump once, in order and in the cells that it names; rows fit and are safe."""
    dump = HexDump.fit(data, width)
    known = places(data)
    rows = [dump.line(row, known).text for row in range(dump.rows)]
    found = bytearray()
    for row, text in enumerate(rows):
        start = row * dump.columns
        for offset in range(start, min(start + dump.columns, len(data))):
            (first, last), (low, high) = dump.cells(row, offset, offset + 1)
            found += bytes.fromhex(text[first:last])
            assert high - low == 1
            assert text[low] == chr(data[offset]) or not 0x20 <= data[offset] < 0x7F
            assert dump.byte_at(row, first) == dump.byte_at(row, low) == offset
    assert found == data
    assert all(is_safe(character) for text in rows for character in text)
    if not dump.has_notes:
        assert all(len(text.rstrip()) <= max(width, 23) for text in rows)


def test_a_row_of_the_dump() -> None:
    """Offset, digits, characters; what is not printable ASCII is a dot."""
    dump = HexDump.fit(b"Hi\x00\xff\x1b there", 40)
    assert [dump.line(row, []).text for row in range(dump.rows)] == [
        "0000  48 69 00 ff 1b 20 74 68  Hi··· th",
        "0008  65 72 65                 ere",
    ]
    assert dump.byte_at(1, 6 + 3 * 3) is None
    assert dump.byte_at(0, 0) is None


def test_where_there_is_room_the_structure_is_beside_the_bytes() -> None:
    """What begins in a row, in words, each at the same edge."""
    data = encode(
        {"op": "add", "args": [2, 3.5, None], "note": "longer than what is shown here", "b": b"x" * 9}
    )
    dump = HexDump.fit(data, 120)
    known = places(data)
    notes = [dump.line(row, known).text[6 + 3 * 16 + 1 + 16 :] for row in range(dump.rows)]
    assert notes == [
        '  map 4 · "op" · "add" · "args" · array 3 · 2 · 3.5',
        '  null · "note" · "longer than what is show"…',
        "",
        '  "b" · binary 9',
        "",
    ]


def test_kind_length_and_content_look_different() -> None:
    """What announces a value, how long it is, of which type, and what it says have looks of their own."""
    data = b"\x92" + b"\xd9\x02hi" + b"\xc7\x01\x05z" + b"\xc1"
    line = HexDump.fit(data, 80).line(0, places(data))
    looks = [(span.text.split(), span.paint) for span in line.left[1:-1] if span.text.strip()]
    assert looks[:7] == [
        (["92"], "strong"),
        (["d9"], "key"),
        (["02"], "number"),
        (["68", "69"], "string"),
        (["c7"], "key"),
        (["01", "05"], "number"),
        (["7a"], "text"),
    ]
    assert looks[7] == (["c1"], "muted")


def test_a_large_dump_costs_what_is_looked_at() -> None:
    """The rows of 64 MiB are made one by one, with an offset that has room for all."""
    dump = HexDump.fit(bytes(64 << 20), 80)
    assert dump.rows == 4 << 20
    assert dump.line(dump.rows - 1, []).text.startswith("03fffff0  00")


def test_each_row_marks_its_own_bytes() -> None:
    """Of bytes in several rows each row marks its own, without the spaces around them."""
    dump = HexDump.fit(bytes(range(32)), 80)
    assert list(dump.cells(0, 14, 18)) == [(6 + 3 * 14, 6 + 3 * 16 - 1), (7 + 3 * 16 + 14, 7 + 3 * 16 + 16)]
    assert list(dump.cells(1, 14, 18)) == [(6, 6 + 3 * 2 - 1), (7 + 3 * 16, 7 + 3 * 16 + 2)]
    assert list(dump.cells(0, 16, 18)) == []
