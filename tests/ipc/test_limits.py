"""Limits and shortages: what may be assigned, what waits instead of failing, what is given back."""

import asyncio
import errno
import gc
import itertools
import os
import resource
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipc.conftest import MakeChannel, Pair
from tests.support.message_strategies import arrived, colliding_keys, is_foreign, mixed, same, values
from tests.support.threads import PATIENCE, check, in_threads
from tui_ipc import (
    Disconnected,
    IpcError,
    MessageTooLarge,
    OneShotServer,
    ReceiverSet,
    SharedMemory,
    TimedOut,
    channel,
)
from tui_ipc.ipc import aio
from tui_ipc.ipc import receiver as module
from tui_ipc.ipc.outlet import Outlet
from tui_ipc.ipc.wire import SHORT_LIMIT, encode
from tui_ipc.osutil.waiting import EpollSet

MIB = 1024 * 1024
ROOT = Path(__file__).parents[2]


# What send accepts, recv returns


def exchanged(sent: list[Any]) -> list[Any]:
    """What is received of what was sent, blocking."""
    sender, receiver = channel()
    came: list[Any] = []

    def send() -> None:
        with sender:
            for value in sent:
                sender.send(value)

    with receiver:
        in_threads(send, lambda: came.extend(receiver))
    return came


def exchanged_in_asyncio(sent: list[Any]) -> list[Any]:
    """The same in one event loop."""

    async def main() -> list[Any]:
        sender, receiver = aio.channel()

        async def send() -> None:
            with sender:
                for value in sent:
                    await sender.send(value)

        with receiver:
            sending = asyncio.create_task(send())
            came = [value async for value in receiver]
            await sending
            return came

    return asyncio.run(main())


SIZES = [
    limit + extra for limit in (128, 512, SHORT_LIMIT, 65_536, 120 * 1024, 262_144) for extra in range(-6, 2)
]
LONG = st.builds(
    lambda size, of: of(size),
    st.sampled_from(SIZES),
    st.sampled_from(
        [bytes, lambda size: "x" * size, lambda size: [None] * size, lambda size: {1: "y" * size}]
    ),
)
CURIOUS = st.sampled_from(
    [
        dict.fromkeys(colliding_keys(33)),
        {(((((((((((1,),),),),),),),),),),): {(): ()}},
        dict.fromkeys(range(600)),
        list(range(2000)),
    ]
)


@pytest.mark.parametrize("exchange", [exchanged, exchanged_in_asyncio], ids=["blocking", "asyncio"])
@given(sent=st.lists(st.one_of(values, LONG, CURIOUS), max_size=6))
def test_whatever_send_accepts_recv_returns(
    exchange: Callable[[list[Any]], list[Any]], sent: list[Any]
) -> None:
    """Equal and in order, of every type and of every size around every limit."""
    came = exchange(sent)
    assert len(came) == len(sent)
    assert all(same(one, arrived(other)) for one, other in zip(came, sent, strict=True))


@given(
    value=st.one_of(
        mixed, st.builds(lambda value, size: ["x" * size, value], mixed, st.sampled_from(SIZES[:24]))
    )
)
def test_ext_values_and_time_stamps_of_msgpack_are_refused(value: Any) -> None:
    """Wherever they are, at every size; everything else arrives."""
    sender, receiver = channel()
    with sender, receiver:
        if is_foreign(value):
            with pytest.raises(TypeError, match=r"a message cannot hold a msgpack\.ext\."):
                sender.send(value)
            with pytest.raises(TypeError, match=r"; send its (code and its data|to_datetime)"):
                sender.send_many([value])
            value = "next"
        sender.send(value)
        assert same(receiver.recv(PATIENCE), arrived(value))


def test_what_would_cost_the_channel_is_refused_before_it_leaves(ends: Pair) -> None:
    """The next message arrives."""
    sender, receiver = ends
    deep: list[Any] = []
    for _ in range(1024):
        deep = [deep]
    others = set(b"\x80\x90\xde\xdf\xc7\xc8\xc9\xd4\xd5\xd6\xd7\xd8")  # other reasons to look
    keys = [key for key in colliding_keys(99) if not set(encode(key)) & others]
    for value in (deep, {1: dict.fromkeys(colliding_keys(34))}, dict.fromkeys(keys[:34])):
        with pytest.raises(ValueError, match=r"nested deeper|the same hash"):
            sender.send(value)
        with pytest.raises(ValueError, match=r"nested deeper|the same hash"):
            sender.send_many([value])
    sender.send("next")
    assert receiver.recv() == "next"


# Sizes


def test_a_limit_assigned_later_holds(make_channel: MakeChannel) -> None:
    """At both ends, and for endpoints that arrive from then on."""
    (sender, receiver), (inner, inner_receiver) = make_channel(), make_channel()
    sender.max_message_size = 100
    for value in ("x" * 100, b"x" * 100, b"x" * 70_000):
        with pytest.raises(MessageTooLarge, match="exceeds the limit of 100"):
            sender.send(value)
    sender.max_message_size = 80_000_000
    receiver.max_message_size = 1000
    sender.send("y" * 1000)
    with pytest.raises(MessageTooLarge, match="of 1 003 bytes exceeds the limit of 1 000"):
        receiver.recv()
    sender.send([inner, inner_receiver])
    for arrived_end in receiver.recv():
        with arrived_end:
            assert arrived_end.max_message_size == 1000
    receiver.max_message_size = 80_000_000
    in_threads(
        lambda: sender.send(bytes(70_000_000)), lambda: check(receiver.recv(PATIENCE), bytes(70_000_000))
    )


def test_a_limit_given_to_a_channel_is_that_of_both_ends(make_channel: MakeChannel) -> None:
    """As its argument says."""
    sender, receiver = make_channel(5000)
    assert (sender.max_message_size, receiver.max_message_size) == (5000, 5000)
    with sender.clone() as clone:
        assert clone.max_message_size == 5000


# Descriptors in flight


IN_FLIGHT = """
import os, resource, sys, threading
from tui_ipc import TimedOut, TooManyHandles, channel

if os.geteuid() == 0:  # for whom the kernel does not count
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
sender, receiver = channel()
message = "x" * 40_000
sent = 0
try:
    while True:
        sender.send(message, timeout=0.1)
        sent += 1
except TimedOut:
    pass
assert sent >= 90, sent
inner, inner_receiver = channel()
try:
    sender.send(inner, timeout=0.1)
except TooManyHandles:
    pass
else:
    sys.exit("a handle was sent")
thread = threading.Thread(target=lambda: [sender.send(message) for _ in range(200)])
thread.start()
for _ in range(sent + 200):
    assert receiver.recv(30) == message
thread.join()
for end in (sender, receiver, inner, inner_receiver):
    end.close()
print("ok")
"""


def test_messages_without_handles_wait_for_descriptors_in_flight() -> None:
    """Back pressure is never an error: as an ordinary user who may open 100 files, with 40 kB messages."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IN_FLIGHT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")


def test_a_side_stream_whose_descriptor_finds_no_room_waits(
    ends: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ETOOMANYREFS, whoever runs the tests: tried again until it has room, or until the deadline."""
    sender, receiver = ends
    refusals = 0

    class Full:
        """A socket whose user has as many descriptors in flight as allowed."""

        def __getattr__(self, name: str) -> Any:
            return getattr(outlet.socket, name)

        def sendmsg(self, *_: object) -> int:
            nonlocal refusals
            refusals += 1
            raise OSError(errno.ETOOMANYREFS, os.strerror(errno.ETOOMANYREFS))

    outlet = Outlet(sender._outlet.socket, is_inline=False)
    with monkeypatch.context() as patch:
        patch.setattr(sender._outlet, "socket", Full())
        began = monotonic()
        with pytest.raises(TimedOut, match="the channel stayed full"):
            sender.send("x" * 40_000, timeout=0.05)
        assert monotonic() - began >= 0.05
        assert refusals > 3
    sender.send("x" * 40_000)
    assert receiver.recv() == "x" * 40_000


# Dropped


@pytest.fixture
def dropped() -> Callable[[list[Any]], list[str]]:
    """Empties a list of endpoints, collects what they held, and says what was warned of."""

    def drop(ends: list[Any]) -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ends.clear()
            gc.collect()
        assert all(issubclass(one.category, ResourceWarning) for one in caught)
        return [str(one.message) for one in caught]

    return drop


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_dropped_endpoints_warn_and_give_back(dropped: Callable[[list[Any]], list[str]]) -> None:
    """As sockets do: a sender, a receiver that read ahead, a set, a shared memory, a server and its files."""
    before = open_descriptors()
    sender, receiver = channel()
    sender.send_many([1, 2])
    sender.send(sender)
    assert receiver.recv() == 1
    number = receiver.fileno()
    assert number >= 0
    ends: list[Any] = [receiver]
    del receiver
    (warning,) = dropped(ends)
    assert warning.startswith("unclosed <Receiver on descriptor ")
    ends.append(sender)
    del sender
    assert len(dropped(ends)) == 1
    memory = SharedMemory(b"content")
    ends.append(memory)
    del memory
    assert dropped(ends) == ["unclosed <SharedMemory 7 bytes>"]
    several = ReceiverSet()
    sender, receiver = channel()
    several.add(receiver)
    ends.append(several)
    del several, receiver
    assert len(dropped(ends)) == 1
    with pytest.raises(Disconnected):
        sender.send("nobody")
    sender.close()
    server = OneShotServer()
    place = Path(server.name).parent
    ends.append(server)
    del server
    assert dropped(ends) == [f"unclosed <OneShotServer {place}/server>"]
    assert not place.exists()
    assert open_descriptors() == before


def test_dropped_endpoints_of_a_loop_warn_and_give_back(dropped: Callable[[list[Any]], list[str]]) -> None:
    """Also one that the loop watches."""

    async def main() -> None:
        before = open_descriptors()
        sender, receiver = aio.channel()
        expected = [f"unclosed {sender!r}", f"unclosed {receiver!r}"]
        waiting = asyncio.create_task(receiver.recv())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        del waiting
        ends: list[Any] = [sender, receiver]
        del sender, receiver
        assert sorted(dropped(ends)) == sorted(expected)
        await asyncio.sleep(0)
        assert open_descriptors() == before

    asyncio.run(main())


def test_no_loop_watches_what_is_closed(ends: Pair) -> None:
    """After a large message was received in pieces, the loop has forgotten the descriptors of its stream."""
    sender, blocking = ends

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with aio.Receiver(blocking) as receiver:
            for number in range(10):
                sending = loop.run_in_executor(None, sender.send, bytes(2 * MIB + number))
                assert len(await receiver.recv()) == 2 * MIB + number
                await sending
                reading, writing = os.pipe()  # the numbers that were freed
                seen = asyncio.Event()
                for descriptor in (reading, writing):
                    loop.add_reader(descriptor, seen.set)
                os.write(writing, b"x")
                await asyncio.wait_for(seen.wait(), PATIENCE)
                for descriptor in (reading, writing):
                    loop.remove_reader(descriptor)
                    os.close(descriptor)

    asyncio.run(main())


# A process that was stopped


def test_a_deadline_that_passed_delivers_what_lies_there(
    make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wait that took longer than it was to, since the process was stopped, ends with another look."""
    (sender, receiver), (other, other_end) = make_channel(), make_channel()

    def stopped(*_: object) -> bool:
        sender.send("came meanwhile")
        end = monotonic() + 0.02
        while monotonic() < end:
            pass
        return False

    with monkeypatch.context() as patch:
        patch.setattr(module, "wait", stopped)
        assert receiver.recv(0.01) == "came meanwhile"

    def poll_stopped(_self: EpollSet, _seconds: float | None) -> list[int]:
        patch.undo()
        other.send("came meanwhile")
        end = monotonic() + 0.02
        while monotonic() < end:
            pass
        return []

    with ReceiverSet() as several, monkeypatch.context() as patch:
        identity = several.add(other_end)
        patch.setattr(EpollSet, "poll", poll_stopped)
        assert several.select(0.01) == [(identity, "came meanwhile")]


def test_a_process_stopped_within_a_look_looks_again(ends: Pair) -> None:
    """The look that found nothing began before the deadline: it is not the last one."""
    sender, receiver = ends
    read = receiver._recvmsg

    def stopped(*_: int) -> Any:
        receiver._recvmsg = read
        end = monotonic() + 0.02
        while monotonic() < end:
            pass
        sender.send("came meanwhile")
        raise BlockingIOError

    receiver._recvmsg = stopped
    assert receiver.recv(0.01) == "came meanwhile"


# Starts that fail


@pytest.mark.parametrize("umask", [0o777, 0o077, 0])
def test_an_odd_umask_does_not_matter(umask: int, runtime_dir: Path) -> None:
    """The directory and the socket have the modes that they need."""
    before = os.umask(umask)
    try:
        server = OneShotServer()
    finally:
        os.umask(before)
    with server:
        assert Path(server.name).parent.stat().st_mode & 0o777 == 0o700
        assert Path(server.name).stat().st_mode & 0o700 == 0o700
    assert list(runtime_dir.iterdir()) == []


@pytest.mark.parametrize("spare", range(3))
def test_a_start_without_descriptors_leaves_no_directory(spare: int, runtime_dir: Path) -> None:
    """Whichever of its descriptors is the one too many; the error names the places and the remedy."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    gc.collect()
    held = [name for name in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{name}")]
    free = (number for number in itertools.count() if str(number) not in held)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next(itertools.islice(free, spare, None)), before[1]))
    try:
        if spare == 2:
            OneShotServer().close()
        else:
            with pytest.raises(IpcError, match=r"run: Too many open files.*ulimit -n"):
                OneShotServer()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert list(runtime_dir.iterdir()) == []
