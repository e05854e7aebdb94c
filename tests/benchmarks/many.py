"""Many channels: what one takes to make, and to keep, and what it costs to wait for all of them at once."""

import gc
import multiprocessing
import os
import resource
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from time import perf_counter
from typing import Any

from tests.benchmarks.measure import Figure, Figures, Tally, in_turn, turns
from tui_ipc import ReceiverSet, Sender, channel

_MESSAGE = bytes(32)


def room_for_descriptors() -> None:
    """Let this process have as many as it may: a thousand channels are two thousand."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def lives(each: int, rounds: int) -> Figures:
    """Microseconds to make a channel and close it."""

    def made(make: Callable[[], tuple[Any, Any]]) -> Callable[[], None]:
        def run() -> None:
            for end in make():
                end.close()

        return run

    work: dict[str, Callable[[], object]] = {
        "bare socket pair": made(socket.socketpair),
        "tui_ipc": made(channel),
        "multiprocessing.Pipe": made(multiprocessing.Pipe),
    }
    return in_turn(work, each, rounds).times(1e6)


class Set:
    """So many channels in a receiver set."""

    name = "tui_ipc, ReceiverSet"

    def __init__(self, count: int) -> None:
        self.receivers = ReceiverSet()
        self.senders: list[Sender[Any]] = []
        for _ in range(count):
            sender, receiver = channel()
            self.receivers.add(receiver)
            self.senders.append(sender)

    def send(self, index: int) -> None:
        """Make one ready."""
        self.senders[index].send(_MESSAGE)

    def take(self) -> int:
        """Wait and take what is there; says how many messages."""
        return len(self.receivers.select())

    def close(self) -> None:
        """Close them all."""
        self.receivers.close()
        for sender in self.senders:
            sender.close()


class Wait:
    """So many Pipes, waited for by ``multiprocessing.connection.wait``."""

    name = "multiprocessing.connection.wait"

    def __init__(self, count: int) -> None:
        pairs = [multiprocessing.Pipe(duplex=False) for _ in range(count)]
        self.receivers = [receiver for receiver, _ in pairs]
        self.senders = [sender for _, sender in pairs]

    def send(self, index: int) -> None:
        """Make one ready."""
        self.senders[index].send(_MESSAGE)

    def take(self) -> int:
        """Wait and take what is there; says how many messages."""
        ready = wait(self.receivers)
        for one in ready:
            assert isinstance(one, Connection)
            one.recv()
        return len(ready)

    def close(self) -> None:
        """Close them all."""
        for end in (*self.receivers, *self.senders):
            end.close()


def selects(count: int, ready: int, each: int, rounds: int) -> Figures:
    """Microseconds to wait for so many channels and take a message of each that is ready, per such."""
    contenders: dict[str, Set | Wait] = {kind.name: kind(count) for kind in (Wait, Set)}
    tally = Tally()
    for name, counts in turns(contenders, rounds):
        one, steps = contenders[name], []
        for turn in range(each):
            for index in range(ready):
                one.send((turn * 7 + index) % count)
            missing = ready
            begin = perf_counter()
            while missing:
                missing -= one.take()
            steps.append((perf_counter() - begin) / ready)
        if counts:
            tally.add_steps(name, steps)
    for one in contenders.values():
        one.close()
    return tally.times(1e6)


def memory(count: int) -> Figures:
    """Resident KiB of a channel through which a message went, the kernel's part not counted."""

    def ours() -> object:
        ends = [channel() for _ in range(count)]
        for sender, receiver in ends:
            sender.send(_MESSAGE)
            receiver.recv()
        return ends

    def pipes() -> object:
        ends = [multiprocessing.Pipe() for _ in range(count)]
        for one, other in ends:
            one.send(_MESSAGE)
            other.recv()
        return ends

    def bare() -> object:
        ends = [socket.socketpair() for _ in range(count)]
        for one, other in ends:
            one.send(_MESSAGE)
            other.recv(len(_MESSAGE))
        return ends

    kinds = {"bare socket pair": bare, "tui_ipc": ours, "multiprocessing.Pipe": pipes}
    sizes = {name: _growth(make) / count / 1024 for name, make in kinds.items()}
    return {name: Figure(size, size) for name, size in sizes.items()}


def _growth(make: Callable[[], object]) -> float:
    """By how many bytes a fresh process grows when it makes and keeps this."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            gc.collect()
            before = _resident()
            kept = make()
            os.write(writing, str(_resident() - before).encode())
            assert kept
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answer:
        grown = float(answer.read())
    os.waitpid(pid, 0)
    return grown


def _resident() -> int:
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
