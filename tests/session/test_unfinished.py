"""Messages that have only begun: what is said of their first bytes, and how far a child has read ours."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_ipc import Receiver
from tui_ipc.ipc import aio
from tui_ipc.ipc.channel import answering
from tui_ipc.ipc.wire import encode
from tui_ipc.session.unfinished import (
    MAX_EXAMINED,
    SendMonitor,
    SendProgress,
    UnfinishedMessage,
    find_unfinished,
)

SECOND = 10**9


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\x83\xa1a\x01\xa1b\x02", "7 bytes of a message have come: a map of 3 pairs, 2 of them whole"),
        (b"\x93\x01", "2 bytes of a message have come: a list of 3 items, 1 of them whole"),
        (b"\x01\x91", "1 byte of a message has come: a list of 1 item, 0 of them whole"),
        (b"\xd9\xc8hello", "7 of the 202 bytes of a message have come: a text"),
        (b"\xc5\x01\x00", "3 of the 259 bytes of a message have come: a bytes value"),
        (b"\xcb\0", "2 of the 9 bytes of a message have come: a float"),
        (b"\xdb\0", "2 bytes of a message have come"),
        (
            b"\x81\xa1k\x92\x82\xa1x",
            (
                "7 bytes of a message have come: a map of 1 pair, 0 of them whole, "
                "then a map of 2 pairs, 0 of them whole"
            ),
        ),
        (
            b"\x92\x01\xd9\x64abc",
            (
                "7 bytes of a message have come: a list of 2 items, 1 of them whole, "
                "then a text of 100 bytes, 3 of them"
            ),
        ),
    ],
)
def test_the_first_bytes_of_a_message_say_what_it_is_so_far(data: bytes, sentence: str) -> None:
    """Counts and lengths are those that the bytes claim: that is where the mistake is."""
    assert str(find_unfinished(data, len(data))) == sentence


def test_of_a_long_message_only_the_beginning_is_examined() -> None:
    """What is counted there is said to be the least."""
    data = encode(list(range(100)) * 100)[:-1]
    found = str(find_unfinished(data[:MAX_EXAMINED], len(data), 2 * SECOND))
    assert found.startswith(
        "10 002 bytes of a message have come, the last 2.0 s ago: a list of 10 000 items, "
    )
    assert "at least 4 093 of them whole" in found


@given(
    st.recursive(
        st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    ),
    st.data(),
)
def test_a_message_is_unfinished_until_its_last_byte(value: Any, data: st.DataObject) -> None:
    """However it is cut, and whatever whole messages come before it."""
    raw: bytes = msgpack.packb(value if not isinstance(value, int) else str(value), default=str)
    size = data.draw(st.integers(1, len(raw) - 1)) if len(raw) > 1 else 1
    assert find_unfinished(raw + raw, 2 * len(raw)) is None
    if size < len(raw):
        found = find_unfinished(raw + raw[:size], len(raw) + size)
        assert found is not None
        assert found.received == size


def test_of_a_large_message_its_size_is_known() -> None:
    """It was announced."""
    begun = UnfinishedMessage(received=5, size=500, waited=SECOND // 2)
    assert str(begun) == "5 of the 500 bytes of a message have come, the last 0.5 s ago"


@pytest.fixture
def connection() -> Iterator[tuple[aio.Sender[Any], socket.socket]]:
    """A sender of inline mode, and the child's end."""
    ours, theirs = socket.socketpair()
    with theirs, Receiver[Any](ours) as receiver, aio.Sender(answering(receiver)) as sender:
        yield sender, theirs


def test_a_child_that_reads_slowly_is_not_taken_for_one_that_does_not_read(
    connection: tuple[aio.Sender[Any], socket.socket],
) -> None:
    """From look to look the kernel has less unread; where it has not, that is told with its time."""
    sender, child = connection

    async def main() -> None:
        monitor = SendMonitor(sender, 0)
        monitor.begin(0)
        await sender.send(bytes(98))
        monitor.end(100)
        unread, progress = monitor.look(2 * SECOND)
        assert (unread.size, progress) == (100, SendProgress(nothing_for=2 * SECOND))
        child.recv(30)
        unread, progress = monitor.look(3 * SECOND)
        assert (unread.size, progress) == (70, SendProgress(read_within=SECOND))
        assert monitor.look(5 * SECOND)[1] == SendProgress(nothing_for=2 * SECOND)
        child.recv(70)
        monitor.look(6 * SECOND)
        assert monitor.look(9 * SECOND) == (monitor.look(9 * SECOND)[0], SendProgress())
        assert monitor.look(9 * SECOND)[0].size == 0

    asyncio.run(main())


def test_of_a_message_that_waits_the_part_that_the_child_has_taken_is_known(
    connection: tuple[aio.Sender[Any], socket.socket],
) -> None:
    """What lies in the kernel is not taken."""
    sender, child = connection

    async def main() -> None:
        monitor = SendMonitor(sender, 0)
        monitor.begin(0)
        sending = asyncio.create_task(sender.send(bytes(10_000_000)))
        await asyncio.sleep(0)
        assert monitor.look(SECOND)[1] == SendProgress(taken=0, size=10_000_005, nothing_for=SECOND)
        taken = len(child.recv(1000))
        expected = SendProgress(taken=taken, size=10_000_005, read_within=SECOND)
        assert monitor.look(2 * SECOND)[1] == expected
        sending.cancel()
        await asyncio.wait([sending])

    asyncio.run(main())
