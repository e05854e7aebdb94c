"""What a message holds, counted."""

from typing import Any

from hypothesis import given

from tests.ipc.messages import hostile, values
from tui_ipc.ipc.wire import encode
from tui_ipc.session.units import plural
from tui_ipc.tui.content.census import MOST, Census
from tui_ipc.tui.content.dissection import Dissection


def counted(value: Any, raw: bytes | None = None) -> dict[str, str]:
    """The facts of a whole count."""
    census = Census(Dissection(value, encode(value) if raw is None else raw))
    for _ in census.steps():
        pass
    return dict(census.facts())


def test_kinds_depth_and_overhead() -> None:
    """Each kind with its number, the outer before the inner; what of the bytes is header."""
    assert counted({"op": "add", "args": [2, 3.5, None, b"x"], "ok": True}) == {
        "holds": "1 map, 1 array, 4 strings, 1 binary, 1 integer, 1 float, 1 boolean, 1 null",
        "depth": "3",
        "headers": "9 of 32 bytes, 28 %",
    }
    assert counted("Hi") == {"holds": "1 string", "headers": "1 of 3 bytes, 33 %"}


def test_a_large_message_is_counted_in_part() -> None:
    """As much as tells what it is like."""
    facts = counted([7] * (2 * MOST))
    assert facts["holds"].startswith("1 array, 100 ")
    assert " integers, in its first 100 " in facts["holds"]


@given(value=values)
def test_every_byte_is_counted(value: Any) -> None:
    """However many steps it takes."""
    assert f" of {plural(len(encode(value)), 'byte')}, " in counted(value)["headers"]


@given(data=hostile)
def test_broken_bytes_are_counted_as_far_as_they_make_sense(data: bytes) -> None:
    """It ends, whatever they are."""
    counted(data, data)
