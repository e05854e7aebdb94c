"""What a child prints: what a person sees of it, and the search in it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.osutil.bounded_search import BoundedSearch
from tui_ipc.script.runner.child_output import KEEP_AT_LEAST, SearchableOutput

SEARCH = BoundedSearch(30)


def fed(*pieces: bytes) -> SearchableOutput:
    printed = SearchableOutput()
    for piece in pieces:
        printed.feed(piece)
    return printed


def test_a_search_begins_after_the_last_match() -> None:
    """Each line is found once, in the order in which it was printed."""
    printed = fed(b"one\ntwo\none\n")
    assert printed.find("one", SEARCH)
    assert printed.find("one", SEARCH)
    assert not printed.find("one", SEARCH)
    assert not printed.find("two", SEARCH)
    printed.feed(b"two\n")
    assert printed.find("two", SEARCH)


@given(st.lists(st.integers(1, 20)), st.integers(0, 30))
def test_a_match_may_span_pieces(cuts: list[int], before: int) -> None:
    """However the text is cut, a character in two included."""
    data = ("x" * before + "begin … — é 🎉 end").encode()
    printed = SearchableOutput()
    found = False
    for cut in [*cuts, len(data)]:
        piece, data = data[:cut], data[cut:]
        printed.feed(piece)
        found = found or printed.find("begin … — é 🎉 end", SEARCH) is not None
    assert found


def test_lines_have_a_beginning_and_an_end() -> None:
    """So that a whole line can be asked for."""
    printed = fed(b"not ready\nready\nset\n")
    assert printed.find("^ready$", SEARCH)
    assert printed.find("^set$", SEARCH)


def test_bytes_that_are_not_text_are_replaced() -> None:
    """The text around them can still be found."""
    assert fed(b"a\xff\xfeb").find("a\N{REPLACEMENT CHARACTER}{2}b", SEARCH)


def test_a_match_longer_than_the_reach_is_found_once_nothing_more_comes() -> None:
    """Before, only the text that is new is searched, and the text before it within reach."""
    printed = fed(b"begin" + b"." * 200_000)
    assert not printed.find("(?s)begin.*end", SEARCH)
    printed.feed(b"end")
    assert not printed.find("(?s)begin.*end", SEARCH)
    assert printed.find("(?s)begin.*end", SEARCH, final=True)


def test_a_match_within_reach_is_found_at_once_in_a_long_text() -> None:
    """Though the text before it was searched already."""
    printed = fed(b"." * 500_000)
    assert not printed.find("begin.*end", SEARCH)
    printed.feed(b"begin" + b"." * 1000)
    assert not printed.find("begin.*end", SEARCH)
    printed.feed(b"end")
    assert printed.find("begin.*end", SEARCH)


def test_a_long_text_is_not_searched_again_for_each_piece() -> None:
    """All searches together look at a small multiple of the text."""
    looked_at = 0

    class CountingSearch(BoundedSearch):
        def find(self, expression: str, text: str, start: int = 0, flags: int = 0) -> None:
            nonlocal looked_at
            looked_at += len(text) - start

    search = CountingSearch(30)
    printed = SearchableOutput()
    for _ in range(500):
        printed.feed(b"." * 2000)
        assert not printed.find("x", search)
        assert not printed.find("x", search)  # nothing is new
    assert looked_at < 45 * 500 * 2000  # 125 times with every piece a search of all


@pytest.mark.parametrize("looking", [False, True])
def test_of_an_endless_text_the_end_is_kept(looking: bool) -> None:
    """Whether or not anybody looks at it."""
    printed = fed(b"early\n")
    for _ in range(100):
        printed.feed(b"x" * 65536)
        if looking:
            assert not printed.find("z", SEARCH)
    printed.feed(b"late\n")
    assert not printed.find("early", SEARCH, final=True)
    assert printed.find("x{10}late", SEARCH, final=True)
    assert len(printed._text) < 4 * KEEP_AT_LEAST


def test_what_was_found_long_ago_is_forgotten() -> None:
    """What follows it is found all the same."""
    printed = fed(b"x" * 300_000 + b"one")
    assert printed.find("one", SEARCH)
    for _ in range(30):
        printed.feed(b"y" * 100_000 + b"two")
        assert printed.find("two", SEARCH)
        assert not printed.find("two", SEARCH)
    assert len(printed._text) < KEEP_AT_LEAST


def test_the_last_lines_are_those_after_the_last_match() -> None:
    """What stood before it has been asked for."""
    printed = fed(b"one\ntwo\n")
    assert printed.find("one\n", SEARCH)
    printed.feed(b"three\nfour")
    assert printed.last_lines(2) == ["three", "four"]
    assert printed.last_lines(5) == ["two", "three", "four"]


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        (b"\x1b[1;31mload\x1b[0m 100%\n", "load 100%\n"),
        (b"\x1b]0;a title\x07ready\x1b]8;;http://x\x1b\\ for\x1b(B 3\x1b=\n", "ready for 3\n"),
        (b"\x1b[?25lload 1%\rload 50%\r\x1b[Kload 100%\r\n", "load 1%\nload 50%\nload 100%\n"),
        (b"\r\rone\r\r\ntwo\n\rthree", "one\ntwo\nthree"),
        (b"a\x07\x00b\x08\tc\x7f", "ab\tc"),
        ("größer\x1b[m ❯\n".encode(), "größer ❯\n"),
    ],
)
def test_what_a_person_sees(printed: bytes, seen: str) -> None:
    """Control sequences are taken out; each state of a line that is written anew is a line."""
    assert _read(printed) == seen


@given(
    st.lists(
        st.sampled_from(
            ["a", "\r", "\n", "\x1b[3", "1m", "\x1b]0;", "t", "\x07", "\x1b", "\\", "(B", "é", "\t"]
        )
    ).map(lambda pieces: "".join(pieces).encode()),
    st.data(),
)
def test_what_a_person_sees_does_not_depend_on_the_pieces(printed: bytes, data: st.DataObject) -> None:
    """A read may end within a sequence, a character or a line end."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(printed)), max_size=4)))
    pieces = [printed[begin:end] for begin, end in pairwise([0, *cuts, len(printed)])]
    assert _read(*pieces) == _read(printed)


def _read(*pieces: bytes) -> str:
    """All that was seen, with each piece decoded on its own."""
    output = SearchableOutput()
    for piece in pieces:
        output.feed(piece)
        output.find("x{9}", SEARCH)
    return output._text


def test_a_sequence_without_an_end_does_not_fill_the_memory() -> None:
    """It is text again, of which the latest part is kept."""
    output = SearchableOutput()
    output.feed(b"\x1b]0;")
    for _ in range(5):
        output.feed(b"y" * 1000)
        output.find("x", SEARCH)
    assert output.find("y{5000}", SEARCH)
