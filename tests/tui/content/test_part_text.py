"""A part of a message's bytes in words."""

from datetime import UTC, datetime

import pytest
from hypothesis import given

from tests.ipc.messages import hostile, values
from tests.session.test_anatomy import walked
from tests.tui.content.test_sanitize import is_safe
from tui_ipc.ipc.wire import encode
from tui_ipc.session.anatomy import Part, read
from tui_ipc.tui.content.part_text import brief, described, role

MOMENT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def part_of(data: bytes) -> Part:
    """The first part of some bytes."""
    part = read(data, 0)
    assert isinstance(part, Part)
    return part


@pytest.mark.parametrize(
    ("data", "words", "short"),
    [
        (encode(5), "positive fixint, 1 byte", "5"),
        (encode(-300), "int 16, 2 bytes behind a header of 1", "-300"),
        (encode(None), "nil, 1 byte", "null"),
        (encode("hé"), "fixstr, 3 bytes behind a header of 1", '"hé"'),
        (encode("x" * 40), "str 8, 40 bytes behind a header of 2", f'"{"x" * 24}"…'),
        (encode(b"\x00"), "bin 8, 1 byte behind a header of 2", r'b"\x00"'),
        (encode(bytes(70_000)), "bin 32, 70 000 bytes behind a header of 5", "binary 70 000"),
        (encode([0] * 300), "array 16, 300 items, header of 3 bytes", "array 300"),
        (encode({1: 2}), "fixmap, 1 pair, header of 1 byte", "map 1"),
        (b"\xd4\x01\x00", "fixext 1, type 1 (a sender), 1 byte behind a header of 2", '"<sender>"'),
        (b"\xd4\x63\x00", "fixext 1, type 99, 1 byte behind a header of 2", "fixext 1"),
        (
            encode(MOMENT),
            "fixext 4, type 255 (a time stamp), 4 bytes behind a header of 2",
            'timestamp("2024-05-06T07:08:09Z")',
        ),
    ],
)
def test_a_part_is_named_measured_and_shown(data: bytes, words: str, short: str) -> None:
    """At length what it is, briefly what it says."""
    assert described(part_of(data), data) == words
    assert brief(part_of(data), data).text == short


def test_each_byte_of_a_part_has_a_role() -> None:
    """The kind, the length, the type, the content; a byte may be all at once."""
    ext = part_of(b"\xc8\x00\x02\x05ab")
    assert [role(ext, offset) for offset in range(6)] == [
        "header: the kind",
        "header: the length",
        "header: the length",
        "header: the type",
        "content, byte 0 of 2",
        "content, byte 1 of 2",
    ]
    assert role(part_of(b"\x05"), 0) == "kind and content in one"


@given(data=hostile | values.map(encode))
def test_words_are_safe_to_show(data: bytes) -> None:
    """Whatever the bytes say, each of their parts can be told, in few safe characters."""
    for place in walked(data).parts(0):
        texts = described(place.part, data), brief(place.part, data).text, role(place.part, place.part.start)
        assert all(is_safe(character) for text in texts for character in text)
        assert max(map(len, texts)) < 200
