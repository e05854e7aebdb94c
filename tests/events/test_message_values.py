"""The value of a message from its bytes alone."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given

from tests.ipc.messages import arrived, hostile, same, values
from tui_ipc.events.message_values import decode_stored
from tui_ipc.ipc.errors import IpcError, ProtocolError
from tui_ipc.ipc.wire import announce, encode


@given(value=values)
def test_a_value_is_rebuilt_as_it_arrived(value: Any) -> None:
    """What was packed comes back."""
    assert same(decode_stored(encode(value)), arrived(value))


@given(data=hostile)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    """Whatever the bytes are, the outcome is a value or an error of ours."""
    with suppress(IpcError):
        decode_stored(data)


def test_handles_are_words() -> None:
    """Their descriptors are gone; what they were is told, of each."""
    sender, receiver = b"\xd4\x01\x00", b"\xd4\x02\x01"
    memory = b"\xc7\x09\x03\x02" + bytes(8)
    raw = b"\x93" + sender + receiver + memory
    assert decode_stored(raw) == ["<sender>", "<receiver>", "<shared memory>"]


def test_an_announcement_is_no_message() -> None:
    """It only says that a message follows elsewhere."""
    with pytest.raises(ProtocolError, match="announces"):
        decode_stored(announce(70_000))
