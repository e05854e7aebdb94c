"""What children print on its way to our streams, to a failure and to reports."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.scripted_session import audit, printed
from tui_ipc.events import ChildOutput
from tui_ipc.script.report.passthrough import (
    MAX_HELD,
    MAX_TAIL,
    MAX_UNFINISHED_LINE,
    HeldOutput,
    OutputTails,
    Passthrough,
)


def relayed(*pieces: bytes, for_terminal: bool = False, mark: str = "") -> list[bytes]:
    """What comes out after each piece, and at the end."""
    relay = Passthrough(str.encode, for_terminal=for_terminal, mark=mark)
    return [*(relay.feed(piece) for piece in pieces), relay.flush()]


def test_lines_pass_as_they_end() -> None:
    """A line that has ended does not wait for the next, one that has only begun does."""
    assert relayed(b"one\ntw", b"o", b"\nthree") == [b"one\n", b"", b"two\n", b"three"]


def test_a_line_is_held_within_bounds() -> None:
    """A child that never ends its line does not fill our memory."""
    piece = b"x" * MAX_UNFINISHED_LINE
    assert relayed(piece, b"y", b"z") == [b"", piece + b"y", b"", b"z"]


@given(st.lists(st.binary()))
def test_a_pipe_gets_the_bytes(pieces: list[bytes]) -> None:
    """Nothing is added and nothing is changed, however the output was cut."""
    assert b"".join(relayed(*pieces)) == b"".join(pieces)


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (b"\x1b[31mred\x1b[0m\n", "␛[31mred␛[0m\n".encode()),
        (b"50 %\r100 %\r\n", "50 %␍100 %\n".encode()),
        (b"a\tb\n", b"a\tb\n"),
        ("naïve\u202e\n".encode(), "naïve‹U+202E›\n".encode()),
        (b"\xff\n", "‹FF›\n".encode()),
        (b'"quoted" \\n\n', b'"quoted" \\n\n'),
        (b"no end", b"no end\n"),
        (b"\n\n", b"\n\n"),
        (b"", b""),
    ],
)
def test_a_terminal_obeys_nothing(printed: bytes, shown: bytes) -> None:
    """Control characters are seen, and every line ends."""
    assert b"".join(relayed(printed, for_terminal=True)) == shown


@given(st.binary(), st.data())
def test_cuts_do_not_show_on_a_terminal(printed: bytes, data: st.DataObject) -> None:
    """A character cut in two by a read is one character still."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(printed)))))
    pieces = [printed[begin:end] for begin, end in pairwise([0, *cuts, len(printed)])]
    assert b"".join(relayed(*pieces, for_terminal=True)) == b"".join(relayed(printed, for_terminal=True))


def test_each_line_is_marked() -> None:
    """Of a stream that shares its way with our own words, whose line is whose."""
    assert b"".join(relayed(b"a\nb", b"c\n\nd", mark="| ")) == b"| a\n| bc\n| \n| d\n"
    assert (
        b"".join(relayed(b"x" * (MAX_UNFINISHED_LINE + 1), b"y\n", mark="| "))
        == b"| " + b"x" * (MAX_UNFINISHED_LINE + 1) + b"y\n"
    )


def test_each_stream_has_its_own() -> None:
    """In lines, safe to show."""
    tails = OutputTails()
    for event in (printed(b"one\r\nt"), printed(b"\x1b[2J\xff\n", "stderr"), printed(b"wo"), audit()):
        tails.add(event)
    assert tails.text("stdout") == "one\ntwo"
    assert tails.text("stderr") == "␛[2J‹FF›\n"


def test_a_flood_leaves_its_end() -> None:
    """And how much is missing."""
    tails = OutputTails()
    for _ in range(3):
        tails.add(printed(b"x" * MAX_TAIL))
    tails.add(printed(b"end"))
    reported, _, text = tails.text("stdout").partition("\n")
    assert reported == "(32 771 bytes before this are left out)"
    assert text == "x" * (MAX_TAIL - 3) + "end"


def test_of_much_output_the_end_is_held() -> None:
    """In whole pieces, of which the last stays however long it is."""
    held = HeldOutput()
    for size in (10, MAX_HELD, 5, MAX_HELD + 1):
        event = printed(b"x" * size)
        assert isinstance(event, ChildOutput)
        held.add(event)
    assert ([len(event.data) for event in held.events], held.dropped) == ([MAX_HELD + 1], MAX_HELD + 15)
