"""The asyncio endpoints under load: many channels, tasks and bytes at once, and nobody starves."""

import asyncio
import socket
import threading
from collections.abc import Awaitable
from contextlib import ExitStack
from typing import Any, TypeVar

from tests.ipc.conftest import MakeChannel
from tests.support.event_loops import MIB, AioPair, fill, run, turns
from tests.support.ipc_programs import running
from tests.support.threads import PATIENCE
from tui_ipc.ipc import aio
from tui_ipc.ipc.channel import answering
from tui_ipc.ipc.receiver import Receiver

T = TypeVar("T")


# ----------------------------------------------------------------------------------------------- Many at once


def test_both_sides_send_50_mib_at_once(make_channel: MakeChannel) -> None:
    """Both sides send 50 MiB at once: no deadlock."""
    pairs = [make_channel(), make_channel()]
    message = bytes(50 * MIB)

    async def main() -> None:
        with ExitStack() as stack:
            senders = [stack.enter_context(aio.Sender(sender)) for sender, _ in pairs]
            receivers = [stack.enter_context(aio.Receiver(receiver)) for _, receiver in pairs]
            sends = [sender.send(message) for sender in senders]
            receives = [receiver.recv() for receiver in receivers]
            results = await asyncio.gather(*sends, *receives)
        assert results[2] == results[3] == message

    run(main())


def test_both_sides_of_an_inline_connection_send_50_mib_at_once() -> None:
    """Both sides send 50 MiB at once: no deadlock, inline too, where both directions are one socket."""
    message = bytes(50 * MIB)

    async def main() -> None:
        left, right = (Receiver[Any](one) for one in socket.socketpair())
        with (
            aio.Sender(answering(left)) as to_right,
            aio.Sender(answering(right)) as to_left,
            aio.Receiver(left) as at_left,
            aio.Receiver(right) as at_right,
        ):
            sends = (to_right.send(message), to_left.send(message))
            results = await asyncio.gather(*sends, at_left.recv(), at_right.recv())
        assert results[2] == results[3] == message

    run(main())


def test_thousands_of_channels_in_one_loop() -> None:
    """Works with thousands of channels in one loop: 10 000 where the system allows as many descriptors."""
    with running("many_channels", "loop") as process:
        stdout, stderr = process.communicate(timeout=2 * PATIENCE)
        assert (process.returncode, stderr) == (0, "")
        assert stdout == "every message and every end arrived, each once\n"


def test_concurrent_sends_of_many_tasks_keep_messages_whole(aio_ends: AioPair) -> None:
    """Twenty tasks send messages of all sizes through one sender: whole, and each task's in order."""
    sender, receiver = aio_ends
    sizes = (1, 30_000, 100_000, 200_000)

    async def send(task: int) -> None:
        for number in range(20):
            size = sizes[(task + number) % len(sizes)]
            await sender.send([task, number, f"{task % 10}" * size])

    async def main() -> None:
        sending = [asyncio.create_task(send(task)) for task in range(20)]
        seen = [0] * 20
        for _ in range(400):
            task, number, text = await receiver.recv()
            assert number == seen[task]
            assert text == f"{task % 10}" * sizes[(task + number) % len(sizes)]
            seen[task] += 1
        await asyncio.gather(*sending)

    run(main(), sender, receiver)


def test_messages_leave_in_the_order_of_the_calls(aio_ends: AioPair) -> None:
    """Messages leave in the order in which ``send`` was called: one that finds room does not overtake those
    that had to wait.
    """
    sender, receiver = aio_ends

    async def main() -> None:
        taken = await fill(sender, "x" * 1000)
        sends: list[asyncio.Task[None]] = []
        received: list[Any] = []
        for number in range(600):
            sends.append(asyncio.create_task(sender.send(number)))
            if number % 3 == 0:
                received.append(await receiver.recv())
        received += [await receiver.recv() for _ in range(taken + 600 - len(received))]
        assert received[taken:] == list(range(600))
        await asyncio.gather(*sends)

    run(main(), sender, receiver)


# --------------------------------------------------------------------------------------------------- Fairness


async def count_turns(counter: list[int]) -> None:
    while True:
        counter[0] += 1
        await asyncio.sleep(0)


async def beside_a_counter(work: Awaitable[T]) -> tuple[T, int]:
    """Do some work beside a task that counts how often the loop gives it a turn."""
    counter = [0]
    counting = asyncio.create_task(count_turns(counter))
    await turns(1)
    result = await work
    counting.cancel()
    return result, counter[0]


def test_a_flood_of_messages_does_not_starve_other_tasks(make_channel: MakeChannel) -> None:
    """A receiver that always has a message still gives other tasks their turn."""
    sender, blocking = make_channel()
    sender.send_many(["x"] * 10_000)

    async def main() -> int:
        with aio.Receiver(blocking) as receiver:

            async def take() -> None:
                for _ in range(10_000):
                    await receiver.recv()

            _, turned = await beside_a_counter(take())
            return turned

    assert run(main()) >= 100


def test_a_sender_that_always_has_room_does_not_starve_other_tasks(make_channel: MakeChannel) -> None:
    """A task that floods a channel which always has room still gives other tasks their turn."""
    blocking, receiver = make_channel()
    draining = threading.Thread(target=lambda: [None for _ in receiver])
    draining.start()

    async def main() -> int:
        with aio.Sender(blocking) as sender:

            async def flood() -> None:
                for _ in range(10_000):
                    await sender.send("x")

            _, turned = await beside_a_counter(flood())
            return turned

    assert run(main()) >= 100
    draining.join()
