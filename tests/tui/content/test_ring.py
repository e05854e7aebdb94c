"""The ring: bounded, and each item keeps its index for life."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.tui.content.ring import Ring


@given(
    weights=st.lists(st.integers(1, 50), max_size=60), limit=st.integers(1, 10), budget=st.integers(1, 100)
)
def test_it_holds_the_newest_items_within_its_bounds(weights: list[int], limit: int, budget: int) -> None:
    """Whatever is appended, the ring holds the newest items: as many as the bounds allow, at least one."""
    ring: Ring[int] = Ring(limit, budget)
    for index, weight in enumerate(weights):
        ring.append(index, weight)
    assert ring.end == len(weights)
    assert [ring[index] for index in range(ring.first, ring.end)] == list(range(ring.first, len(weights)))
    held = weights[ring.first :]
    assert len(ring) == len(held) <= limit
    assert sum(held) <= budget or len(held) == 1
    if ring.first:
        more = weights[ring.first - 1 :]
        assert len(more) > limit or sum(more) > budget, "an item was forgotten before it had to be"


def test_an_index_that_is_not_held_is_an_error() -> None:
    """A forgotten item and one to come are told apart from those held."""
    ring: Ring[str] = Ring(2, 100)
    for item in "abc":
        ring.append(item)
    assert ring[1] == "b"
    with pytest.raises(IndexError, match="item 0 is not held; 1 to 2 are"):
        ring[0]
    with pytest.raises(IndexError):
        ring[3]
