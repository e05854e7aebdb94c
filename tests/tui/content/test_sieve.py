"""What passes a test, found in slices, in a sequence that grows at one end and forgets at the other."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.tui.content.sieve import Sieve


def even(index: int) -> bool:
    """The test of these tests."""
    return index % 2 == 0


def ticks(count: int) -> Callable[[], float]:
    """A clock that is late after so many looks at it."""
    left = iter(range(count - 1))
    return lambda: 0.0 if next(left, None) is not None else 2.0


def passed(sieve: Sieve) -> list[int]:
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
    sieve = Sieve(passes, end)
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
    sieve = Sieve(even, 1000)
    assert not sieve.scan(0, 1000, 1.0, ticks(4))
    assert passed(sieve) == [996, 998]
    assert sieve.reaches(996)
    assert not sieve.reaches(995)


def test_what_is_new_is_tested_before_what_is_older() -> None:
    """A flood that goes on does not wait for the rest of the log."""
    sieve = Sieve(even, 1000)
    sieve.scan(0, 1000, 1.0, ticks(2))
    sieve.scan(0, 1004, 1.0, ticks(4))
    assert passed(sieve) == [998, 1000, 1002]


def test_places_are_kept_for_life() -> None:
    """Neither what is found later nor what is forgotten moves what has a place."""
    sieve = Sieve(even, 100)
    sieve.scan(0, 100, 1.0, ticks(10))
    place = sieve.place(96)
    while not sieve.scan(0, 110, 1.0, ticks(9)):
        assert sieve[place] == 96
    sieve.forget(90)
    assert sieve[place] == 96
    assert (sieve.first >= 0, len(sieve)) == (True, 10)


def test_the_place_of_what_did_not_pass_is_that_of_the_next() -> None:
    """So a cursor on a line that is hidden goes to the nearest one shown."""
    sieve = Sieve(even, 10)
    sieve.scan(0, 10, 1.0, ticks(100))
    assert sieve[sieve.place(3)] == 4
    assert sieve.place(9) == sieve.end
