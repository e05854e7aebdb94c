"""The asyncio endpoints: what they give, what they cost, and how they end."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from tests.ipc.conftest import MakeChannel
from tests.support import peers
from tests.support.event_loops import MIB, AioPair, Counting, cancelled, fill, run, turns
from tests.support.ipc_programs import running
from tests.support.peers import peer
from tests.support.threads import PATIENCE
from tui_ipc import (
    Busy,
    Closed,
    Disconnected,
    Empty,
    MessageTooLarge,
    OneShotServer,
    SharedMemory,
    TimedOut,
    connect,
)
from tui_ipc import aio as public_aio
from tui_ipc import channel as blocking_channel
from tui_ipc.ipc import aio
from tui_ipc.ipc.receiver import Receiver

T = TypeVar("T")


# ------------------------------------------------------------------------------------------------- Iteration


def test_async_for(aio_ends: AioPair) -> None:
    """``async for``: gives every message in order and ends in good order with the last sender."""
    sender, receiver = aio_ends

    async def main() -> list[Any]:
        async def send() -> None:
            with sender:
                for number in range(500):
                    await sender.send(number)

        task = asyncio.create_task(send())
        found = [message async for message in receiver]
        await task
        return found

    assert run(main(), sender, receiver) == list(range(500))


def test_async_for_tells_of_a_message_that_was_cut_off() -> None:
    """``async for`` over a stream whose peer died in mid-message raises, since that is no end in good
    order.
    """
    left, right = socket.socketpair()

    async def main() -> None:
        receiving = aiter(receiver)
        assert await anext(receiving) == "whole"
        with pytest.raises(Disconnected) as caught:
            await anext(receiving)
        assert caught.value.unfinished == 6

    with aio.Receiver(Receiver[Any](right)) as receiver:
        with left:
            left.sendall(b"\xa5whole\xc4\x10half")
        run(main(), receiver)


def test_messages_of_one_read_arrive_each(make_channel: MakeChannel) -> None:
    """Messages that came with one read (``send_many``) are each received, also between receives that
    waited.
    """
    sender, blocking = make_channel()

    async def main() -> None:
        with aio.Receiver(blocking) as receiver:
            for batch in range(20):
                waiting = asyncio.create_task(receiver.recv())
                await turns(3)
                sender.send_many([(batch, number) for number in range(20)])
                assert await waiting == [batch, 0]
                for number in range(1, 20):
                    assert await receiver.recv() == [batch, number]

    run(main())


def test_a_message_with_its_bytes(aio_ends: AioPair) -> None:
    """``recv_message`` gives the bytes of a message as well, small or large."""
    sender, receiver = aio_ends

    async def main() -> None:
        await sender.send_raw(b"\xa2hi")
        assert await receiver.recv_message() == ("hi", b"\xa2hi")
        task = asyncio.create_task(sender.send(bytes(MIB)))
        value, raw = await receiver.recv_message()
        assert (len(value), raw[:5]) == (MIB, b"\xc6\x00\x10\x00\x00")
        await task

    run(main(), sender, receiver)


# --------------------------------------------------------------------------------------------- What it costs


def test_one_wake_per_message(make_channel: MakeChannel) -> None:
    """One wake per message: a round trip with another process is one turn of the loop, and registers
    nothing.
    """
    to_peer, theirs = make_channel()
    their_sender, from_peer = make_channel()
    selector = Counting()
    count = 300

    async def main() -> tuple[int, int]:
        with aio.Sender(to_peer) as sender, aio.Receiver(from_peer) as receiver:
            await sender.send("first")
            await receiver.recv()
            waits, changes = selector.waits, selector.changes
            for number in range(count):
                await sender.send(number)
                assert await receiver.recv() == number
            return selector.waits - waits, selector.changes - changes

    with peer(peers.echo, [their_sender, theirs]):
        their_sender.close()
        waits, changes = run(main(), selector=selector)
    # A turn more where the peer was so fast that its answer was there unawaited, and for each _TURN of those.
    assert waits <= count + count // 32 + 2
    assert changes <= 2 + count // 8


def test_a_message_that_nobody_waits_for_does_not_keep_the_loop_busy(aio_ends: AioPair) -> None:
    """A message that is there and not asked for: the loop is told of it once, and can sleep again."""
    sender, receiver = aio_ends
    selector = Counting()

    async def main() -> None:
        waiting = asyncio.create_task(receiver.recv())
        await turns(2)
        assert receiver.socket_fileno() in selector.watched
        await sender.send("asked for")
        assert await waiting == "asked for"
        await sender.send("not asked for")
        await turns(3)
        assert receiver.socket_fileno() not in selector.watched
        assert await receiver.recv() == "not asked for"

    run(main(), sender, receiver, selector=selector)


def test_waiting_registers_once(aio_ends: AioPair) -> None:
    """A receiver that is always waited for stays with the loop: no system call a message to get it there."""
    sender, receiver = aio_ends
    selector = Counting()

    async def main() -> int:
        for number in range(100):
            waiting = asyncio.create_task(receiver.recv())
            await turns(1)
            await sender.send(number)
            assert await waiting == number
        changes = selector.changes
        receiver.close()
        return changes

    own = 1  # the loop's own descriptor
    assert run(main(), sender, receiver, selector=selector) == own + 1


# ------------------------------------------------------------------------------------------------------ Ends


def test_closing_a_receiver_wakes_the_task_that_waits(aio_ends: AioPair) -> None:
    """Closing a receiver while a task waits for its next message ends the wait with Closed."""
    _, receiver = aio_ends

    async def main() -> None:
        waiting = asyncio.create_task(receiver.recv())
        await turns(2)
        receiver.close()
        with pytest.raises(Closed, match="this receiver was closed"):
            await waiting

    run(main(), receiver)


@pytest.mark.parametrize("size", [1000, 10_000_000], ids=["full channel", "large message"])
def test_closing_a_sender_wakes_the_task_that_waits(aio_ends: AioPair, size: int) -> None:
    """Closing a sender while tasks wait for room ends their waits with Closed."""
    sender, _ = aio_ends

    async def main() -> None:
        if size == 1000:
            await fill(sender, "x" * 1000)
        waiting = [asyncio.create_task(sender.send("y" * size)) for _ in range(3)]
        await turns(2)
        sender.close()
        for result in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(result, Closed)

    run(main(), sender)


def test_the_end_wakes_the_task_that_waits(aio_ends: AioPair) -> None:
    """A receive that waits ends with Disconnected when the last sender closes, and so does each later one."""
    sender, receiver = aio_ends

    async def main() -> None:
        waiting = asyncio.create_task(receiver.recv())
        await turns(2)
        sender.close()
        with pytest.raises(Disconnected):
            await waiting
        with pytest.raises(Disconnected):
            await receiver.recv()

    run(main(), sender, receiver)


@pytest.mark.parametrize("size", [10, 5 * MIB])
def test_a_send_that_waits_ends_with_its_receiver(aio_either: AioPair, size: int) -> None:
    """A send that waits ends with Disconnected when the receiver closes."""
    sender, receiver = aio_either

    async def main() -> None:
        await fill(sender, "x" * 1000)
        waiting = asyncio.create_task(sender.send(bytes(size)))
        await turns(2)
        receiver.close()
        with pytest.raises(Disconnected):
            await waiting

    run(main(), sender, receiver)


def test_a_second_reader_is_refused(aio_ends: AioPair) -> None:
    """A receiver has one reader: a second task that waits is told so, and the first still gets its
    message.
    """
    sender, receiver = aio_ends

    async def main() -> None:
        waiting = asyncio.create_task(receiver.recv())
        await turns(2)
        with pytest.raises(Busy, match="one at a time"):
            await receiver.recv()
        await sender.send("hello")
        assert await waiting == "hello"

    run(main(), sender, receiver)


def test_an_endpoint_outlives_its_loop(aio_ends: AioPair) -> None:
    """Endpoints that waited in one loop work in the next one, and are closed without any."""
    sender, receiver = aio_ends

    async def wait_in_vain() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await receiver.recv()

    async def meet() -> None:
        waiting = asyncio.create_task(receiver.recv())
        await turns(2)
        await sender.send("hello")
        assert await waiting == "hello"

    for main in (wait_in_vain, meet):
        asyncio.run(main())
    receiver.close()
    sender.close()


def test_handles_travel_through_asyncio_endpoints(aio_ends: AioPair, make_channel: MakeChannel) -> None:
    """Endpoints for asyncio are handles too: a sender is duplicated, a receiver moves."""
    sender, receiver = aio_ends
    inner_sender, inner_receiver = (wrap(one) for wrap, one in zip(_WRAPS, make_channel(), strict=True))

    async def main() -> None:
        await sender.send({"to": inner_sender, "from": inner_receiver})
        with pytest.raises(Closed, match="moved"):
            await inner_receiver.recv()
        got = await receiver.recv()
        with inner_sender, got["to"] as twin, got["from"] as moved:
            await inner_sender.send(1)
            await twin.send(2)
            assert [await moved.recv(), await moved.recv()] == [1, 2]

    run(main(), sender, receiver)


_WRAPS: tuple[Callable[[Any], Any], Callable[[Any], Any]] = (aio.Sender, aio.Receiver)


def test_a_clone_is_closed_on_its_own(aio_ends: AioPair) -> None:
    """A clone sends through the same channel and keeps it open."""
    sender, receiver = aio_ends

    async def main() -> None:
        with sender.clone() as clone:
            sender.close()
            await clone.send("hello")
            assert await receiver.recv() == "hello"

    run(main(), sender, receiver)


def test_a_message_that_cannot_be_sent_leaves_the_sender_usable(aio_ends: AioPair) -> None:
    """A value that no message can hold raises TypeError, also in turn behind others; what follows is sent."""
    sender, receiver = aio_ends

    async def main() -> None:
        with pytest.raises(TypeError, match="cannot hold a object"):
            await sender.send(object())
        waiting = asyncio.create_task(sender.send(bytes(MIB)))
        await turns(2)
        faulty = asyncio.create_task(sender.send(object()))
        await turns(1)
        assert len(await receiver.recv()) == MIB
        await waiting
        with pytest.raises(TypeError):
            await faulty
        await sender.send("fine")
        assert await receiver.recv() == "fine"

    run(main(), sender, receiver)


# ------------------------------------------------------------------------------------------------- Bootstrap


def test_accept_gets_the_first_message() -> None:
    """``accept`` gives the connection and the first message of a real program; the server is closed then."""

    async def main(server: OneShotServer) -> None:
        with running("greets", server.name) as process:
            receiver, first = await aio.accept(server, PATIENCE, process)
            with receiver:
                left, right = first["senders"]
                with left, right:
                    await left.send("l")
                    await right.send("r")
                assert await receiver.recv() == {"left": ["l"], "right": ["r"]}
            with pytest.raises(Closed):
                await aio.accept(server)

    with OneShotServer() as server:
        run(main(server))


def test_accept_ends_at_once_if_the_child_dies_before_connecting() -> None:
    """The child dies before connecting: accept ends at once, and says how the child ended."""

    async def main(server: OneShotServer) -> None:
        told = pytest.raises(Disconnected, match="exited with status 3 before it connected")
        with running("dies", "3") as process, told:
            await aio.accept(server, None, process)

    with OneShotServer() as server:
        run(main(server))


def test_accept_ends_at_its_deadline_if_the_client_stays_silent() -> None:
    """It connects and stays silent: accept ends at its deadline."""

    async def main(server: OneShotServer) -> None:
        with running("silent", server.name) as process:
            connection = await aio.connection(server, process)
            with pytest.raises(Closed):
                server.fileno()
            with connection, pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await connection.recv()

    with OneShotServer() as server:
        run(main(server))
    told = pytest.raises(TimedOut, match=r"connected and sent no whole message within 0\.01 s")
    with OneShotServer() as server, connect(server.name), told:
        run(aio.accept(server, 0.01))


def test_accept_ends_at_its_deadline_if_nobody_connects() -> None:
    """Nobody connects: accept ends at its deadline and the server is closed."""
    with OneShotServer() as server:
        with pytest.raises(TimedOut, match=r"no process connected to .* within 0\.01 s"):
            run(aio.accept(server, 0.01))
        with pytest.raises(Closed):
            server.fileno()


@pytest.mark.parametrize("turn", range(4))
def test_a_cancelled_accept_leaves_nothing(turn: int) -> None:
    """A cancelled accept closes the server and the connection, and leaves nothing with the loop."""

    async def main(server: OneShotServer) -> None:
        accepting = asyncio.create_task(aio.accept(server))
        await turns(turn)
        with connect(server.name):
            await turns(turn)
            await cancelled(accepting)
            assert accepting.cancelled()

    with OneShotServer() as server:
        run(main(server))
        assert turn == 0 or server._listener is None


def test_a_channel_of_the_platform_choice() -> None:
    """``aio.channel`` makes both ends."""
    sender, receiver = aio.channel()

    async def main() -> None:
        await sender.send("hello")
        assert await receiver.recv() == "hello"

    run(main(), sender, receiver)


def test_endpoints_of_a_blocking_channel_are_taken_over() -> None:
    """Closing an endpoint for asyncio closes the blocking one that it was made of."""
    sender, receiver = blocking_channel()
    aio.Sender(sender).close()
    aio.Receiver(receiver).close()
    for one in (sender, receiver):
        with pytest.raises(Closed):
            one.fileno()


def test_a_connection_carries_both_directions() -> None:
    """``aio.answering`` sends where the receiver's messages come from; each end is closed on its own."""
    left, right = socket.socketpair()
    ours, theirs = aio.Receiver(Receiver[Any](left)), aio.Receiver(Receiver[Any](right))
    there, back = aio.answering(ours), aio.answering(theirs)

    async def main() -> None:
        await there.send("ping")
        assert await theirs.recv() == "ping"
        await back.send("pong")
        assert ours.read_ahead() == 0
        assert await ours.recv() == "pong"

    run(main(), ours, theirs, there, back)


def test_who_resumes_the_receiving_task_may_be_told(aio_ends: AioPair) -> None:
    """The loop calls it with what does that; after the call, the task has what came, and waits again."""
    sender, receiver = aio_ends

    async def main() -> list[list[Any]]:
        found: list[Any] = []
        seen: list[list[Any]] = []

        def around(resume: Callable[[], None]) -> None:
            assert asyncio.current_task() is None
            seen.append(list(found))
            resume()
            seen.append(list(found))

        async def receive() -> None:
            nonlocal found
            async for message in receiver:
                found += [message]

        receiver.resume_within(around)
        receiving = asyncio.create_task(receive())
        for number in range(2):
            await turns(1)
            await sender.send(number)
            while len(found) == number:
                await turns(1)
        sender.close()
        await receiving
        return seen[:4]

    assert run(main(), sender, receiver) == [[], [0], [0], [0, 1]]


# ---------------------------------------------------------------------------------- Endpoints that arrive


@pytest.mark.parametrize("size", [0, 200_000])
def test_endpoints_that_arrive_are_asyncio_s(aio_ends: AioPair, size: int) -> None:
    """Nested in a message, short or large, in a message that came through one that arrived, too."""
    sender, receiver = aio_ends

    async def main() -> None:
        first, first_end = aio.channel()
        second, second_end = blocking_channel()
        with second, SharedMemory(b"content") as memory:
            async with first:
                message = {"reply": [first], "nested": {"more": [[second_end]]}, "memory": memory}
                sending = asyncio.create_task(sender.send([message, bytes(size)]))
                found, _ = await receiver.recv()
                await sending
            arrived = found["nested"]["more"][0][0]
            with found["memory"] as copy:
                assert bytes(copy) == b"content"
            async with arrived, found["reply"][0] as reply:
                assert repr(reply) == f"<aio.Sender on descriptor {reply.fileno()}>"
                second.send(second)
                async with await arrived.recv() as through, first_end:
                    await through.send("sent through both")
                    assert await arrived.recv() == "sent through both"
                    await reply.send("answer")
                    assert await first_end.recv() == "answer"

    run(main(), sender, receiver)


def test_the_limit_of_an_endpoint_holds_for_those_that_arrive(aio_ends: AioPair) -> None:
    """`max_message_size` assigned to an asyncio receiver: at it, and at what arrives from then on."""
    sender, receiver = aio_ends
    sender.max_message_size, receiver.max_message_size = 1000, 500

    async def main() -> None:
        with pytest.raises(MessageTooLarge, match="limit of 1 000"):
            await sender.send("x" * 1000)
        await sender.send([sender])
        async with (await receiver.recv())[0] as arrived:
            assert (arrived.max_message_size, receiver.max_message_size) == (500, 500)
            with pytest.raises(MessageTooLarge, match="limit of 500"):
                await arrived.send("x" * 500)

    run(main(), sender, receiver)


# ----------------------------------------------------------------------------------- Many, and without a wait


def test_many_messages_in_few_system_calls(aio_either: AioPair) -> None:
    """`send_many`: they arrive each, in order, large ones too, while the channel is full in between."""
    sender, receiver = aio_either
    messages = [number if number % 50 else "x" * 100_000 for number in range(3000)]

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(sender.send_many(messages))
            assert [await receiver.recv() for _ in messages] == messages
            await sending

    run(main(), sender, receiver)


def test_what_comes_before_a_faulty_value_was_sent(aio_ends: AioPair) -> None:
    """`send_many`, as the blocking one: the error is that of the value, and handles go with theirs."""
    sender, receiver = aio_ends

    async def main() -> None:
        with pytest.raises(TypeError, match="cannot hold a object"):
            await sender.send_many([1, [sender], 2, object(), 3])
        assert await receiver.recv() == 1
        (await receiver.recv())[0].close()
        assert receiver.try_recv() == 2
        with pytest.raises(Empty):
            receiver.try_recv()

    run(main(), sender, receiver)


def test_a_cancelled_send_of_many_tears_nothing(aio_either: AioPair) -> None:
    """`send_many`, cancelled while the channel is full: a prefix arrives whole, and the channel goes on."""
    sender, receiver = aio_either
    messages = [[number, "x" * 1000] for number in range(10_000)]

    async def main() -> None:
        sending = asyncio.create_task(sender.send_many(messages))
        await turns(20)
        assert not sending.done()
        await cancelled(sending)
        last = asyncio.create_task(sender.send("last"))
        found = []
        while (message := await receiver.recv()) != "last":
            found.append(message)
        await last
        assert found
        assert found == messages[: len(found)]

    run(main(), sender, receiver)


def test_a_message_is_taken_while_another_task_waits_for_the_next(aio_ends: AioPair) -> None:
    """`try_recv` gives what is there; whoever waited gets the one after it."""
    sender, receiver = aio_ends

    async def main() -> None:
        waiting = asyncio.create_task(receiver.recv())
        await turns(3)
        await sender.send("first")
        assert receiver.try_recv() == "first"
        await turns(3)
        assert not waiting.done()
        await sender.send("second")
        assert await waiting == "second"

    run(main(), sender, receiver)


def test_the_public_name() -> None:
    """`tui_ipc.aio`; `tui_ipc` alone does not load asyncio."""
    code = "import sys, tui_ipc; print('asyncio' in sys.modules); from tui_ipc import aio; print(aio.channel)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("False\n<function channel")
    for name in public_aio.__all__:
        assert getattr(public_aio, name) is getattr(aio, name)
