"""The asyncio endpoints, cancelled: at whatever moment, nothing is lost and nothing is torn."""

import asyncio
import random
import threading
from typing import Any, TypeVar

import pytest

from tests.ipc.conftest import MakeChannel
from tests.support.event_loops import MIB, TURNS, AioPair, cancelled, fill, run, turns, until
from tui_ipc import Disconnected
from tui_ipc.ipc import aio
from tui_ipc.ipc.wire import SHORT_LIMIT

T = TypeVar("T")


# ----------------------------------------------------------------------------------------- Cancelled receives


@pytest.mark.parametrize("size", [10, 200_000], ids=["small", "large"])
@pytest.mark.parametrize("waits_first", [True, False], ids=["waits", "finds it"])
def test_a_cancelled_receive_loses_nothing(aio_ends: AioPair, size: int, waits_first: bool) -> None:
    """Cancelled receive loses nothing, at whatever turn of the loop it is cancelled."""
    sender, receiver = aio_ends

    async def main() -> None:
        for turn in range(TURNS):
            message = f"{turn}" * size
            sending = asyncio.create_task(sender.send(message)) if not waits_first else None
            waiting = asyncio.create_task(receiver.recv())
            if waits_first:
                await turns(2)
                sending = asyncio.create_task(sender.send(message))
            assert sending is not None
            await turns(turn)
            got = await cancelled(waiting) or await receiver.recv()
            assert got == message
            await sending

    run(main(), sender, receiver)


@pytest.mark.parametrize("seed", range(4))
def test_random_cancels_while_messages_flow(make_channel: MakeChannel, seed: int) -> None:
    """Cancelled receive loses nothing: 10 000 messages flow from a thread, receives are cancelled at random,
    and all arrive, each once and in order.
    """
    chance = random.Random(seed)
    count = 10_000
    blocking_sender, blocking_receiver = make_channel()

    def flow() -> None:
        for number in range(count):
            blocking_sender.send(number if number % 500 else [number, "x" * (SHORT_LIMIT + 1)])
        blocking_sender.close()

    async def main() -> None:
        expected = 0
        with aio.Receiver(blocking_receiver) as receiver:
            while expected < count:
                form = chance.choice((receiver.recv, receiver.recv_message))
                task: asyncio.Task[Any] = asyncio.create_task(form())
                await turns(chance.choice((0, 0, 1, 1, 2, 3, 5)))
                got = await (cancelled(task) if chance.random() < 0.5 else task)
                if got is not None:
                    value = got.value if form == receiver.recv_message else got
                    assert (value[0] if isinstance(value, list) else value) == expected
                    expected += 1
            with pytest.raises(Disconnected):
                await receiver.recv()

    thread = threading.Thread(target=flow)
    thread.start()
    run(main())
    thread.join()


def test_a_receive_that_times_out_leaves_the_message_to_the_next(aio_ends: AioPair) -> None:
    """``asyncio.timeout`` is the deadline of a receive, in the middle of a large message as well."""
    sender, receiver = aio_ends

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await receiver.recv()
        sending = asyncio.create_task(sender.send(bytes(20 * MIB)))
        waiting = asyncio.create_task(receiver.recv())
        await until(lambda: bool(receiver._blocking._bodies))
        assert await cancelled(waiting) is None
        assert await receiver.recv() == bytes(20 * MIB)
        await sending

    run(main(), sender, receiver)


def test_a_task_that_changes_its_mind_twice(aio_ends: AioPair) -> None:
    """A receive is cancelled twice at once, and another task receives meanwhile: it gets the message."""
    sender, receiver = aio_ends

    async def main() -> None:
        first = asyncio.create_task(receiver.recv())
        await turns(2)
        first.cancel()
        first.cancel()
        second = asyncio.create_task(receiver.recv())
        await sender.send("hello")
        assert await second == "hello"
        assert first.cancelled()

    run(main(), sender, receiver)


# -------------------------------------------------------------------------------------------- Cancelled sends


def test_a_cancelled_send_of_50_mib_tears_nothing(aio_ends: AioPair) -> None:
    """Cancelled send tears nothing: in the middle of 50 MiB, which then never arrive; what follows is
    intact.
    """
    sender, receiver = aio_ends

    async def main() -> None:
        for _ in range(3):
            sending = asyncio.create_task(sender.send(bytes(50 * MIB)))
            receiving = asyncio.create_task(receiver.recv())
            await until(lambda: bool(receiver._blocking._bodies))
            await turns(3)
            assert not sending.done()
            assert not receiving.done()
            sending.cancel()
            await sender.send("after")
            assert await receiving == "after"

    run(main(), sender, receiver)


@pytest.mark.parametrize("before", range(62, 67))
def test_a_cancelled_large_send_in_a_flood_tears_nothing(aio_ends: AioPair, before: int) -> None:
    """Cancelled send tears nothing: a large one, begun just when the flood before it owes the loop a turn."""
    sender, receiver = aio_ends

    async def main() -> None:
        for turn in range(4):
            for number in range(before):
                await sender.send(number)
            sending = asyncio.create_task(sender.send(bytes(5 * MIB)))
            await turns(turn)
            await cancelled(sending)
            await sender.send("after")
            assert [await receiver.recv() for _ in range(before + 1)] == [*range(before), "after"]

    run(main(), sender, receiver)


def test_a_cancelled_inline_send_arrives_whole_or_not_at_all(aio_inline: AioPair) -> None:
    """Cancelled send tears nothing: inline, what was begun goes out by itself before the next message."""
    sender, receiver = aio_inline
    large = bytes(5 * MIB)

    async def main() -> None:
        sending = asyncio.create_task(sender.send(large))
        await turns(4)
        assert not sending.done()
        await cancelled(sending)
        assert await receiver.recv() == large  # with nobody sending any more
        again = asyncio.create_task(sender.send(large))
        await turns(4)
        await cancelled(again)
        after = asyncio.create_task(sender.send("after"))
        await turns(2)
        assert [await receiver.recv(), await receiver.recv()] == [large, "after"]
        await after

    run(main(), sender, receiver)


def test_a_cancelled_inline_send_whose_peer_goes_leaves_nothing_with_the_loop(aio_inline: AioPair) -> None:
    """Cancelled send: if the peer goes before the rest is written, the loop forgets it and the next send says
    so.
    """
    sender, receiver = aio_inline

    async def main() -> None:
        sending = asyncio.create_task(sender.send(bytes(5 * MIB)))
        await turns(4)
        await cancelled(sending)
        receiver.close()
        await turns(4)
        with pytest.raises(Disconnected):
            await sender.send("anyone?")

    run(main(), sender, receiver)


def test_a_cancelled_inline_send_and_a_close_leave_nothing_with_the_loop(aio_inline: AioPair) -> None:
    """Cancelled send, then close: the descriptor's number is free for whatever is opened next."""
    sender, _ = aio_inline

    async def main() -> None:
        sending = asyncio.create_task(sender.send(bytes(5 * MIB)))
        await turns(4)
        await cancelled(sending)
        sender.close()

    run(main(), sender)


@pytest.mark.parametrize("size", [10, 30_000])
def test_a_cancelled_send_that_waits_for_room_sends_nothing(aio_ends: AioPair, size: int) -> None:
    """Cancelled send tears nothing: one that was blocked by a full channel has sent nothing."""
    sender, receiver = aio_ends

    async def main() -> None:
        taken = await fill(sender, "x" * size)
        assert taken > 0
        waiting = [asyncio.create_task(sender.send(name)) for name in ("a", "b", "c")]
        await turns(2)
        await cancelled(waiting[1])
        received = [await receiver.recv() for _ in range(taken)]
        assert received == ["x" * size] * taken
        assert [await receiver.recv(), await receiver.recv()] == ["a", "c"]

    run(main(), sender, receiver)


@pytest.mark.parametrize("seed", range(4))
def test_random_cancels_of_sends(aio_either: AioPair, seed: int) -> None:
    """Cancelled send tears nothing: sends of all sizes, cancelled at random; what arrives is whole and in
    order, and holds each message whose send returned (inline also one that was begun, then cancelled).
    """
    sender, receiver = aio_either
    chance = random.Random(seed)
    sent, begun = set(), set()

    async def send() -> None:
        with sender:
            for number in range(400):
                size = chance.choice((1, 100, 20_000, 150_000, 700_000))
                task = asyncio.create_task(sender.send([number, "x" * size, size]))
                await turns(chance.choice((0, 1, 2, 4, 8)))
                if chance.random() < 0.5:
                    task.cancel()
                try:
                    await task
                    sent.add(number)
                except asyncio.CancelledError:
                    begun.add(number)
            await sender.send([400, "", 0])  # after which nothing begun is left
            sent.add(400)

    async def main() -> list[int]:
        sending = asyncio.create_task(send())
        numbers: list[int] = []
        while numbers[-1:] != [400]:
            number, text, size = await receiver.recv()
            assert len(text) == size
            numbers.append(number)
        await sending
        return numbers

    numbers = run(main(), sender, receiver)
    assert numbers == sorted(set(numbers))
    assert sent <= set(numbers) <= sent | begun


@pytest.mark.parametrize("size", [100, 3 * MIB])
def test_a_message_that_waits_for_room_tells_how_much_of_it_has_left(aio_either: AioPair, size: int) -> None:
    """A short one nothing, a long one what its stream has taken; afterwards there is none."""
    sender, receiver = aio_either

    async def main() -> None:
        if size == 100:
            await fill(sender, bytes(1000))
        sending = asyncio.create_task(sender.send(bytes(size)))
        await until(lambda: sender.under_way is not None)
        delivery = sender.under_way
        assert delivery is not None
        left, whole = delivery.progress()
        assert whole > size
        assert left == 0 if size == 100 else 0 < left < size
        receiver.close()
        with pytest.raises(Disconnected):
            await sending
        assert sender.under_way is None

    run(main())
