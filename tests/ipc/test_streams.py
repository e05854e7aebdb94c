"""What the library relies on: how Linux queues what several write, and what it gives descriptors with."""

import os
import select
import signal
import socket
from collections import Counter, defaultdict
from contextlib import ExitStack
from typing import Any

import pytest

from tests.ipc.conftest import MakeChannel, Pair
from tests.support import peers
from tests.support.peers import peer
from tests.support.raw_wire import begin_large, send_packet
from tests.support.threads import PATIENCE, check, in_threads
from tui_ipc import Disconnected, Empty, Sender, channel
from tui_ipc.ipc import sockets
from tui_ipc.ipc.wire import SHORT_LIMIT, encode

MIB = 1024 * 1024


# Nothing is torn


@pytest.mark.parametrize("buffer", [None, 4096, 16_384])
def test_writes_up_to_the_bound_are_never_torn(buffer: int | None) -> None:
    """Six processes write pieces of exactly the bound into one stream, as fast as they can: none is cut."""
    ours, theirs = socket.socketpair()
    if buffer is not None:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
    size, count = sockets.atomic_size(ours), 150
    assert size == (SHORT_LIMIT if buffer is None else buffer - 64)
    pids = []
    with theirs:
        with ours:
            for letter in b"abcdef":
                pids.append(os.fork())
                if not pids[-1]:
                    for _ in range(count):
                        ours.send(bytes((letter,)) * size)
                    os._exit(0)
        stream = theirs.makefile("rb")
        with stream:
            pieces: Counter[bytes] = Counter()
            while piece := stream.read(size):
                assert piece == piece[:1] * size, "a piece was torn"
                pieces[piece[:1]] += 1
    for pid in pids:
        assert os.waitpid(pid, 0)[1] == 0
    assert pieces == {bytes((letter,)): count for letter in b"abcdef"}


def test_a_longer_write_is_torn() -> None:
    """The test above would see it: three times the bound, by two threads, mixes sooner or later."""
    ours, theirs = socket.socketpair()
    size = 3 * SHORT_LIMIT
    with theirs:

        def write(letter: bytes) -> None:
            for _ in range(200):
                ours.send(letter * size)

        def read() -> bool:
            torn = False
            missing = 400 * size
            with theirs.makefile("rb") as stream:
                while missing:
                    piece = stream.read(size)
                    torn |= piece != piece[:1] * size
                    missing -= len(piece)
            return torn

        found: list[bool] = []
        with ours:
            in_threads(lambda: write(b"a"), lambda: write(b"b"), lambda: found.append(read()))
    assert found == [True]


def test_a_smaller_send_buffer_is_respected(make_channel: MakeChannel) -> None:
    """A sender that arrives with one sends nothing longer in the channel than is queued as one piece."""
    (sender, receiver), (travel, arrive) = make_channel(), make_channel()
    with socket.fromfd(sender.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    travel.send(sender)
    with arrive.recv() as arrived:
        assert isinstance(arrived, Sender)
        for size, announced in ((8000, False), (8192, True)):
            arrived.send("x" * size)
            with socket.fromfd(receiver.socket_fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as peek:
                assert (len(peek.recv(20_000, socket.MSG_PEEK)) == 12) == announced
            assert receiver.recv() == "x" * size


SIZES = (1, 20, 300, 4000, SHORT_LIMIT - 20, SHORT_LIMIT - 3, SHORT_LIMIT, 70_000, 300_000)


@pytest.mark.parametrize("small", [False, True], ids=["usual buffer", "small buffer"])
def test_eight_processes_share_a_sender(ends: Pair, small: bool) -> None:
    """Of every size around every limit, with handles: each arrives whole, and each process's in order."""
    sender, receiver = ends
    if small:
        with socket.fromfd(sender.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as own:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    rounds = 12
    with ExitStack() as processes:
        for number in range(8):
            processes.enter_context(peer(peers.send_sizes, [sender, number, rounds, list(SIZES)]))
        sender.close()
        came: dict[int, list[Any]] = defaultdict(list)
        for number, place, content, *handles in receiver:
            for handle in handles:
                handle.close()
            assert content == chr(97 + number) * SIZES[place % len(SIZES)]
            came[number].append(place)
    assert came == {number: list(range(rounds * len(SIZES))) for number in range(8)}


# Whose descriptors


def test_a_read_ends_with_the_piece_that_brings_descriptors() -> None:
    """Linux glues pieces of a stream together up to one with descriptors, and never any after it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for piece, count in ((b"aa", 0), (b"bb", 1), (b"cc", 0), (b"dd", 2), (b"ee", 1)):
            ours.sendmsg([piece], sockets.rights([ours.fileno()] * count))
        found = []
        for _ in range(3):
            data, ancillary, _, _ = theirs.recvmsg(100, sockets.ANCILLARY_SIZE, sockets.RECEIVE_FLAGS)
            descriptors = sockets.descriptors_in(ancillary)
            found.append((data, len(descriptors)))
            for descriptor in descriptors:
                os.close(descriptor)
    assert found == [(b"aabb", 1), (b"ccdd", 2), (b"ee", 1)]


@pytest.mark.parametrize("size", [1, 3, 5, 7])
def test_descriptors_come_with_the_first_part_of_a_piece_that_is_cut(size: int) -> None:
    """However small the read: with the first of its bytes, and once."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.send(b"12")
        ours.sendmsg([b"abcdefgh"], sockets.rights([ours.fileno()]))
        ours.send(b"34")
        ours.shutdown(socket.SHUT_WR)
        place, brought = 0, []
        while True:
            data, ancillary, _, _ = theirs.recvmsg(size, sockets.ANCILLARY_SIZE, sockets.RECEIVE_FLAGS)
            for descriptor in sockets.descriptors_in(ancillary):
                os.close(descriptor)
                brought.append((place, place + len(data)))
            place += len(data)
            if not data:
                break
    ((begin, end),) = brought
    assert begin <= 2 < end


def test_each_message_gets_its_own_descriptors(ends: Pair) -> None:
    """A thousand messages with 0 to 3 handles each, read in batches: every handle is that of its message."""
    sender, receiver = ends
    pairs = [channel() for _ in range(7)]

    def plan(number: int) -> list[int]:
        return [(number * 3 + place) % len(pairs) for place in range(number % 4)]

    def send() -> None:
        for number in range(1000):
            sender.send([number, *(pairs[index][0] for index in plan(number))])

    def receive() -> None:
        for number in range(1000):
            came, *handles = receiver.recv(PATIENCE)
            assert came == number
            assert len(handles) == number % 4
            for handle, index in zip(handles, plan(number), strict=True):
                with handle:
                    handle.send(number)
                assert pairs[index][1].recv(PATIENCE) == number

    in_threads(send, receive)
    for pair in pairs:
        for end in pair:
            end.close()


def test_descriptors_after_many_short_messages_in_one_read(ends: Pair, make_channel: MakeChannel) -> None:
    """The last message of a read is theirs, also where the read is longer than one takes in, and cut."""
    sender, receiver = ends
    inner, inner_receiver = make_channel()
    with socket.fromfd(sender.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MIB)
    text = "x" * 20_000
    for number in range(7):  # more than one read takes
        sender.send([number, text])
    sender.send(["mine", inner, text])
    for number in range(3):
        sender.send([number, text])
    assert [receiver.recv()[0] for _ in range(7)] == list(range(7))
    (name, handle, rest) = receiver.recv()
    with handle:
        assert (name, rest) == ("mine", text)
        handle.send("through")
    assert inner_receiver.recv() == "through"
    assert [receiver.recv()[0] for _ in range(3)] == [0, 1, 2]


# A sender that stops


def test_a_stopped_sender_in_the_middle_of_a_large_message_holds_up_nobody(ends: Pair) -> None:
    """What others send is delivered, short and large, with handles and without; then its own, in order."""
    sender, receiver = ends
    text = encode("x" * 150_000)
    with begin_large(sender, len(text)) as stopped:
        stopped.sendall(text[:1000])
        with pytest.raises(Empty):
            receiver.try_recv()
        for number in range(150):
            sender.send(number)
        assert [receiver.recv(PATIENCE) for _ in range(150)] == list(range(150))
        sender.send([sender, "y" * 70_000])
        copy, large = receiver.recv(PATIENCE)
        copy.close()
        check(large, "y" * 70_000)
        with begin_large(sender, len(text)) as second:
            second.sendall(text[:5])
            sender.send("beside both")
            assert receiver.recv(PATIENCE) == "beside both"
            with pytest.raises(TimeoutError):
                receiver.recv(0.01)
            second.sendall(text[5:])
            check(receiver.recv(PATIENCE), "x" * 150_000)
        stopped.sendall(text[1000:])
        sender.send("its next")
        check(receiver.recv(PATIENCE), "x" * 150_000)
        assert receiver.recv(PATIENCE) == "its next"


def test_its_own_next_message_stays_behind_whenever_it_comes(ends: Pair) -> None:
    """Also where body and message are completed between a look at the one and a read of the other."""
    sender, receiver = ends
    data = encode("x" * 100_000)
    with begin_large(sender, len(data)) as body:
        body.sendall(data[:1000])
        with pytest.raises(Empty):
            receiver.try_recv()
        read = receiver._recvmsg

        def read_late(*arguments: int) -> Any:
            receiver._recvmsg = read
            body.sendall(data[1000:])
            sender.send("its next")
            return read(*arguments)

        receiver._recvmsg = read_late
        check(receiver.recv(PATIENCE), "x" * 100_000)
        assert receiver.recv(PATIENCE) == "its next"


def test_a_stopped_process_holds_up_nobody(make_channel: MakeChannel) -> None:
    """SIGSTOP in the middle of a large message, of which the buffers do not hold all."""
    sender, receiver = make_channel()
    with peer(peers.send_all, [sender, ["x" * (20 * MIB), "after it"]]) as process:
        select.select(
            [receiver.socket_fileno()], [], []
        )  # it is announced, and the buffers hold a part of it
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        with pytest.raises(Empty):
            receiver.try_recv()
        sender.send("meanwhile")
        assert receiver.recv(PATIENCE) == "meanwhile"
        process.send_signal(signal.SIGCONT)
        check(receiver.recv(PATIENCE), "x" * (20 * MIB))
        assert receiver.recv(PATIENCE) == "after it"


def test_what_is_under_way_at_once_is_bounded(ends: Pair) -> None:
    """So many announced bytes, then the channel waits: nobody makes a reader hoard without end."""
    sender, receiver = ends
    receiver.max_message_size = 100_000
    with ExitStack() as stack:
        bodies = [stack.enter_context(begin_large(sender, 100_000)) for _ in range(6)]
        sender.send("after six")
        with pytest.raises(Empty):
            receiver.try_recv()
        assert len(receiver._bodies) == 5
        for body in bodies[:2]:
            body.close()  # given up
        assert receiver.recv(PATIENCE) == "after six"


def test_bodies_outlive_the_channel(ends: Pair) -> None:
    """The last sender is closed while a body is under way: its message comes, then the end."""
    sender, receiver = ends
    data = encode("x" * 100_000)
    with begin_large(sender, len(data)) as body:
        body.sendall(data[:100])
        sender.send("short")
        sender.close()
        assert receiver.recv(PATIENCE) == "short"
        with pytest.raises(Empty):
            receiver.try_recv()
        body.sendall(data[100:])
        assert list(receiver) == ["x" * 100_000]


def test_descriptors_of_an_unfinished_batch_are_closed_with_the_receiver(make_channel: MakeChannel) -> None:
    """A read that brought messages and descriptors, of which none was taken."""
    (sender, receiver), (inner, inner_receiver) = make_channel(), make_channel()
    send_packet(sender, encode(1) + encode(2) + b"\x92\xd4\x01\x00", [inner.fileno()])
    assert receiver.recv() == 1
    inner.close()
    receiver.close()
    with pytest.raises(Disconnected, match="every sender"):
        inner_receiver.recv(PATIENCE)


def test_a_receiver_reads_in_batches(ends: Pair) -> None:
    """Hundreds of messages with one system call."""
    sender, receiver = ends
    for number in range(200):
        sender.send(number)
    assert receiver.recv() == 0
    assert receiver.read_ahead() == len(b"".join(map(encode, range(1, 200))))
    assert [receiver.recv() for _ in range(199)] == list(range(1, 200))


def test_what_has_come_of_messages_that_are_not_whole_can_be_looked_at(ends: Pair) -> None:
    """Those in the channel by their bytes, large ones by their number; looking takes nothing."""
    sender, receiver = ends
    with begin_large(sender, 500) as side:
        side.send(bytes(5))
        with pytest.raises(Empty):
            receiver.try_recv()
        sender.send_raw(encode([1, 2])[:2])
        with pytest.raises(Empty):
            receiver.try_recv()
        assert receiver.large_messages() == [(5, 500)]
        assert receiver.peek(10) == b"\x92\x01"
        assert receiver.peek(1) == b"\x92"
        assert receiver.read_ahead() == 2
