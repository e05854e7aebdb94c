"""Ten thousand channels between two processes: this one has the receivers, in one set or in one event loop.

Run as ``many_channels set`` or ``many_channels loop``; it starts itself once more for the senders, since both
ends in one process would need twice the descriptors. It takes as many channels as the hard limit allows,
10 000 at most.
"""

import asyncio
import resource
import subprocess
import sys
from collections import Counter
from typing import Any

from tui_ipc import Arrived, OneShotServer, Receiver, ReceiverSet, Sender, channel, connect
from tui_ipc.ipc import aio

WANTED = 10_000
SPARE = 300  # a batch in flight, the standard streams, epoll
BATCH = 200  # handles in one message, below the 253 that one may hold


def main() -> None:
    """Make the channels, give the senders away, and see every message and every end arrive."""
    limit = raise_limit()
    with OneShotServer() as server, started("senders", server.name) as process:
        told, to_process = server.accept(30, process)
        with told, to_process:
            receivers = give_senders(min(WANTED, limit - SPARE), to_process, told)
        count = len(receivers)
        happened = asyncio.run(in_one_loop(receivers)) if sys.argv[1] == "loop" else in_one_set(receivers)
    assert process.returncode == 0
    assert count == min(WANTED, limit - SPARE)
    assert happened == Counter({"message": count, "end": count}), happened
    print("every message and every end arrived, each once")


def started(*arguments: str) -> "subprocess.Popen[bytes]":
    """This program in another process."""
    return subprocess.Popen([sys.executable, "-m", __spec__.name, *arguments])


def raise_limit() -> int:
    """Allow this process and its children as many descriptors as the system lets them have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard > WANTED + SPARE:
        hard = max(soft, WANTED + SPARE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    return hard


def give_senders(count: int, to_process: Sender[Any], told: Receiver[Any]) -> list[Receiver[Any]]:
    """Make channels in batches; each batch has arrived before the next is made."""
    receivers: list[Receiver[Any]] = []
    while count > len(receivers):
        pairs = [channel() for _ in range(min(BATCH, count - len(receivers)))]
        to_process.send([sender for sender, _ in pairs])
        for sender, receiver in pairs:
            sender.close()
            receivers.append(receiver)
        assert told.recv() == len(receivers)
    return receivers


def in_one_set(receivers: list[Receiver[Any]]) -> Counter[str]:
    """Receive through one set: from each receiver its number, then its end."""
    happened: Counter[str] = Counter()
    with ReceiverSet() as several:
        numbers = {several.add(receiver): number for number, receiver in enumerate(receivers)}
        while len(several):
            for one in several.select(30):
                happened["message" if isinstance(one, Arrived) else "end"] += 1
                if isinstance(one, Arrived):
                    assert one.value == numbers[one.id]
    return happened


async def in_one_loop(receivers: list[Receiver[Any]]) -> Counter[str]:
    """Receive in one event loop, with a task for each receiver."""
    happened: Counter[str] = Counter()

    async def receive(number: int, receiver: aio.Receiver[Any]) -> None:
        with receiver:
            async for value in receiver:
                assert value == number
                happened["message"] += 1
        happened["end"] += 1

    await asyncio.gather(*(receive(number, aio.Receiver(one)) for number, one in enumerate(receivers)))
    return happened


def hold_senders(name: str) -> None:
    """The other process: takes the senders, then sends each its number and closes it."""
    to_self, from_other = channel()
    senders: list[Sender[Any]] = []
    with connect(name) as teller, from_other:
        with to_self:
            teller.send(to_self)
        for batch in from_other:
            senders += batch
            teller.send(len(senders))
    for number, sender in enumerate(senders):
        sender.send(number)
    for sender in senders:
        sender.close()


if __name__ == "__main__":
    if sys.argv[1] == "senders":
        hold_senders(sys.argv[2])
    else:
        main()
