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
from tui_ipc.script.runner.session_driver import SessionDriver, TooManyMessages
from tui_ipc.session.conversation import NotConnected


@asynccontextmanager
async def watching(
    session: FakeSession, told: list[AnyEvent], tell: Callable[[AnyEvent], Awaitable[None]] | None = None
) -> AsyncIterator[SessionDriver]:
    """A watcher whose handshake is over."""

    async def note(event: AnyEvent) -> None:
        told.append(event)
        if tell is not None:
            await tell(event)

    async with SessionDriver(session, note) as watcher:
        await watcher.settled()
        yield watcher


def test_a_message_that_leaves_at_once_makes_no_task_and_sets_no_timer() -> None:
    """An exchange costs no more than it must."""

    async def main() -> None:
        session = FakeSession(opened(), lambda value: [received(value)])
        async with watching(session, []) as watcher:
            life = watcher.life
            before = asyncio.all_tasks()
            for number in range(10):
                assert await watcher.send(number, 5)
                assert await watcher.until(lambda: life.received, 5)
                assert life.received.take().value == number
            assert asyncio.all_tasks() == before
            assert not asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]

    run_without_waiting(main)


def test_a_message_that_has_to_wait_is_waited_for_and_the_events_are_read_meanwhile() -> None:
    """A child that cannot write would never read."""

    async def main() -> None:
        told: list[AnyEvent] = []
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
        async with watching(session, told, tell) as watcher:
            assert await watcher.send("x", 5)
        assert session.sent == ["x"]
        assert received("busy") in told

    run_without_waiting(main)


def test_a_message_that_is_not_taken_in_time_is_called_off() -> None:
    """It is never sent."""
    clock = VirtualClock()

    async def main() -> None:
        session = FakeSession(opened(), lambda value: None)
        async with watching(session, []) as watcher:
            begun = clock.now
            assert not await watcher.send("x", 5)
            assert clock.now == pytest.approx(begun + 5)
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

        async with watching(Deaf(opened()), []) as watcher:
            with pytest.raises(NotConnected, match="nobody"):
                await watcher.send("x", 5)

    run_without_waiting(main)


def test_output_that_nobody_takes_ends_any_wait() -> None:
    """That of a message that does not leave, too; the session is left all the same."""

    async def main() -> None:
        session = FakeSession(opened(), lambda value: None)
        told: list[AnyEvent] = []

        async def tell(event: AnyEvent) -> None:
            if event == printed(b"x"):
                raise OutputLostError(BrokenPipeError(32, "Broken pipe"))

        async def script() -> None:
            async with watching(session, told, tell) as watcher:
                asyncio.get_running_loop().call_later(1, session.feed, printed(b"x"), printed(b"y"))
                await watcher.send("x", 5)

        with pytest.raises(OutputLostError):
            await script()
        assert session.over
        assert told[-1] == printed(b"x")

    run_without_waiting(main)


def test_output_that_is_lost_at_the_end_is_told() -> None:
    """It was the last chance."""

    async def main() -> None:
        async def tell(event: AnyEvent) -> None:
            if event == exited():
                raise OutputLostError(BrokenPipeError(32, "Broken pipe"))

        with pytest.raises(OutputLostError):
            async with watching(FakeSession(opened()), [], tell):
                pass

    run_without_waiting(main)


def test_what_was_told_in_part_is_not_followed_by_anything() -> None:
    """Our output may break off; it has no holes."""

    async def main() -> None:
        told: list[AnyEvent] = []
        session = FakeSession(opened(), lambda value: [printed(b"much"), printed(b"more")])

        async def tell(event: AnyEvent) -> None:
            if event == printed(b"much"):
                stuck.set()
                await asyncio.Event().wait()

        async def script() -> None:
            async with watching(session, told, tell) as watcher:
                await watcher.send("x", 5)
                await watcher.until(lambda: False)

        stuck = asyncio.Event()
        task = asyncio.create_task(script())
        await stuck.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert session.over
        assert told[-1] == printed(b"much")

    run_without_waiting(main)


def test_a_restart_gives_a_run_of_its_own() -> None:
    """What the one before left untaken is no message of the new one, and is not forgotten."""

    async def main() -> None:
        session = FakeSession(opened(), lambda value: [received(each) for each in range(150)])
        async with watching(session, []) as watcher:
            first = watcher.life
            await watcher.send("x", 5)
            await watcher.quit()
            assert first.exited is not None
            second = await watcher.restart()
            assert (second.run, second.open, len(second.received)) == (2, True, 0)
            assert second is watcher.life
            assert second.exited is None
        assert watcher.life is second
        assert [message.value for message in watcher.untaken] == list(range(100))
        assert watcher.untaken_count == 150

    run_without_waiting(main)


def flood(value: Any) -> Iterable[AnyEvent]:
    return [received("x" * 1024 * 1024)] * 65  # one more than is kept


def test_a_flood_is_read_or_held_up_as_the_wait_demands() -> None:
    """Up to what is kept; more can be counted once the child is ended."""

    async def main() -> None:
        async with watching(FakeSession(opened(), flood), []) as watcher:
            await watcher.send("x", 5)
            assert not await watcher.until(lambda: False, 1, holding=True)
            assert watcher.life.received.dropped == 0
            with pytest.raises(TooManyMessages):
                await watcher.until(lambda: False, 1)
            await watcher.quit()
            assert watcher.life.received.dropped == 1

    run_without_waiting(main)


def test_events_that_are_there_are_seen_even_if_the_time_has_passed() -> None:
    """A machine that was busy elsewhere does not make a child late."""

    async def main() -> None:
        session = FakeSession(opened(), silence)
        async with watching(session, []) as watcher:
            session.feed(received("here"))
            assert await watcher.until(lambda: watcher.life.received, 0)
            assert not await watcher.until(lambda: watcher.life.closed, 0)

    run_without_waiting(main)


def test_the_end_is_seen_even_if_the_child_is_gone_already() -> None:
    """Quitting once more changes nothing."""

    async def main() -> None:
        session = FakeSession([*opened(), closed(), exited(3), audit(None)], ending=())
        async with watching(session, []) as watcher:
            assert (await watcher.quit()).exited is not None
            assert (await watcher.quit()).audit == audit(None)

    run_without_waiting(main)


def test_who_only_sends_reads_the_events_too() -> None:
    """They would pile up; those of a child that sends more than is kept stay where they are."""

    async def main() -> None:
        told: list[AnyEvent] = []
        session = FakeSession(opened(), silence)
        async with watching(session, told) as watcher:
            for number in range(1000):
                await watcher.send(number, 5)
            assert len(told) > 900
        session = FakeSession(opened(), flood)
        async with watching(session, []) as watcher:
            for number in range(130):
                await watcher.send(number, 5)
            assert watcher.life.received.full
            assert watcher.life.received.dropped == 0
            await watcher.quit()

    run_without_waiting(main)


def test_what_is_so_at_the_deadline_is_so_in_time() -> None:
    """The two may come at the same moment."""

    async def main() -> None:
        async with watching(FakeSession(opened(), silence), []) as watcher:
            done: list[int] = []
            asyncio.get_running_loop().call_later(2, done.append, 1)
            assert await watcher.until(lambda: done, 2)

    run_without_waiting(main)
