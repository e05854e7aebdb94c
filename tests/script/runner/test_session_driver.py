"""What is done with a session while a script waits, with a session that a test plays."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.run_script import silence
from tests.support.scripted_session import FakeSession, audit, closed, exited, opened, printed, received
from tests.support.virtual_clock import VirtualClock, run_without_waiting
from tui_ipc.events import AnyEvent
from tui_ipc.script.output import OutputLostError
from tui_ipc.script.runner.session_driver import (
    SessionDriver,
    TooManyMessages,
)
from tui_ipc.session.conversation import NotConnected


@asynccontextmanager
async def driving(
    session: FakeSession, reported: list[AnyEvent], tell: Callable[[AnyEvent], Awaitable[None]] | None = None
) -> AsyncIterator[SessionDriver]:
    """A driver whose handshake is over."""

    async def note(event: AnyEvent) -> None:
        reported.append(event)
        if tell is not None:
            await tell(event)

    async with SessionDriver(session.as_session(), note) as driver:
        await driver.wait_for_handshake()
        yield driver


def test_a_message_sent_at_once_needs_no_task_and_no_timer() -> None:
    """An exchange costs no more than it must."""

    async def main() -> None:
        session = FakeSession(opened(), lambda value: [received(value)])
        async with driving(session, []) as driver:
            run_state = driver.run_state
            before = asyncio.all_tasks()
            for number in range(10):
                assert await driver.send(number, 5)
                assert await driver.read_events_until(lambda: run_state.received, 5)
                assert run_state.received.take().value == number
            assert asyncio.all_tasks() == before
            assert not asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]

    run_without_waiting(main)


def test_a_message_that_has_to_wait_is_waited_for_and_the_events_are_read_meanwhile() -> None:
    """A child that cannot write would never read."""

    async def main() -> None:
        reported: list[AnyEvent] = []
        taken = asyncio.Event()

        class Slow(FakeSession):
            async def send(self, value: Any) -> Any:
                self.feed(received("busy"))
                await taken.wait()
                return await super().send(value)

        async def tell(event: AnyEvent) -> None:
            if event == received("busy"):
                asyncio.get_running_loop().call_later(1, taken.set)

        session = Slow(opened(), silence)
        async with driving(session, reported, tell) as driver:
            assert await driver.send("x", 5)
        assert session.sent == ["x"]
        assert received("busy") in reported

    run_without_waiting(main)


def test_a_message_that_is_not_taken_in_time_is_called_off() -> None:
    """It is never sent."""
    clock = VirtualClock()

    async def main() -> None:
        session = FakeSession(opened(), lambda value: None)
        async with driving(session, []) as driver:
            began = clock.now
            assert not await driver.send("x", 5)
            assert clock.now == pytest.approx(began + 5)
        assert session.sent == []
        assert len(asyncio.all_tasks()) == 1

    clock.run(main())


@pytest.mark.parametrize("waits", [False, True])
def test_what_the_session_says_of_a_message_comes_out(waits: bool) -> None:
    """At once, or after a wait."""

    async def main() -> None:
        class Deaf(FakeSession):
            async def send(self, value: Any) -> Any:
                await asyncio.sleep(waits)
                raise NotConnected("nobody")

        async with driving(Deaf(opened()), []) as driver:
            with pytest.raises(NotConnected, match="nobody"):
                await driver.send("x", 5)

    run_without_waiting(main)


def test_lost_output_ends_any_wait() -> None:
    """That of a message that does not leave, too; the session is left all the same."""

    async def main() -> None:
        session = FakeSession(opened(), lambda value: None)
        reported: list[AnyEvent] = []

        async def tell(event: AnyEvent) -> None:
            if event == printed(b"x"):
                raise OutputLostError(BrokenPipeError(32, "Broken pipe"))

        async def script() -> None:
            async with driving(session, reported, tell) as driver:
                asyncio.get_running_loop().call_later(1, session.feed, printed(b"x"), printed(b"y"))
                await driver.send("x", 5)

        with pytest.raises(OutputLostError):
            await script()
        assert session.over
        assert reported[-1] == printed(b"x")

    run_without_waiting(main)


def test_output_lost_at_the_end_is_raised() -> None:
    """It was the last chance."""

    async def main() -> None:
        async def tell(event: AnyEvent) -> None:
            if event == exited():
                raise OutputLostError(BrokenPipeError(32, "Broken pipe"))

        with pytest.raises(OutputLostError):
            async with driving(FakeSession(opened()), [], tell):
                pass

    run_without_waiting(main)


def test_nothing_follows_a_report_that_was_broken_off() -> None:
    """Our output may break off; nothing is missing within it."""

    async def main() -> None:
        reported: list[AnyEvent] = []
        session = FakeSession(opened(), lambda value: [printed(b"much"), printed(b"more")])

        async def tell(event: AnyEvent) -> None:
            if event == printed(b"much"):
                stuck.set()
                await asyncio.Event().wait()

        async def script() -> None:
            async with driving(session, reported, tell) as driver:
                await driver.send("x", 5)
                await driver.read_events_until(lambda: False)

        stuck = asyncio.Event()
        task = asyncio.create_task(script())
        await stuck.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert session.over
        assert reported[-1] == printed(b"much")

    run_without_waiting(main)


def test_a_restart_gives_a_run_of_its_own() -> None:
    """What the one before left untaken is no message of the new one, and is not forgotten."""

    async def main() -> None:
        session = FakeSession(opened(), lambda value: [received(each) for each in range(150)])
        async with driving(session, []) as driver:
            first = driver.run_state
            await driver.send("x", 5)
            await driver.quit()
            assert first.exited is not None
            second = await driver.restart()
            assert (second.run, second.is_open, len(second.received)) == (2, True, 0)
            assert second is driver.run_state
            assert second.exited is None
        assert driver.run_state is second
        assert [message.value for message in driver.unclaimed] == list(range(100))
        assert driver.unclaimed_count == 150

    run_without_waiting(main)


def flood(value: Any) -> Iterable[AnyEvent]:
    return [received("x" * 1024 * 1024)] * 65  # one more than is kept


def test_a_flood_is_read_or_held_up_as_the_wait_demands() -> None:
    """Up to what is kept; more can be counted once the child is ended."""

    async def main() -> None:
        async with driving(FakeSession(opened(), flood), []) as driver:
            await driver.send("x", 5)
            assert not await driver.read_events_until(lambda: False, 1, holding=True)
            assert driver.run_state.received.dropped == 0
            with pytest.raises(TooManyMessages):
                await driver.read_events_until(lambda: False, 1)
            await driver.quit()
            assert driver.run_state.received.dropped == 1

    run_without_waiting(main)


def test_events_that_are_there_are_seen_even_if_the_time_has_passed() -> None:
    """A machine that was busy elsewhere does not make a child late."""

    async def main() -> None:
        session = FakeSession(opened(), silence)
        async with driving(session, []) as driver:
            session.feed(received("here"))
            assert await driver.read_events_until(lambda: driver.run_state.received, 0)
            assert not await driver.read_events_until(lambda: driver.run_state.is_closed, 0)

    run_without_waiting(main)


def test_the_end_is_seen_even_if_the_child_is_gone_already() -> None:
    """Quitting once more changes nothing."""

    async def main() -> None:
        session = FakeSession([*opened(), closed(), exited(3), audit(None)], ending=())
        async with driving(session, []) as driver:
            assert (await driver.quit()).exited is not None
            assert (await driver.quit()).audit == audit(None)

    run_without_waiting(main)


def test_who_only_sends_reads_the_events_too() -> None:
    """They would pile up; those of a child that sends more than is kept stay where they are."""

    async def main() -> None:
        reported: list[AnyEvent] = []
        session = FakeSession(opened(), silence)
        async with driving(session, reported) as driver:
            for number in range(1000):
                await driver.send(number, 5)
            assert len(reported) > 900
        session = FakeSession(opened(), flood)
        async with driving(session, []) as driver:
            for number in range(130):
                await driver.send(number, 5)
            assert driver.run_state.received.is_full
            assert driver.run_state.received.dropped == 0
            await driver.quit()

    run_without_waiting(main)


def test_what_is_so_at_the_deadline_is_so_in_time() -> None:
    """The two may come at the same moment."""

    async def main() -> None:
        async with driving(FakeSession(opened(), silence), []) as driver:
            done: list[int] = []
            asyncio.get_running_loop().call_later(2, done.append, 1)
            assert await driver.read_events_until(lambda: done, 2)

    run_without_waiting(main)
