"""What is measured, in which sizes and how often: the rows of the table."""

import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from time import perf_counter

from tests.benchmarks import coroutines, explorer, handles, many, recordings, sessions, starts
from tests.benchmarks.contenders import (
    Batches,
    Channel,
    Contender,
    Floor,
    FloorOneWay,
    Inline,
    Pipe,
    ZeroMQ,
)
from tests.benchmarks.coroutines import AioChannel, Streams
from tests.benchmarks.measure import CPUS, Figures, Group, Tally, in_turn, turns
from tests.benchmarks.processes import NNG, Iceoryx, Queue

CPU = CPUS[0]


def round_trips(kinds: Sequence[type[Contender]], cpu: int, size: int, each: int, rounds: int) -> Figures:
    """Microseconds of one exchange of ``size`` bytes with a peer on that CPU."""
    message = os.urandom(size)
    contenders = [kind(size, cpu) for kind in kinds]

    def exchange(contender: Contender) -> Callable[[], None]:
        return lambda: contender.exchange(message)

    tally = in_turn({one.name: exchange(one) for one in contenders}, each, rounds)
    for one in contenders:
        one.end()
    return tally.times(1e6)


def one_way(kinds: Sequence[type[Contender]], cpu: int, size: int, count: int, rounds: int) -> Figures:
    """Messages of ``size`` bytes in a second, from the first sent to the last counted by the peer."""
    message = os.urandom(size)
    contenders = {kind.name: kind(size, cpu) for kind in kinds}
    tally = Tally()
    for name, counts in turns(contenders, rounds):
        begin = perf_counter()
        contenders[name].stream(message, count)
        if counts:
            tally.add(name, [begin, perf_counter()], count)
    for one in contenders.values():
        one.end()
    return tally.rates()


def extras() -> tuple[type[Contender], ...]:
    """The contenders that are there only with the extra "bench"."""
    found = (ZeroMQ if find_spec("zmq") else None, NNG if find_spec("pynng") else None)
    return tuple(kind for kind in found if kind)


def by_turns() -> tuple[type[Contender], ...]:
    """Those of the extra that are measured there and back only: they lose what a reader is too slow for."""
    return (Iceoryx,) if find_spec("iceoryx2") else ()


OURS: tuple[type[Contender], ...] = (Channel,)
OTHERS: tuple[type[Contender], ...] = (Pipe, Queue, *extras())


def measured(quick: bool) -> dict[str, Group]:
    """Title → what was compared."""
    rounds = 1 if quick else 11
    share = 10 if quick else 1
    return {
        **messages(rounds, share),
        **two_cpus(rounds, share),
        **awaited(rounds, share),
        **resources(rounds, share),
        "session, round trip, 32 bytes": Group("µs", sessions.overhead(CPU, 32, 1000 // share, rounds)),
        **recorded(rounds, share),
        **starts.starts(quick),
        **explorer.floods(quick),
        **explorer.answers(quick),
    }


def messages(rounds: int, share: int) -> dict[str, Group]:
    """Blocking, both processes on one CPU."""
    table = {}
    kinds: tuple[type[Contender], ...] = (Floor, *OURS, Inline, *OTHERS, *by_turns())
    for size, each in ((32, 2000), (1024, 2000), (64 * 1024, 300), (1024 * 1024, 40), (16 * 1024 * 1024, 2)):
        figures = round_trips(kinds, CPU, size, max(1, each // share), rounds)
        table[f"round trip, {size} bytes"] = Group("µs", figures)
    for size, count in ((32, 10_000), (1024, 10_000), (64 * 1024, 2000)):
        kinds = (FloorOneWay, *OTHERS, *OURS, Batches)
        figures = one_way(kinds, CPU, size, count // share, rounds)
        table[f"one way, {size} bytes"] = Group("messages/s", figures)
    return table


def two_cpus(rounds: int, share: int) -> dict[str, Group]:
    """The same with the peer on a CPU of its own, on machines that have two."""
    table = {}
    for other in CPUS[1:2]:
        for size, each in ((32, 1000), (64 * 1024, 200), (1024 * 1024, 20), (16 * 1024 * 1024, 2)):
            kinds: tuple[type[Contender], ...] = (Floor, *OURS, *OTHERS, *by_turns())
            figures = round_trips(kinds, other, size, max(1, each // share), rounds)
            table[f"two CPUs, round trip, {size} bytes"] = Group("µs", figures)
        one_way_kinds: tuple[type[Contender], ...] = (FloorOneWay, *OTHERS, *OURS, Batches)
        figures = one_way(one_way_kinds, other, 32, 10_000 // share, rounds)
        table["two CPUs, one way, 32 bytes"] = Group("messages/s", figures)
    return table


def awaited(rounds: int, share: int) -> dict[str, Group]:
    """In an event loop at both ends."""
    table = {}
    for size, each in ((32, 1000), (1024, 1000), (64 * 1024, 200)):
        contenders = [kind(size, CPU) for kind in (Streams, AioChannel)]
        figures = coroutines.round_trips(contenders, os.urandom(size), each // share, rounds)
        table[f"asyncio, round trip, {size} bytes"] = Group("µs", figures)
    return table


def resources(rounds: int, share: int) -> dict[str, Group]:
    """Channels themselves, and what passes without being copied."""
    many.room_for_descriptors()
    table = {"make and close": Group("µs", many.lives(500 // share, rounds))}
    for count in (1, 10, 100, 1000):
        figures = many.selects(count, 1, 100 // share, rounds)
        table[f"select, 1 of {count} ready"] = Group("µs", figures)
    for count in (10, 100, 1000):
        figures = many.selects(count, count, max(1, 1000 // count // share), rounds)
        table[f"select, {count} of {count} ready, each"] = Group("µs", figures)
    table["memory of a channel"] = Group("KiB", many.memory(1000))
    table["a handle there and back"] = Group("µs", handles.transfers(CPU, 300 // share, rounds))
    table["64 MiB to the peer"] = Group("ms", handles.shared_memory(CPU, min(rounds, 7)))
    return table


def recorded(rounds: int, share: int) -> dict[str, Group]:
    """Recordings, written and read."""
    written, read = recordings.rates(30_000 // share, rounds)
    return {"recording, write": Group("events/s", written), "recording, read": Group("events/s", read)}
