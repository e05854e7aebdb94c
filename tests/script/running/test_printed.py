"""What a child prints, searched while it comes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.script.running.printed import KEPT, Printed


def fed(*pieces: bytes) -> Printed:
    printed = Printed()
    for piece in pieces:
        printed.feed(piece)
    return printed


def test_a_search_begins_behind_the_last_match() -> None:
    """Each line is found once, in the order in which it was printed."""
    printed = fed(b"one\ntwo\none\n")
    assert printed.find("one")
    assert printed.find("one")
    assert not printed.find("one")
    assert not printed.find("two")
    printed.feed(b"two\n")
    assert printed.find("two")


@given(st.lists(st.integers(1, 20)), st.integers(0, 30))
def test_a_match_may_span_pieces(cuts: list[int], before: int) -> None:
    """However the text is cut, a character in two included."""
    data = ("x" * before + "begin … — é 🎉 end").encode()
    printed = Printed()
    found = False
    for cut in [*cuts, len(data)]:
        piece, data = data[:cut], data[cut:]
        printed.feed(piece)
        found = printed.find("begin … — é 🎉 end") or found
    assert found


def test_lines_have_a_beginning_and_an_end() -> None:
    """So that a whole line can be asked for."""
    printed = fed(b"not ready\nready\nset\n")
    assert printed.find("^ready$")
    assert printed.find("^set$")


def test_what_is_no_text_is_replaced() -> None:
    """And hides nothing that stands around it."""
    assert fed(b"a\xff\xfeb").find("a\N{REPLACEMENT CHARACTER}{2}b")


def test_a_match_longer_than_the_reach_is_found_once_nothing_more_comes() -> None:
    """Before, only the text that is new is searched, and what stands before it within reach."""
    printed = fed(b"begin" + b"." * 200_000)
    assert not printed.find("(?s)begin.*end")
    printed.feed(b"end")
    assert not printed.find("(?s)begin.*end")
    assert printed.find("(?s)begin.*end", final=True)


def test_a_match_within_reach_is_found_at_once_in_a_long_text() -> None:
    """Though the text before it was searched already."""
    printed = fed(b"." * 500_000)
    assert not printed.find("begin.*end")
    printed.feed(b"begin" + b"." * 1000)
    assert not printed.find("begin.*end")
    printed.feed(b"end")
    assert printed.find("begin.*end")


def test_a_long_text_is_not_searched_again_for_each_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """All searches together look at a small multiple of the text."""
    looked_at = 0

    class Expression:
        def search(self, text: str, start: int) -> None:
            nonlocal looked_at
            looked_at += len(text) - start

    class Expressions:
        MULTILINE = 0

        @staticmethod
        def compile(*_: Any) -> Expression:
            return Expression()

    monkeypatch.setattr("tui_ipc.script.running.printed.re", Expressions)
    printed = Printed()
    for _ in range(500):
        printed.feed(b"." * 2000)
        assert not printed.find("x")
        assert not printed.find("x")  # nothing is new
    assert looked_at < 45 * 500 * 2000  # 125 times with every piece a search of all


@pytest.mark.parametrize("looking", [False, True])
def test_of_an_endless_text_the_end_is_kept(looking: bool) -> None:
    """Whether or not anybody looks at it."""
    printed = fed(b"early\n")
    for _ in range(100):
        printed.feed(b"x" * 65536)
        if looking:
            assert not printed.find("z")
    printed.feed(b"late\n")
    assert not printed.find("early", final=True)
    assert printed.find("x{1000}late", final=True)
    assert len(printed._text) < 4 * KEPT


def test_what_was_found_long_ago_is_forgotten() -> None:
    """What follows it is found all the same."""
    printed = fed(b"x" * 300_000 + b"one")
    assert printed.find("one")
    for _ in range(30):
        printed.feed(b"y" * 100_000 + b"two")
        assert printed.find("two")
        assert not printed.find("two")
    assert len(printed._text) < KEPT


def test_the_last_lines_are_those_behind_the_last_match() -> None:
    """What stood before it has been asked for."""
    printed = fed(b"one\ntwo\n")
    assert printed.find("one\n")
    printed.feed(b"three\nfour")
    assert printed.last_lines(2) == ["three", "four"]
    assert printed.last_lines(5) == ["two", "three", "four"]
