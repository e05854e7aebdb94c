"""What callers rely on when they catch an error."""

import pytest

import tui_ipc
from tui_ipc import Disconnected, IpcError, ProtocolError, TimedOut
from tui_ipc.ipc import errors

ALL = [one for one in vars(errors).values() if isinstance(one, type)]


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_one_except_catches_all(error: type[Exception]) -> None:
    """Each is an IpcError, public, and says in one sentence when it is raised."""
    assert issubclass(error, IpcError)
    assert error.__name__ in tui_ipc.__all__
    assert error.__doc__


def test_a_deadline_that_passed_is_pythons_own_timeout_error_too() -> None:
    """For code that catches only that."""
    assert issubclass(TimedOut, TimeoutError)


def test_a_protocol_error_names_the_byte_where_there_is_one() -> None:
    """In its sentence and as a number."""
    assert (str(ProtocolError("broken", 7)), ProtocolError("broken", 7).offset) == ("broken (at byte 7)", 7)
    assert (str(ProtocolError("broken")), ProtocolError("broken").offset) == ("broken", None)


def test_an_end_in_good_order_left_nothing_unfinished() -> None:
    """And one in mid-message tells how much came of it."""
    assert (Disconnected("gone").unfinished, Disconnected("gone", 3).unfinished) == (0, 3)
