"""Channels as a whole: what goes in comes out, between threads and between processes, at every size."""

import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.ipc.conftest import MakeChannel, Pair
from tests.support import peers
from tests.support.peers import peer
from tests.support.threads import PATIENCE, check, in_threads
from tui_ipc import Disconnected, Receiver, Sender, channel
from tui_ipc.ipc.channel import answering
from tui_ipc.ipc.wire import SHORT_LIMIT, encode

MIB = 1024 * 1024


# ----------------------------------------------------------------------------------------------------- Basics


def test_round_trip_then_disconnect(ends: Pair) -> None:
    """Round trip then disconnect."""
    sender, receiver = ends
    sender.send("hello")
    sender.close()
    assert receiver.recv() == "hello"
    with pytest.raises(Disconnected, match="every sender of this channel is closed") as caught:
        receiver.recv()
    assert caught.value.unfinished == 0


def test_round_trip_through_a_second_process(make_channel: MakeChannel) -> None:
    """Round trip then disconnect, cross-process."""
    to_peer, theirs = make_channel()
    their_sender, from_peer = make_channel()
    with peer(peers.echo, [their_sender, theirs]):
        their_sender.close()
        for message in ("hello", 17, b"\x00\xff", {"nested": [None, 1.5]}):
            to_peer.send(message)
            assert from_peer.recv(PATIENCE) == message
        to_peer.close()
        with pytest.raises(Disconnected):
            from_peer.recv(PATIENCE)


@pytest.mark.parametrize("size", [1, 3, 255, 257, 8191, 8193, 65535, 65537, 200_001])
def test_bytes_of_odd_length(ends: Pair, size: int) -> None:
    """``bytes`` of odd length."""
    sender, receiver = ends
    data = bytes(index % 251 for index in range(size))
    in_threads(lambda: sender.send(data), lambda: check(receiver.recv(PATIENCE), data))


@pytest.mark.parametrize("empty", [None, b"", "", [], {}, 0, False])
def test_an_empty_message_is_not_an_end(ends: Pair, empty: object) -> None:
    """An empty message (`None`, `b""`, `""`) is not an end ★."""
    sender, receiver = ends
    for _ in range(3):
        sender.send(empty)
    sender.send("more")
    sender.close()
    assert receiver.recv() == empty
    assert receiver.try_recv() == empty
    assert list(receiver) == [empty, "more"]


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -1, 127, 128, -32, -33, 2**31, -(2**31) - 1,
        2**63 - 1, -(2**63), 2**64 - 1,  # big ints: the ends of 64 bits, signed and unsigned
        0.1, -0.0, float("inf"), "", "naïve ❯ 日本 \U0001f980", "\0", b"", b"\xff", bytearray(b"ab"),
        [], [[[]]], [1, [2, [3]]], {}, {"a": {"b": [None]}},
        {5: "int", -5: "negative", b"k": "bytes", None: "nothing", True: "bool", 2.5: "float"},
        {(1, (2, "x")): "tuple"},
        datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2600, 1, 1, tzinfo=UTC),
        datetime(2024, 7, 1, tzinfo=timezone(timedelta(hours=-7))),
        list(range(5000)),
    ],
    ids=lambda value: f"{type(value).__name__}-{str(value)[:24]}",
)  # fmt: skip
def test_every_msgpack_type(ends: Pair, value: object) -> None:
    """Every msgpack type, timestamps, big ints, maps with non-string keys."""
    sender, receiver = ends
    sender.send(value)
    sender.send([value, {"in": value}])
    received = receiver.recv()
    assert received == value
    assert type(received) is (bytes if isinstance(value, bytearray) else type(value))
    assert receiver.recv() == [value, {"in": value}]


def test_str_and_bytes_stay_apart(ends: Pair) -> None:
    """`bytes` and `str` stay apart."""
    sender, receiver = ends
    sender.send(["text", b"text"])
    text, data = receiver.recv()
    assert (type(text), type(data)) == (str, bytes)


def test_a_tuple_arrives_as_a_list(ends: Pair) -> None:
    """A tuple arrives as a list, msgpack having one kind of array."""
    sender, receiver = ends
    sender.send((1, (2, 3)))
    assert receiver.recv() == [1, [2, 3]]


def test_a_sender_used_by_many_threads(ends: Pair) -> None:
    """A sender used by many threads: nothing is lost or mixed, each thread's messages keep their order."""
    sender, receiver = ends

    def send(thread: int) -> None:
        for number in range(200):
            sender.send([thread, number, chr(97 + thread) * (number * 37)])

    def receive() -> None:
        following = Counter[int]()
        for _ in range(8 * 200):
            thread, number, text = receiver.recv(PATIENCE)
            assert number == following[thread]
            assert text == chr(97 + thread) * (number * 37)
            following[thread] += 1

    in_threads(receive, *(lambda thread=thread: send(thread) for thread in range(8)))


# -------------------------------------------------------------------------------------- Sizes and concurrency


def padded(size: int) -> str:
    """A str whose message has this many bytes."""
    length = next(length for length in range(size, -1, -1) if len(encode("x" * length)) == size)
    return "x" * length


@pytest.mark.parametrize("limit", [SHORT_LIMIT, 65536])
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_exactly_the_limit(ends: Pair, limit: int, extra: int) -> None:
    """64 KiB, exactly the limit of a short message, one byte over ★."""
    sender, receiver = ends
    message = padded(limit + extra)
    in_threads(
        lambda: sender.send_many([message, "next"]),
        lambda: check([receiver.recv(PATIENCE), receiver.recv(PATIENCE)], [message, "next"]),
    )


@pytest.mark.parametrize("extra", [0, 1])
def test_one_byte_over_the_limit_takes_another_way(ends: Pair, extra: int) -> None:
    """A message of exactly 32 KiB goes in the channel, one byte over it travels on a stream of its own ★."""
    sender, receiver = ends
    sender.send(padded(SHORT_LIMIT + extra))  # fits into either buffer, so that nobody need receive meanwhile
    with socket.fromfd(receiver.socket_fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as peek:
        seen = peek.recv(2 * SHORT_LIMIT, socket.MSG_PEEK)
    assert len(seen) == (12 if extra else SHORT_LIMIT)
    assert receiver.recv() == padded(SHORT_LIMIT + extra)


@pytest.mark.parametrize("size", [64 * 1024, MIB, 50 * MIB])
@pytest.mark.parametrize("of", [bytes, lambda size: "é" * (size // 2), lambda size: [b"x" * (size // 2)] * 2])
def test_large_messages_through_a_second_process(
    make_channel: MakeChannel, size: int, of: Callable[[int], object]
) -> None:
    """64 KiB, 1 MiB, 50 MiB, cross-process and back."""
    to_peer, theirs = make_channel()
    their_sender, from_peer = make_channel()
    message = of(size)
    with peer(peers.echo, [their_sender, theirs]), to_peer:
        their_sender.close()
        to_peer.send(message, PATIENCE)
        check(from_peer.recv(PATIENCE), message)


@pytest.mark.parametrize(("size", "count"), [(100, 500), (30_000, 500), (MIB, 10)])
def test_three_processes_send_through_one_sender(ends: Pair, size: int, count: int) -> None:
    """Three processes send 1 MiB each, or less, through one sender: no interleaving ★."""
    sender, receiver = ends
    with ExitStack() as processes:
        for character in "abc":
            processes.enter_context(peer(peers.send_repeated, [sender, character, size, count]))
        sender.close()
        came = Counter(whole(message, size) for message in receiver)
    assert came == dict.fromkeys("abc", count)


def test_ten_senders_of_half_a_mib(ends: Pair) -> None:
    """10 senders × 512 KiB."""
    sender, receiver = ends
    clones = [sender.clone() for _ in range(10)]
    sender.close()

    def send(clone: Sender[Any], character: str) -> None:
        with clone:
            clone.send(character * (512 * 1024))

    def receive() -> None:
        assert sorted(whole(message, 512 * 1024) for message in receiver) == list("abcdefghij")

    works = [
        lambda one=one, name=name: send(one, name) for one, name in zip(clones, "abcdefghij", strict=True)
    ]
    in_threads(receive, *works)


def whole(message: str, size: int) -> str:
    """The one character that a message of this size repeats."""
    assert len(message) == size
    assert message == message[0] * size, "messages are mixed"
    return message[0]


def test_both_sides_send_50_mib_at_once(make_channel: MakeChannel) -> None:
    """Both sides send 50 MiB at once, blocking in threads: no deadlock."""
    there, here = make_channel(), make_channel()
    data = bytes(50 * MIB)
    in_threads(
        lambda: there[0].send(data),
        lambda: here[0].send(data),
        lambda: check(there[1].recv(PATIENCE), data),
        lambda: check(here[1].recv(PATIENCE), data),
    )


# -------------------------------------------------------------------------------------------- Inline channels


@pytest.fixture
def connection() -> Iterator["Connection"]:
    """A connection that carries both directions: a receiver and its answering sender at either end."""
    left, right = (Receiver[Any](end) for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM))
    with left, right, answering(left) as from_left, answering(right) as from_right:
        yield (from_left, left), (from_right, right)


Connection = tuple[Pair, Pair]


@pytest.mark.parametrize("size", [0, SHORT_LIMIT + 1, 5 * MIB])
def test_answering_carries_both_directions(connection: Connection, size: int) -> None:
    """Inline mode: one connection carries both directions, long messages simply follow in the stream."""
    (from_left, left), (from_right, right) = connection

    def receive(receiver: Receiver[Any], expected: object) -> None:
        check(receiver.recv(PATIENCE), expected)
        check(receiver.recv(PATIENCE), "end")

    in_threads(
        lambda: from_left.send_many(["l" * size, "end"]),
        lambda: from_right.send_many([b"r" * size, "end"]),
        lambda: receive(left, b"r" * size),
        lambda: receive(right, "l" * size),
    )


def test_answering_is_used_by_many_threads(connection: Connection) -> None:
    """A sender used by many threads, inline mode: long messages follow each other whole."""
    (from_left, _), (_, right) = connection

    def receive() -> None:
        came = Counter(whole(right.recv(PATIENCE), MIB) for _ in range(15))
        assert came == {"a": 5, "b": 5, "c": 5}

    def send(character: str, timeout: float | None) -> None:
        for _ in range(5):
            from_left.send(character * MIB, timeout)

    in_threads(receive, *(lambda name=name: send(name, None if name == "a" else PATIENCE) for name in "abc"))


def test_answering_carries_no_handles(connection: Connection, ends: Pair) -> None:
    """Inline mode has no descriptors: a handle in a message is a clear error, and stays usable."""
    (from_left, _), (_, right) = connection
    sender, receiver = ends
    with pytest.raises(TypeError, match="carries no handles"):
        from_left.send([receiver])
    sender.send("still here")
    assert receiver.recv() == "still here"
    from_left.send("and so is the connection")
    assert right.recv() == "and so is the connection"


def test_answering_does_not_travel(connection: Connection, ends: Pair) -> None:
    """An inline sender cannot travel: its peer takes no descriptors."""
    (from_left, _), _ = connection
    sender, _ = ends
    with pytest.raises(ValueError, match="inline"):
        sender.send([from_left])


def test_answering_is_not_cloned(connection: Connection) -> None:
    """An inline sender has no clones: long messages of two would mix; threads share the one."""
    (from_left, _), _ = connection
    with pytest.raises(ValueError, match="cannot be cloned; threads may share it"):
        from_left.clone()


# ----------------------------------------------------------------------------------------- Types and start-up


def test_channels_are_typed_by_their_messages() -> None:
    """Typed generics: ``Sender[int]`` and ``Receiver[int]`` are expressions at run time too."""
    sender: Sender[int]
    receiver: Receiver[int]
    sender, receiver = channel()
    with sender, receiver:
        sender.send(17)
        number: int = receiver.recv()
    assert number == 17
    assert Sender[int].__origin__ is Sender  # type: ignore[attr-defined]
    assert Receiver[dict[str, int]].__args__ == (dict[str, int],)  # type: ignore[attr-defined]


@pytest.mark.parametrize("module", ["tui_ipc", "tui_ipc.child"])
def test_the_import_is_light(module: str) -> None:
    """`import tui_ipc` imports neither asyncio nor Textual nor dataclasses, nor typing; nor does a child."""
    listed = f"import sys; before = set(sys.modules); import {module}; print(*set(sys.modules) - before)"
    root = Path(__file__).parents[2]
    loaded = subprocess.run(
        [sys.executable, "-c", listed], cwd=root, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "tui_ipc.ipc.channel" in loaded
    assert not {"asyncio", "textual", "dataclasses", "typing", "inspect", "mmap"} & set(loaded)
