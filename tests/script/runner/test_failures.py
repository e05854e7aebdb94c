"""The message that is closest to what was expected."""

from typing import Any

import pytest

from tests.support.scripted_session import received
from tui_ipc.events import MessageReceived
from tui_ipc.script.runner.failures import SkippedMessages
from tui_ipc.text.placeholders import ANY_REST


def closest(expected: Any, *values: Any) -> Any:
    skipped = SkippedMessages()
    for value in values:
        message = received(value)
        assert isinstance(message, MessageReceived)
        skipped.add(message)
    found = skipped.find_closest(expected, {})
    return found and found[0].value


@pytest.mark.parametrize(
    ("expected", "messages", "best"),
    [
        ({"a": 1, "b": 2}, [{"a": 0, "b": 0}, {"a": 1, "b": 0}, {"a": 0, "b": 1, "c": 2}], {"a": 1, "b": 0}),
        ({"a": 1, "b": 2}, ["text", {"a": 0, "b": 0, "c": 0}, 5], {"a": 0, "b": 0, "c": 0}),
        ("Child received: Hello", ["Child process", "Child received: Hallo", "x"], "Child received: Hallo"),
        ({"a": 1, ANY_REST: ANY_REST}, [{"b": 1}, {"a": 2, "b": 1}, 1], {"a": 2, "b": 1}),
        (1, [2, 3, 4], 4),
        (1, [], None),
    ],
)
def test_the_nearest_has_the_fewest_differences(expected: Any, messages: list[Any], best: Any) -> None:
    """Something else altogether is furthest; of several that are as near, the latest is taken."""
    assert closest(expected, *messages) == best


def test_of_very_many_the_latest_are_looked_at() -> None:
    """How many there were is known all the same."""
    skipped = SkippedMessages()
    for number in range(100_000):
        message = received(number)
        assert isinstance(message, MessageReceived)
        skipped.add(message)
    assert skipped.count == 100_000
    assert len(skipped._messages) == 1000


def test_of_large_ones_fewer_are_kept() -> None:
    """The bytes are bounded, too; the latest is kept whatever its size... and found."""
    skipped = SkippedMessages()
    for _ in range(40):
        message = received(bytes(1024 * 1024))
        assert isinstance(message, MessageReceived)
        skipped.add(message)
    assert len(skipped._messages) == 15
    assert skipped.find_closest(b"", {}) is not None
