"""The value that an event keeps of a message."""

import gc
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given

from tests.support.message_strategies import arrived, hostile, same, values
from tests.support.sessions import is_closed
from tui_ipc import FileDescriptor, SharedMemory, channel
from tui_ipc.events import MessageReceived
from tui_ipc.events.message_values import (
    MessageStore,
    RecordedHandle,
    close_handles,
    decode_stored,
    estimate_memory,
    may_hold_handles,
)
from tui_ipc.ipc.errors import IpcError, ProtocolError
from tui_ipc.ipc.wire import FILE_DESCRIPTOR, NESTING_LIMIT, RECEIVER, SENDER, SHARED_MEMORY, announce, encode


@given(value=values)
def test_a_value_is_rebuilt_as_it_arrived(value: Any) -> None:
    """What was packed comes back."""
    assert same(decode_stored(encode(value)), arrived(value))


@given(data=hostile)
def test_bytes_that_are_not_a_message_are_refused(data: bytes) -> None:
    """Whatever the bytes are, the outcome is a value or an error of ours."""
    with suppress(IpcError):
        decode_stored(data)


def test_a_recorded_handle_is_shown_as_text() -> None:
    """By its kind, without a descriptor."""
    sender, receiver = b"\xd4\x01\x00", b"\xd4\x02\x01"
    memory = b"\xc7\x09\x03\x02" + bytes(8)
    file = b"\xd4\x05\x03"
    raw = b"\x94" + sender + receiver + memory + file
    assert decode_stored(raw) == ["<sender>", "<receiver>", "<shared memory>", "<file descriptor>"]
    for handle in (sender, receiver, memory, file):
        assert may_hold_handles(b"\x92\x00" + handle)


def test_messages_without_handles_are_known_by_their_bytes() -> None:
    """So that not every value of them has to be looked at."""
    assert not may_hold_handles(encode([{"id": 1, "text": "✓", "none": None}, -1, 1 << 40] * 100))


@pytest.mark.parametrize(
    "value",
    [
        [{} for _ in range(2_000)],
        [{"id": number + 1_000, "tags": ["a", "b"]} for number in range(2_000)],
        {f"key {number}": number / 7 for number in range(2_000)},
        [float(number) for number in range(10_000)],
        ["text" * 1_000 + str(number) for number in range(100)],
    ],
)
def test_the_memory_of_a_value_is_estimated(value: Any) -> None:
    """To a factor of two, from some of its values."""
    raw = encode(value)
    gc.collect()
    tracemalloc.start()
    try:
        held = decode_stored(raw)
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert used / 2 < estimate_memory(held, raw) < used * 2


def test_a_value_that_nests_without_an_end_is_estimated() -> None:
    """Each level looks at less."""
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    assert estimate_memory(value, bytes(2_000)) > 0
    while value:  # level by level: freeing it at once would recurse
        value = value[0]


def test_large_messages_are_held_as_their_bytes() -> None:
    """What is looked at is decoded, and the latest of it held, as far as it fits."""
    store = MessageStore(budget=1)
    values: list[Any] = [[{"number": number}] * 300 for number in range(3)]
    messages = [MessageReceived(at=1, run=1, number=1, value=each, raw=encode(each)) for each in values]
    assert all(map(MessageStore.is_worthwhile, messages))
    held = [store.hold(message) for message in messages]
    assert [message.value for message in held] == [None, None, None]
    assert store.load(held[2]) is messages[2]
    assert store.load(held[0]) == messages[0]
    assert store.load(held[0]) is store.load(held[0])
    assert store.load(held[2]) is not messages[2]


def test_an_announcement_is_not_a_message() -> None:
    """It only says that a message follows elsewhere."""
    with pytest.raises(ProtocolError, match="announces"):
        decode_stored(announce(70_000))


@given(values)
def test_a_value_without_handles_is_left_as_it_is(value: Any) -> None:
    assert close_handles(value) is value


def test_handles_become_text_wherever_they_are() -> None:
    sender, receiver = channel()
    with SharedMemory(b"data") as memory, FileDescriptor(0) as file:
        value = close_handles({"a": [sender, {"b": receiver}], "c": memory, 5: file})
        assert file.closed
    assert value == {
        "a": ["<sender>", {"b": "<receiver>"}],
        "c": "<shared memory>",
        5: "<file descriptor>",
    }
    assert is_closed(sender)
    assert is_closed(receiver)


def test_a_handle_alone_becomes_text() -> None:
    sender, receiver = channel()
    assert (close_handles(sender), close_handles(receiver)) == ("<sender>", "<receiver>")
    assert is_closed(sender)
    assert is_closed(receiver)


def test_handles_in_keys_are_closed_as_well() -> None:
    """No child needs that; a hostile one can."""
    sender, receiver = channel()
    value = close_handles({sender: 1, (1, (receiver, 2)): 2, (3, 4): 3, b"k": 4})
    assert value == {"<sender>": 1, "<a list with 1 handles>": 2, (3, 4): 3, b"k": 4}
    assert is_closed(sender)
    assert is_closed(receiver)


def test_a_deeply_nested_value_is_searched() -> None:
    sender, receiver = channel()
    value: Any = [sender, receiver]
    for _ in range(NESTING_LIMIT):
        value = [value]
    close_handles(value)
    assert is_closed(sender)
    assert is_closed(receiver)


def test_recorded_handles_are_shown_by_their_kind() -> None:
    """What a recording holds of a message with handles; there is nothing to close."""
    kinds = (SENDER, RECEIVER, SHARED_MEMORY, FILE_DESCRIPTOR)
    value = close_handles([RecordedHandle(kind) for kind in kinds])
    assert value == ["<sender>", "<receiver>", "<shared memory>", "<file descriptor>"]
