"""Pieces of a stream in, messages out: the same ones with the same bytes, however they came."""

import itertools
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.fd_ledger import Ledger, Paper
from tests.support.hostile_messages import CLAIMS, ON_PAPER, allocated, check_fates, take
from tests.support.message_strategies import arrived, hostile, same, values
from tui_ipc import IpcError, Message, MessageTooLarge, ProtocolError
from tui_ipc.ipc.builder import NOTHING, SHORT_ARRAY
from tui_ipc.ipc.decoder import BROKEN, IDLE, StreamDecoder
from tui_ipc.ipc.wire import DEFAULT_MAX_MESSAGE_SIZE, Large, announce, encode

MIB = 1024 * 1024
SENDER_0 = b"\xd4\x01\x00"


def decoder(ledger: Ledger | None = None, limit: int = DEFAULT_MAX_MESSAGE_SIZE) -> StreamDecoder:
    ledger = ledger or Ledger()
    return StreamDecoder(ledger.adopt, ledger.discard, limit)


def messages(one: StreamDecoder, data: bytes, descriptors: list[int] | None = None) -> list[Any]:
    """All messages that are whole after one read, with their bytes."""
    found = [take(one, one.decode(data, descriptors or ()))]
    while one.pending:
        found.append(take(one, one.next()))
    return [message for message in found if message is not NOTHING]


def contents(one: StreamDecoder, data: bytes) -> list[Any]:
    """The same without their bytes."""
    found = [one.decode(data)]
    while one.pending:
        found.append(one.next())
    return [value for value in found if value is not NOTHING]


@given(sent=st.lists(values, min_size=1, max_size=5))
def test_many_values_in_one_read(sent: list[Any]) -> None:
    """Each comes out once, in order, with exactly its own bytes; nothing is left."""
    packed = [encode(value) for value in sent]
    one = decoder()
    found = messages(one, b"".join(packed))
    assert same([message.value for message in found], [arrived(value) for value in sent])
    assert [message.raw for message in found] == packed
    assert one.read_ahead() == 0
    assert same(contents(decoder(), b"".join(packed)), [arrived(value) for value in sent])


def test_what_is_read_ahead_is_counted() -> None:
    """In bytes of the messages that were not taken yet."""
    one = decoder()
    assert one.decode(b"\x01\xa2ab\x93\x01\x02\x03") == 1
    assert (one.pending, one.read_ahead()) == (True, 7)
    assert take(one, one.next()) == Message("ab", b"\xa2ab")
    assert one.read_ahead() == 4
    assert one.next() == [1, 2, 3]
    assert one.read_ahead() == 0
    assert not one.pending or one.next() is NOTHING
    assert not one.pending
    assert one.decode(b"\x07") == 7


@pytest.mark.parametrize("length", [SHORT_ARRAY, SHORT_ARRAY + 1, 10_001, 60_000])
def test_long_arrays_arrive(length: int) -> None:
    """Those that are built at once and those that are scanned first, alone and among others."""
    sent = [0] * length
    data = encode(sent)
    assert messages(decoder(), data) == [Message(sent, data)]
    one = decoder()
    assert contents(one, b"\x01" + data + b"\x02" + data) == [1, sent, 2, sent]
    assert one.read_ahead() == 0


def test_a_list_as_a_key_among_other_messages() -> None:
    """The careful way gives the same messages and the same bytes."""
    assert messages(decoder(), b"\x01\x81\x91\x02\x03\x04") == [
        Message(1, b"\x01"),
        Message({(2,): 3}, b"\x81\x91\x02\x03"),
        Message(4, b"\x04"),
    ]


@pytest.mark.parametrize(
    ("second", "offset"),
    [(b"\xc1", 0), (b"\x92\x01\xc1", 2), (b"\xa1\xff", 0), (SENDER_0, 0), (b"\x91" * 1025, 1024)],
    ids=lambda value: value.hex()[:10] if isinstance(value, bytes) else None,
)
def test_an_error_in_a_later_message_names_its_byte(second: bytes, offset: int) -> None:
    """Counted from the beginning of the stream; what came before it is delivered."""
    one = decoder()
    first = encode("first")
    assert one.decode(first + b"\x02" + second) == "first"
    assert one.next() == 2
    with pytest.raises(ProtocolError) as refusal:
        one.next()
    assert refusal.value.offset == len(first) + 1 + offset


def test_a_message_over_the_limit_is_skipped_among_others() -> None:
    """As long as its end is known: a read may be longer than its messages may; each is judged by itself."""
    one = decoder(limit=4)
    assert one.decode(b"\x93\x01\x02\x03\xa4long\x05") == [1, 2, 3]
    with pytest.raises(MessageTooLarge, match="message of 5 bytes exceeds the limit of 4"):
        one.next()
    assert take(one, one.next()) == Message(5, b"\x05")
    assert (one.read_ahead(), one.state) == (0, IDLE)


def test_a_short_message_over_the_limit_is_skipped_wherever_it_is_cut() -> None:
    """Its error is told once, as soon as its header says so; what a channel carries is short, so that its
    rest is awaited.
    """
    for data in (encode("x" * 20_000), encode([1] * 20_000)):
        for cut in (1, 3, 4, 10_000, len(data) - 1):
            one = decoder(limit=100)
            told = []
            found: list[Any] = []
            for piece in (b"\x01" + data[:cut], data[cut:] + b"\x02", b"\x03"):
                one.feed(piece)
                while one.pending:
                    try:
                        found.append(one.next())
                    except MessageTooLarge as error:
                        told.append(str(error))
            assert [value for value in found if value is not NOTHING] == [1, 2, 3]
            (sentence,) = told
            assert sentence.endswith("bytes exceeds the limit of 100; raise it with max_message_size")


# ---------------------------------------------------------------------------------------------------- streams


@given(sent=st.lists(values, min_size=1, max_size=4), data=st.data())
def test_a_stream_in_any_pieces_gives_the_same_messages(sent: list[Any], data: st.DataObject) -> None:
    """Wherever it is cut: the same values with the same bytes, each as soon as it is whole."""
    packed = [encode(value) for value in sent]
    stream = b"".join(packed)
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(stream) - 1)), max_size=8)))
    ends = list(itertools.accumulate(map(len, packed)))
    one = decoder()
    found: list[Message] = []
    for start, end in itertools.pairwise([0, *cuts, len(stream)]):
        found += messages(one, stream[start:end])
        assert len(found) == sum(whole <= end for whole in ends)
        assert one.read_ahead() == end - max((whole for whole in ends if whole <= end), default=0)
    assert same([message.value for message in found], [arrived(value) for value in sent])
    assert [message.raw for message in found] == packed


@given(sent=st.lists(values, min_size=1, max_size=3))
@example(sent=[{"long": "x" * 300, "short": [b""]}, list(range(600))])
def test_a_stream_byte_by_byte(sent: list[Any]) -> None:
    """The worst of all cuts."""
    packed = [encode(value) for value in sent]
    one = decoder()
    found = [take(one, one.decode(bytes((byte,)))) for byte in b"".join(packed)]
    found = [message for message in found if message is not NOTHING]
    assert [message.raw for message in found] == packed
    assert same([message.value for message in found], [arrived(value) for value in sent])


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 65_538, 200_000])
@pytest.mark.parametrize("long", [bytes, lambda size: "s" * size], ids=["bytes", "str"])
@pytest.mark.parametrize("piece", [1000, 65_536, 120 * 1024])
def test_long_strings_inside_a_value_on_a_stream(size: int, long: Any, piece: int) -> None:
    """Those that the decoder waits for without looking, and those just too short for that."""
    sent = [1, {"a": long(size), "b": [long(size), 2]}, long(size)]
    packed = [encode(value) for value in (*sent, sent)]
    stream = b"".join(packed)
    one = decoder()
    found = [
        m for start in range(0, len(stream), piece) for m in messages(one, stream[start : start + piece])
    ]
    assert [message.value for message in found] == [*sent, sent]
    assert [message.raw for message in found] == packed


def test_a_stream_goes_on_counting() -> None:
    """The byte that an error names is counted from the beginning of the stream, however it was cut."""
    one = decoder()
    for piece in (b"\x01\x02\x93\x01", b"\x02", b"\x03\x04", b"\x05"):
        messages(one, piece)
    with pytest.raises(ProtocolError) as refusal:
        one.decode(b"\x92\x06\xc1")
    assert refusal.value.offset == 10


def test_descriptors_belong_to_the_value_that_holds_the_last_byte_they_came_with() -> None:
    """Linux ends a read behind the piece that carries them."""
    ledger = Ledger()
    one = decoder(ledger)
    first, second, third = messages(one, b"\x01\x02" + SENDER_0, ledger.fresh(1))
    assert (first.value, second.value, third.value.descriptor) == (1, 2, 0)
    assert one.decode(SENDER_0[:1], ledger.fresh(1)) is NOTHING
    assert one.decode(SENDER_0[1:] + b"\x03").descriptor == 1
    assert one.next() == 3
    assert (ledger.held, ledger.open) == ([0, 1], [])


def test_descriptors_of_a_value_that_comes_in_pieces_are_counted_on() -> None:
    """Two pieces with descriptors, one value: the indexes go on."""
    ledger = Ledger()
    one = decoder(ledger)
    assert one.decode(b"\x92" + SENDER_0, ledger.fresh(1)) is NOTHING
    first, second = one.decode(b"\xd4\x01\x01", ledger.fresh(1))
    assert (first.descriptor, second.descriptor) == (0, 1)


def test_expired_descriptors_are_discarded() -> None:
    """Those of a value that did not claim them are nobody's, and never those of the next one."""
    ledger = Ledger()
    one = decoder(ledger)
    assert one.decode(b"\x01", ledger.fresh(2)) == 1
    assert ledger.discarded == [0, 1]
    with pytest.raises(ProtocolError, match="a handle names descriptor 0, but 0 came with its message"):
        one.decode(SENDER_0)


def test_more_than_253_descriptors_before_one_value_is_whole() -> None:
    """Nobody collects descriptors here without end; they are given up with the stream."""
    ledger = Ledger()
    one = decoder(ledger)
    assert one.decode(b"\x9f", ledger.fresh(253)) is NOTHING
    with pytest.raises(
        ProtocolError, match="254 descriptors came before one value was whole; 253 are allowed"
    ):
        one.decode(b"\x01", ledger.fresh(1))
    one.close()
    assert len(ledger.discarded) == 254


def test_a_large_message_is_announced_among_others() -> None:
    """What follows its announcement on the stream is kept."""
    ledger = Ledger()
    one = decoder(ledger)
    assert messages(one, b"\x01" + announce(99), ledger.fresh(2)) == [Message(1, b"\x01"), Large(99, [0, 1])]
    assert one.decode(b"\x02") == 2


def test_a_message_over_the_limit_ends_a_stream_early() -> None:
    """As soon as its bytes tell: by their number, or by the length or the count that a header states."""
    lengths = (b"\xc6\x00\x01\x00\x00", b"\xdc\xff\xff" + bytes(40_000), b"\xdb\xff\xff\xff\xff")
    counts = (b"\xdd\x00\x00\xff\x00", b"\xdf\x00\x00\xf0\x00")
    for head in (*lengths, *counts):
        one = decoder(limit=100)
        with pytest.raises(MessageTooLarge, match="exceeds the limit of 100"):
            one.decode(head)
        assert one.state == BROKEN
        assert one.decode(b"\x01") is NOTHING
    nested = b"\x92\xc0\xc6\x00\xff\xff\xff" + bytes(70_000)
    with pytest.raises(MessageTooLarge, match="of 16 777 222 bytes exceeds the limit of 1 000 000"):
        decoder(limit=1_000_000).decode(nested)
    assert decoder(limit=100).decode(b"\xc4\x62" + bytes(98)) == bytes(98)
    assert decoder(limit=100).decode(b"\xdd\x00\x00\x00\x5f" + bytes(95)) == [0] * 95
    with pytest.raises(MessageTooLarge, match="message of 101 bytes exceeds the limit of 100"):
        decoder(limit=100).decode(b"\xc4\x63" + bytes(99))


def test_nonsense_in_a_long_array_is_told_at_once() -> None:
    """However many items its header claims, nothing is awaited before the first of them is looked at."""
    with pytest.raises(ProtocolError) as refused:
        decoder().decode(b"\xdd\x00\x10\x00\x00\xc1")
    assert refused.value.offset == 5


# --------------------------------------------------------------------------------------------- whatever comes


@given(**ON_PAPER)
def test_each_descriptor_has_one_fate(
    reads: list[tuple[bytes, int]], refused: set[int], with_bytes: bool
) -> None:
    """Whatever comes is a message or one typed error, and no descriptor has no owner, or two."""
    check_fates(reads, refused, with_bytes)


@given(data=hostile)
def test_message_and_value_agree(data: bytes) -> None:
    """Both ways to take messages give the same ones, and the bytes of each are what it is built from."""

    def outcome(with_bytes: bool) -> tuple[list[Any], str]:
        one, found, error = decoder(), list[Any](), ""
        try:
            found.append(take(one, one.decode(data), with_bytes=with_bytes))
            while one.pending:
                found.append(take(one, one.next(), with_bytes=with_bytes))
        except IpcError as refusal:
            error = str(refusal)
        return [one for one in found if one is not NOTHING], error

    told, told_error = outcome(with_bytes=True)
    plain, plain_error = outcome(with_bytes=False)
    values = [message if isinstance(message, Large) else message.value for message in told]
    assert (same(values, plain), told_error) == (True, plain_error)
    raws = [announce(one.size, one.number, one.head) if isinstance(one, Large) else one.raw for one in told]
    assert data.startswith(b"".join(raws))


@pytest.mark.parametrize("data", CLAIMS.values(), ids=CLAIMS)
def test_claims_allocate_nothing(data: bytes) -> None:
    """Never more than 16 MiB over what was sent, alone or behind another message."""
    for sent in (data, b"\x01" + data):
        one = decoder()
        assert allocated(lambda one=one, sent=sent: messages(one, sent)) < 16 * MIB  # type: ignore[misc]


def test_an_unfinished_message_on_a_stream_is_held_once() -> None:
    """A peer that stops in mid-message takes what it sent, and not a multiple of it."""
    size = 40 * MIB
    for head in (b"", b"\x92\xc0"):
        one = decoder()
        pieces = [head + b"\xc6" + size.to_bytes(4, "big"), *[bytes(120 * 1024)] * 320]
        held = allocated(lambda one=one, pieces=pieces: [one.decode(piece) for piece in pieces])  # type: ignore[misc]
        assert one.read_ahead() > 37 * MIB
        assert held < one.read_ahead() + 16 * MIB


def test_handles_are_those_of_the_caller() -> None:
    """A decoder makes none by itself."""
    ledger = Ledger()
    assert isinstance(decoder(ledger).decode(SENDER_0, ledger.fresh(1)), Paper)
