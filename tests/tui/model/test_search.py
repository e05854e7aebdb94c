"""What is looked for in a text."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.tui.model.search import IncrementalFilter, SearchPatternError, compile_search


@pytest.mark.parametrize(
    ("wanted", "text", "found"),
    [
        ("hello", "Say HELLO twice", "HELLO"),
        ("Hello", "hello, Hello", "Hello"),
        ("a.c", "abc a.c", "a.c"),
        (r"/a.c/", "xAbC", "AbC"),
        (r"/\S+x/", "ABX abx", "ABX"),  # the capital of an escape asks for nothing
        ("/A./", "ab Ab", "Ab"),
        ("/", "1/2", "/"),
        ("/usr", "cd /usr", "/usr"),
        ("/[[x]/", "a[b", "["),  # Python warns that this might mean something else one day
    ],
)
def test_what_is_found(wanted: str, text: str, found: str) -> None:
    """Words as they stand or expressions between slashes; a capital asks for capitals."""
    match = compile_search(wanted).search(text)
    assert match is not None
    assert match.group() == found


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("/(/", "regex: missing ), unterminated subpattern at position 0"),
        ("//", "regex: nothing stands between the slashes"),
        ("/(?L)a/", "regex: bad inline flags: cannot use 'L' flag with a str pattern at position 3"),
        ("/a{99999999999}/", "regex: the repetition number is too large"),
        (f"/{'(' * 5000}{')' * 5000}/", "regex: nested too deeply"),
    ],
)
def test_what_is_no_expression_is_told(wanted: str, sentence: str) -> None:
    """The sentence says what is wrong, and where."""
    with pytest.raises(SearchPatternError) as caught:
        compile_search(wanted)
    assert str(caught.value) == sentence


@given(st.text(max_size=30) | st.text("/()[]{}*+?|\\^$.a1-<>=!#:", max_size=12).map("/{}/".format))
def test_any_text_can_be_looked_for_or_is_refused_with_a_sentence(text: str) -> None:
    """No text is a mistake of ours, and none warns."""
    try:
        compile_search(text).search(text)
    except SearchPatternError:
        assert text.startswith("/")


def even(index: int) -> bool:
    """The test of these tests."""
    return index % 2 == 0


def ticks(count: int) -> Callable[[], float]:
    """A clock that is late after so many looks at it."""
    left = iter(range(count - 1))
    return lambda: 0.0 if next(left, None) is not None else 2.0


def passed(sieve: IncrementalFilter) -> list[int]:
    """What is held, in the order of its places."""
    return [sieve[place] for place in range(sieve.first, sieve.end)]


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 7)),
        max_size=30,
    ),
    st.integers(0, 20),
)
def test_it_holds_what_a_plain_loop_finds(steps: list[tuple[int, int, int]], begun: int) -> None:
    """However the sequence moves between slices, in the end all that is held was tested, once each."""
    asked: list[int] = []

    def passes(index: int) -> bool:
        asked.append(index)
        return even(index)

    first, end = 0, begun
    sieve = IncrementalFilter(passes, end)
    for grown, forgotten, looks in steps:
        end += grown
        first = min(end, first + forgotten)
        sieve.scan(first, end, 1.0, ticks(looks))
        assert all(first <= index < end for index in passed(sieve))
    while not sieve.scan(first, end, 1.0, ticks(3)):
        pass
    assert passed(sieve) == [index for index in range(first, end) if even(index)]
    assert len(asked) == len(set(asked))


def test_the_newest_are_found_first() -> None:
    """One who looks at the end of a long log sees what passes there after the first slice."""
    sieve = IncrementalFilter(even, 1000)
    assert not sieve.scan(0, 1000, 1.0, ticks(4))
    assert passed(sieve) == [996, 998]
    assert sieve.reaches(996)
    assert not sieve.reaches(995)


def test_what_is_new_is_tested_before_what_is_older() -> None:
    """A flood that goes on does not wait for the rest of the log."""
    sieve = IncrementalFilter(even, 1000)
    sieve.scan(0, 1000, 1.0, ticks(2))
    sieve.scan(0, 1004, 1.0, ticks(4))
    assert passed(sieve) == [998, 1000, 1002]


def test_places_are_kept_for_life() -> None:
    """Neither what is found later nor what is forgotten moves what has a place."""
    sieve = IncrementalFilter(even, 100)
    sieve.scan(0, 100, 1.0, ticks(10))
    place = sieve.place(96)
    while not sieve.scan(0, 110, 1.0, ticks(9)):
        assert sieve[place] == 96
    sieve.forget(90)
    assert sieve[place] == 96
    assert (sieve.first >= 0, len(sieve)) == (True, 10)


def test_the_place_of_what_did_not_pass_is_that_of_the_next() -> None:
    """So a cursor on a line that is hidden goes to the nearest one shown."""
    sieve = IncrementalFilter(even, 10)
    sieve.scan(0, 10, 1.0, ticks(100))
    assert sieve[sieve.place(3)] == 4
    assert sieve.place(9) == sieve.end
