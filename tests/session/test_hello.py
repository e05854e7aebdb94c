"""Reading hellos, and taking the life out of values."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_ipc import Closed, Message, Receiver, Sender, SharedMemory, channel
from tui_ipc.ipc.wire import NESTING_LIMIT, RECEIVER, SENDER, SHARED_MEMORY
from tui_ipc.session.hello import FormerHandle, Hello, NoHello, read_hello, settled

GOOD = {"tui-ipc": 1, "pid": 7, "name": "x"}
keys = st.text() | st.integers()
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner),
)


def is_closed(handle: Sender[Any] | Receiver[Any]) -> bool:
    """Whether its descriptor is gone."""
    try:
        handle.fileno()
    except Closed:
        return True
    return False


def test_a_hello_without_channels_is_inline() -> None:
    assert read_hello(Message(dict(GOOD), b"")) == Hello("x", 7, None)


def test_the_channels_of_a_hello_stay_open_and_every_other_handle_is_closed() -> None:
    to_child, other = channel()
    another, from_child = channel()
    value = {**GOOD, "to_child": to_child, "from_child": from_child, "more": [other, {"and": another}]}
    assert read_hello(Message(value, b"")).channels == (to_child, from_child)
    assert [is_closed(one) for one in (to_child, from_child, other, another)] == [False, False, True, True]
    to_child.close()
    from_child.close()


@pytest.mark.parametrize("key", list(GOOD))
def test_what_is_no_hello_closes_its_handles_wherever_they_are(key: str) -> None:
    """Also where the version, the pid or the name should be."""
    ends = channel()
    value = {**GOOD, "to_child": ends[0], "from_child": ends[1]} | {key: ends[0]}
    with pytest.raises(NoHello):
        read_hello(Message(value, b""))
    assert [is_closed(end) for end in ends] == [True, True]


@given(values)
def test_any_other_first_message_is_told_with_its_size_in_one_line(value: Any) -> None:
    with pytest.raises(NoHello, match=r"its first message, of \d+ bytes, ") as caught:
        read_hello(Message(value, b"123"))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@given(values)
def test_a_value_without_handles_is_left_as_it_is(value: Any) -> None:
    assert settled(value) is value


def test_handles_become_text_wherever_they_are() -> None:
    sender, receiver = channel()
    with SharedMemory(b"data") as memory:
        value = settled({"a": [sender, {"b": receiver}], "c": memory, 5: None})
    assert value == {"a": ["<sender>", {"b": "<receiver>"}], "c": "<shared memory>", 5: None}
    assert is_closed(sender)
    assert is_closed(receiver)


def test_a_handle_alone_becomes_text() -> None:
    sender, receiver = channel()
    assert (settled(sender), settled(receiver)) == ("<sender>", "<receiver>")
    assert is_closed(sender)
    assert is_closed(receiver)


def test_handles_in_keys_are_closed_as_well() -> None:
    """No child needs that; a hostile one can."""
    sender, receiver = channel()
    value = settled({sender: 1, (1, (receiver, 2)): 2, (3, 4): 3, b"k": 4})
    assert value == {"<sender>": 1, "<a list with 1 handles>": 2, (3, 4): 3, b"k": 4}
    assert is_closed(sender)
    assert is_closed(receiver)


def test_depth_is_no_obstacle() -> None:
    sender, receiver = channel()
    value: Any = [sender, receiver]
    for _ in range(NESTING_LIMIT):
        value = [value]
    settled(value)
    assert is_closed(sender)
    assert is_closed(receiver)


def test_former_handles_are_shown_as_those_that_they_were() -> None:
    """What a recording holds of a message with handles; there is nothing to close."""
    kinds = (SENDER, RECEIVER, SHARED_MEMORY)
    value = settled([FormerHandle(kind) for kind in kinds])
    assert value == ["<sender>", "<receiver>", "<shared memory>"]
