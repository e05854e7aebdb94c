"""The router: functions called with the messages of many receivers, on a thread of its own."""

import copy
import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.ipc.conftest import MakeChannel, Pair
from tests.support.threads import PATIENCE, in_threads
from tui_ipc import Closed, Disconnected, ProtocolError, ReceiverSet, Router, SharedMemory, channel

Came = queue.SimpleQueue[Any]


@pytest.fixture
def came() -> Came:
    """What functions were called with."""
    return queue.SimpleQueue()


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> Came:
    """The errors that threading.excepthook reports, instead of printing them."""
    errors: Came = queue.SimpleQueue()
    monkeypatch.setattr(
        threading, "excepthook", lambda report: errors.put((report.thread.name, report.exc_value))
    )
    return errors


@pytest.fixture
def router() -> Iterator[Router]:
    """One without errors."""
    with Router() as router:
        yield router


def next_of(came: Came) -> Any:
    return came.get(timeout=PATIENCE)


def test_many_routes_with_the_order_within_each_kept(router: Router, came: Came) -> None:
    """Added before their messages and after, from several threads, and removed when they end."""

    def add(name: int) -> None:
        sender, receiver = channel()
        with sender:
            sender.send((name, 0))
            router.add(receiver, came.put, lambda error: came.put((name, type(error))))
            for number in range(1, 50):
                sender.send((name, number))

    in_threads(*[lambda name=name: add(name) for name in range(20)])
    found: dict[int, list[Any]] = {}
    for _ in range(20 * 51):
        name, number = next_of(came)
        found.setdefault(name, []).append(number)
    assert found == {name: [*range(50), Disconnected] for name in range(20)}
    assert repr(router) == "<Router of 0>"


def test_functions_run_on_one_thread_and_may_add_routes(router: Router, came: Came) -> None:
    """A receiver that arrives is added by what it arrives at."""
    sender, receiver = channel()
    inner, travelling = channel()

    def route_on(message: Any) -> None:
        came.put(threading.current_thread())
        router.add(message, lambda message: came.put((message, threading.current_thread())))

    with sender, inner:
        router.add(receiver, route_on)
        sender.send(travelling)
        inner.send("through")
        thread = next_of(came)
        assert thread is not threading.current_thread()
        assert next_of(came) == ("through", thread)


def fail(found: Any) -> None:
    raise LookupError(found)


def test_an_error_of_a_function_is_reported_and_raised_again(
    ends: Pair, make_channel: MakeChannel, came: Came, reported: Came
) -> None:
    """At once, and when the router is closed. Its receiver is closed, what followed as well; others go on."""
    (sender, receiver), (other, other_receiver) = ends, make_channel()
    with SharedMemory(b"content") as memory:
        sender.send_many(["first", [memory]])
    router = Router()
    router.add(other_receiver, came.put)
    router.add(receiver, fail)
    name, error = next_of(reported)
    assert (name, type(error)) == ("tui-ipc router", LookupError)
    other.send("goes on")
    assert next_of(came) == "goes on"
    with pytest.raises(Disconnected):
        sender.send("nobody")
    with pytest.raises(LookupError, match="first"):
        router.close()
    router.close()


def test_what_fails_besides_is_reported_as_well(
    ends: Pair, make_channel: MakeChannel, came: Came, reported: Came
) -> None:
    """What is called at an end; a receiver that cannot be added, since a set has it."""
    (sender, receiver), (_, other_receiver) = ends, make_channel()
    sender.close()
    router = Router()
    with ReceiverSet() as several:
        several.add(other_receiver)
        router.add(other_receiver, came.put)
        assert type(next_of(reported)[1]) is ValueError
    router.add(receiver, came.put, fail)
    assert type(next_of(reported)[1]) is LookupError
    with pytest.raises(ValueError, match="is in another set already"):
        router.close()


def test_an_end_says_why(router: Router, ends: Pair, came: Came) -> None:
    """A sender that breaks the protocol ends its own route, with the error."""
    ends[0].send_raw(b"\xc1")
    router.add(ends[1], came.put, came.put)
    assert type(next_of(came)) is ProtocolError


def test_closing_stops_within_a_batch(came: Came) -> None:
    """What was taken and not routed is closed; a function may close its own router."""
    sender, receiver = channel()
    with sender, SharedMemory(b"content") as memory, Router() as router:

        def close(message: Any) -> None:
            router.close()
            came.put(message)

        sender.send_many(["first", [memory], [memory]])
        router.add(receiver, close)
        assert next_of(came) == "first"
        router.close()
        assert came.empty()
        with pytest.raises(Disconnected):
            sender.send("nobody")


def test_closing_at_any_moment_gives_back_what_was_added(make_channel: MakeChannel, came: Came) -> None:
    """Also what the thread has not seen."""
    for _ in range(30):
        sender, receiver = make_channel()
        with Router() as router:
            router.add(receiver, came.put)
        assert receiver.closed
        with pytest.raises(Disconnected):
            sender.send("nobody")


def test_what_is_closed_is_refused(router: Router, ends: Pair, came: Came) -> None:
    """A receiver, and a router; which stays with its process."""
    with pytest.raises(TypeError, match="cannot be copied: it belongs to the process that made it"):
        copy.copy(router)
    router.close()
    assert router.closed
    assert repr(router) == "<Router closed>"
    with pytest.raises(Closed, match="this router was closed"):
        router.add(ends[1], came.put)
    ends[1].close()
    with pytest.raises(Closed, match="this receiver was closed"):
        router.add(ends[1], came.put)
