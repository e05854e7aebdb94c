"""Messages that no honest peer sends, and what must not come of them."""

import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from tests.support.attacks import LIMIT
from tests.support.fd_ledger import Ledger, descriptors_in
from tests.support.message_strategies import colliding_keys, hostile
from tui_ipc import Disconnected, IpcError, Message, MessageTooLarge, ProtocolError
from tui_ipc.ipc.builder import NOTHING
from tui_ipc.ipc.decoder import StreamDecoder
from tui_ipc.ipc.wire import DEFAULT_MAX_MESSAGE_SIZE, OFFERED, Large, announce, encode

_SENDER_0, _RECEIVER_0, _MEMORY_0 = b"\xd4\x01\x00", b"\xd4\x02\x00", b"\xc7\x09\x03\x00"

_KEYS = colliding_keys(2000)
_COLLIDING = b"\xde" + len(_KEYS).to_bytes(2, "big") + b"".join(encode(key) + b"\xc0" for key in _KEYS)


def _cases() -> Iterator[tuple[str, bytes, list[str], type[IpcError]]]:
    """Name, bytes, kinds of descriptors, error."""
    yield "0xc1", b"\xc1", [], ProtocolError
    yield "a tower of maps", b"\x81\xc0" * 2000, [], ProtocolError
    yield "nested too deeply", b"\x91" * 2000, [], ProtocolError
    yield "arrays in arrays", b"\xdc\xff\xff" * 20_000, [], ProtocolError
    yield "not UTF-8", b"\xa2\xff\xfe", [], ProtocolError
    yield "a handle without a descriptor", _SENDER_0, [], ProtocolError
    yield "an index out of range", b"\xd4\x01\x07", ["empty stream"], ProtocolError
    streams = ["empty stream", "empty stream"]
    yield "a descriptor claimed as two", b"\x92" + _SENDER_0 + _RECEIVER_0, streams[1:], ProtocolError
    yield "an unknown ext type", b"\xd4\x2a\x00", streams[1:], ProtocolError
    yield "a key twice", b"\x82\x01" + _SENDER_0 + b"\x01\xd4\x01\x01", streams, ProtocolError
    yield "keys too deep to be compared", b"\x82" + (b"\x91" * 1020 + b"\xc0\x01") * 2, [], ProtocolError
    yield "keys that collide", _COLLIDING, [], ProtocolError
    for kind in (
        "file",
        "directory",
        "path",
        "device",
        "event",
        "poll",
        "internet",
        "datagrams",
        "packets",
        "memory",
    ):
        yield f"{kind} as a sender", _SENDER_0, [kind], ProtocolError
        yield f"{kind} as the stream of a message", announce(10), [kind], ProtocolError
    for kind in ("file", "device", "pipe", "empty stream", "unsealed memory", "path"):
        yield f"{kind} as shared memory", _MEMORY_0 + bytes(7) + b"\x08", [kind], ProtocolError
    yield "shared memory of a wrong size", _MEMORY_0 + bytes(7) + b"\x09", ["memory"], ProtocolError
    yield "shared memory of an absurd size", _MEMORY_0 + b"\xff" * 8, ["memory"], ProtocolError
    yield "a pipe as a sender", _SENDER_0, ["pipe"], ProtocolError
    yield "a pipe that ends early", announce(10), ["pipe"], Disconnected
    yield "the wrong end of a pipe", announce(10), ["pipe to write"], ProtocolError
    yield "a listening socket as the stream", announce(10), ["listening stream"], ProtocolError
    yield "an unconnected socket as the stream", announce(10), ["unconnected stream"], ProtocolError
    yield "garbage on the stream of a message", announce(2000), ["stream of 0xc1"], ProtocolError
    yield "more than one value on the stream", announce(2000), ["stream of zeros"], ProtocolError
    yield (
        "an announcement on the stream",
        announce(11),
        ["stream of an announcement", "empty stream"],
        ProtocolError,
    )
    yield "an empty large message", announce(0), ["ended stream"], ProtocolError
    yield "a large message without a stream", announce(10), [], ProtocolError
    yield "a large message inside another", b"\x91" + announce(10), ["empty stream"], ProtocolError
    yield "a large message of 2^60 bytes", announce(2**60), ["empty stream"], MessageTooLarge
    yield "a large message over the limit", announce(LIMIT + 1), ["empty stream"], MessageTooLarge
    yield "a large message that is given up", announce(10), ["stream of five bytes"], Disconnected
    yield "a large message that never comes", announce(10), ["empty stream"], Disconnected
    yield "a kept stream that is not there", announce(10, 0), [], ProtocolError
    yield "a kept stream of an absurd number", announce(10, 200), ["empty stream"], ProtocolError
    yield "an offered stream that is not there", announce(10, OFFERED), [], ProtocolError
    yield "an offered file", announce(10, OFFERED), ["file"], ProtocolError
    yield "a part with an offered stream", announce(5, OFFERED, b"\xa4"), ["empty stream"], ProtocolError
    yield "an offered stream that never comes", announce(10, OFFERED), ["empty stream"], Disconnected
    yield "a kept stream inside a message", b"\x91" + announce(10, 0), [], ProtocolError
    yield "a large message announced at length", b"\xc7\x0f\x04" + bytes(15), [], ProtocolError


NAMED_ATTACKS = list(_cases())
"""Name, bytes, kinds of descriptors and error of each attack that once mattered."""


CLAIMS = {
    "arrays": b"\xdc\xff\xff" * 20_000,
    "arrays just short enough to be built at once": b"\xdc\x02\x00" * 20_000,
    "long arrays side by side": b"\xdc\x02\x00" + (b"\xdc\x02\x00" + b"\xc0" * 511) * 200,
    "a huge array": b"\xdd\xff\xff\xff\xff",
    "huge arrays": b"\xdd\xff\xff\xff\xff" * 1024,
    "huge maps": b"\xdf\xff\xff\xff\xff" * 1024,
    "maps as values": b"\xdf\xff\xff\xff\xff\x01" * 1024,
    "a huge bytes": b"\xc6\xff\xff\xff\xff",
    "a huge str": b"\xdb\xff\xff\xff\xff",
    "a huge ext value": b"\xc9\xff\xff\xff\xff\x01",
    "a huge large message": announce(2**60),
}
"""Bytes that claim far more than they are."""


def allocated(work: Callable[[], object]) -> int:
    """Bytes that were allocated at the most while something worked, or failed with a typed error."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        try:
            work()
        except IpcError:
            pass
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


ON_PAPER: dict[str, st.SearchStrategy[Any]] = {
    "reads": st.lists(st.tuples(hostile, st.integers(0, 4)), max_size=5),
    "refused": st.sets(st.integers(0, 12)),
    "with_bytes": st.booleans(),
}
"""What ``check_fates`` is tried with."""


def take(one: StreamDecoder, value: Any, *, with_bytes: bool = True) -> Any:
    """What a decoder gave, a message with its bytes."""
    is_message = with_bytes and value is not NOTHING and not isinstance(value, Large)
    return Message(value, one.raw()) if is_message else value


def check_fates(reads: list[tuple[bytes, int]], refused: set[int], with_bytes: bool) -> None:
    """Decode until the first error, then look who has which descriptor."""
    ledger = Ledger(refused)
    one = StreamDecoder(ledger.adopt, ledger.discard, DEFAULT_MAX_MESSAGE_SIZE)
    found: list[Any] = []
    try:
        for data, count in reads:
            found.append(take(one, one.decode(data, ledger.fresh(count)), with_bytes=with_bytes))
            while one.pending:
                found.append(take(one, one.next(), with_bytes=with_bytes))
    except IpcError:
        pass
    one.close()
    announced = [d for large in found if isinstance(large, Large) for d in large.descriptors]
    assert ledger.open == announced
    assert sorted(ledger.held + announced) == descriptors_in(found)
