"""What callers rely on when they catch an error."""

import os
import pickle
import queue
import subprocess
import sys

import pytest

import tui_ipc
from tui_ipc import Disconnected, Empty, IpcError, ProtocolError, TimedOut
from tui_ipc.ipc import errors

ALL = [one for one in vars(errors).values() if getattr(one, "__module__", "") == errors.__name__]


ENV = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}  # -S leaves out what site would add


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_one_except_catches_all(error: type[Exception]) -> None:
    """Each is an IpcError, public, and says in one sentence when it is raised."""
    assert issubclass(error, IpcError)
    assert error.__name__ in tui_ipc.__all__
    assert error.__doc__


@pytest.mark.parametrize(
    ("error", "standard"),
    [
        (TimedOut, TimeoutError),
        (Empty, queue.Empty),
        (Disconnected, EOFError),
        (Disconnected, ConnectionError),
    ],
)
def test_an_error_of_the_standard_library_too(error: type[Exception], standard: type[Exception]) -> None:
    """For code that was written for pipes and queues and catches only that."""
    with pytest.raises(standard, match="the sentence") as caught:
        raise error("the sentence")
    assert isinstance(caught.value, IpcError)


@pytest.mark.parametrize("error", [Disconnected("gone", 3), ProtocolError("broken", 7), Empty("nothing")])
def test_an_error_comes_through_a_pool(error: IpcError) -> None:
    """Pickled and back it says the same."""
    other = pickle.loads(pickle.dumps(error))
    assert (type(other), str(other), vars(other)) == (type(error), str(error), vars(error))


def test_a_child_loads_nothing_that_only_others_need() -> None:
    """Not queue for its error, nor what a parent has: it would cost every child's start."""
    code = "import sys, tui_ipc.child\n"
    code += (
        "print([n for n in ('queue', 'threading', 'subprocess', 'tui_ipc.ipc.parent') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, env=ENV
    )
    assert done.stdout == "[]\n"


def test_a_protocol_error_names_the_byte_where_there_is_one() -> None:
    """In its sentence and as a number."""
    assert (str(ProtocolError("broken", 7)), ProtocolError("broken", 7).offset) == ("broken (at byte 7)", 7)
    assert (str(ProtocolError("broken")), ProtocolError("broken").offset) == ("broken", None)


def test_an_end_in_good_order_left_nothing_unfinished() -> None:
    """And one in mid-message tells how much came of it."""
    assert (Disconnected("gone").unfinished, Disconnected("gone", 3).unfinished) == (0, 3)
