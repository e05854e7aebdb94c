"""One message from its bytes and descriptors: what is refused, where, and what becomes of each descriptor."""

from time import monotonic
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.fd_ledger import Ledger, Paper, descriptors_in
from tests.support.hostile_messages import CLAIMS, allocated
from tests.support.message_strategies import colliding_keys, hostile
from tui_ipc import IpcError, MessageTooLarge, ProtocolError
from tui_ipc.ipc.builder import Builder, scan
from tui_ipc.ipc.wire import COLLISION_LIMIT, RECEIVER, SENDER, SHARED_MEMORY, Large, announce, encode

MIB = 1024 * 1024
SENDER_0, RECEIVER_0, SENDER_1 = b"\xd4\x01\x00", b"\xd4\x02\x00", b"\xd4\x01\x01"


def builder(ledger: Ledger, limit: int = 64 * MIB) -> Builder:
    return Builder(ledger.adopt, ledger.discard, limit)


@given(hostile, st.integers(0, 5), st.sets(st.integers(0, 4)))
@example(b"\x82\x01" + SENDER_0 + b"\x01" + SENDER_1, 2, set())
@example(b"\x92" + SENDER_0 + SENDER_1, 2, {1})
@example(b"\x81\x91" + SENDER_0 + b"\xc0", 1, set())
def test_each_descriptor_has_one_fate(data: bytes, count: int, refused: set[int]) -> None:
    """Whatever comes: a handle in the value has it, or it is given up; after an error none is held."""
    ledger = Ledger(refused)
    descriptors = ledger.fresh(count)
    value: Any = None
    try:
        value = builder(ledger).build(data, descriptors)
    except IpcError:
        pass
    announced = value.descriptors if isinstance(value, Large) else []
    assert ledger.open == announced
    assert sorted(ledger.held + announced) == descriptors_in(value)


def test_handles_find_their_descriptors() -> None:
    """By the index that each one names, in whatever order."""
    ledger = Ledger()
    value = builder(ledger).build(b"\x92" + SENDER_1 + RECEIVER_0, ledger.fresh(2))
    assert [(handle.kind, handle.descriptor) for handle in value] == [(SENDER, 1), (RECEIVER, 0)]


def test_the_rest_of_a_handles_payload_is_given_to_whoever_adopts_it() -> None:
    """For shared memory: its size."""
    ledger = Ledger()
    memory = builder(ledger).build(b"\xc7\x09\x03\x00" + bytes(7) + b"\x05", ledger.fresh(1))
    assert isinstance(memory, Paper)
    assert (memory.kind, memory.rest) == (SHARED_MEMORY, bytes(7) + b"\x05")


def test_the_same_handle_thrice_is_one_handle() -> None:
    """One descriptor, one owner, as a key of a map as well."""
    ledger = Ledger()
    first, second, third = builder(ledger).build(
        b"\x93" + SENDER_0 + SENDER_0 + b"\x81" + SENDER_0 + b"\xc0", ledger.fresh(1)
    )
    assert first is second
    assert list(third) == [first]
    assert ledger.held == [0]


def test_unclaimed_descriptors_are_discarded() -> None:
    """More descriptors than handles are no error, and no leak."""
    ledger = Ledger()
    assert builder(ledger).build(b"\x91" + SENDER_1, ledger.fresh(3))[0].descriptor == 1
    assert ledger.discarded == [0, 2]


@pytest.mark.parametrize(
    ("data", "count", "sentence"),
    [
        (b"\x92" + SENDER_0 + RECEIVER_0, 1, "descriptor 0 is claimed as ext type 1 and as 2"),
        (b"\x92" + SENDER_0 + SENDER_1, 1, "a handle names descriptor 1, but 1 came with its message"),
        (SENDER_0, 0, "a handle names descriptor 0, but 0 came with its message"),
        (b"\x92" + SENDER_0 + b"\xd4\x06\x00", 2, "unknown ext type 6"),
        (b"\xd4\x80\x00", 1, "unknown ext type -128"),
        (b"\xd4\x00\x00", 1, "unknown ext type 0"),
        (b"\xc7\x00\x01", 1, "a handle without the index of its descriptor"),
        (b"\x91" + announce(9), 2, "ext type 4 (a large message) is inside another value"),
        (b"\x81" + announce(9) + b"\xc0", 2, "ext type 4 (a large message) is inside another value"),
        (b"\xd4\x04\x09", 1, "a large message is announced in 1 bytes instead of 8 to 14"),
        (b"\x82\x01" + SENDER_0 + b"\x01" + SENDER_1, 2, "a map of a message with handles holds a key twice"),
        (SENDER_0 + b"\x01", 1, "1 bytes follow the value"),
    ],
    ids=lambda value: value.hex() if isinstance(value, bytes) else None,
)
def test_handles_that_do_not_fit_are_refused(data: bytes, count: int, sentence: str) -> None:
    """One typed error, and neither the handles made so far nor the other descriptors stay open."""
    ledger = Ledger()
    with pytest.raises(ProtocolError) as refusal:
        builder(ledger).build(data, ledger.fresh(count), 100)
    assert str(refusal.value) == f"{sentence} (at byte 100)"
    assert ledger.held == ledger.open == []


def test_a_descriptor_that_is_not_what_it_claims_to_be_takes_the_others_with_it() -> None:
    """The message is not delivered in part."""
    ledger = Ledger(refused=[1])
    with pytest.raises(ProtocolError, match="descriptor 1 is not what it claims to be"):
        builder(ledger).build(b"\x92" + SENDER_0 + SENDER_1, ledger.fresh(3))
    assert (ledger.closed, ledger.discarded) == ([0], [1, 2])


def test_a_large_message_is_announced() -> None:
    """With the descriptors of its stream and its handles, which belong to whoever asked."""
    ledger = Ledger()
    assert builder(ledger).build(announce(200_000), ledger.fresh(3)) == Large(200_000, [0, 1, 2])
    assert ledger.open == [0, 1, 2]


def test_a_large_message_without_a_stream_is_refused() -> None:
    """There is nothing to read it from."""
    with pytest.raises(ProtocolError, match="announced without the descriptor of its stream"):
        builder(Ledger()).build(announce(200_000))


def test_an_announcement_over_the_limit_is_refused() -> None:
    """Before anything is allocated, and its descriptors are given up."""
    ledger = Ledger()
    with pytest.raises(
        MessageTooLarge, match="of 1 152 921 504 606 846 976 bytes exceeds the limit of 67 108 864"
    ):
        builder(ledger).build(announce(2**60), ledger.fresh(2))
    assert ledger.discarded == [0, 1]


def test_a_message_over_the_limit_is_refused() -> None:
    """However it came; one of exactly the limit is not."""
    ledger = Ledger()
    with pytest.raises(MessageTooLarge, match="message of 10 bytes exceeds the limit of 9"):
        builder(ledger, 9).build(b"\x99" + bytes(9), ledger.fresh(1))
    assert ledger.discarded == [0]
    assert builder(ledger, 10).build(b"\x99" + bytes(9)) == [0] * 9


@pytest.mark.parametrize(
    ("data", "offset", "sentence"),
    [
        (b"", 0, "a value is cut off after 0 bytes"),
        (b"\x92\x01", 2, "a value is cut off after 2 bytes"),
        (b"\xc6\xff\xff\xff\xff", 5, "a value is cut off after 5 bytes"),
        (b"\xdd\xff\xff\xff\xff", 5, "a value is cut off after 5 bytes"),
        (b"\xc1", 0, "0xc1 is not the first byte of a msgpack value"),
        (b"\x93\x01\x02\xc1", 3, "0xc1 is not the first byte of a msgpack value"),
        (b"\x91" * 1025 + b"\xc0", 1024, "a value is nested deeper than 1024"),
        (b"\x92\x01\xa1\xff", 0, "a str is not UTF-8: invalid start byte"),
        (b"\x81\x80\x01", 0, "a map is the key of a map"),
        (b"\x81\x91\x80\x01", 0, "a map is the key of a map"),
        (b"\xd7\xff" + b"\xff" * 8, 0, "a value cannot be built: nanoseconds must be"),
        (b"\xc7\x0c\xff" + bytes(4) + b"\x7f" + b"\xff" * 7, 0, "a value cannot be built: "),
        (b"\xc7\x03\xff\x01\x02\x03", 0, "a value cannot be built: invalid timestamp"),
    ],
    ids=lambda value: value.hex()[:20] if isinstance(value, bytes) else None,
)
def test_broken_bytes_are_refused_at_their_place(data: bytes, offset: int, sentence: str) -> None:
    """The error names the byte: of the break where a value is malformed, else the one where it begins."""
    with pytest.raises(ProtocolError) as refusal:
        builder(Ledger()).build(data, offset=1000)
    assert str(refusal.value).startswith(sentence)
    assert refusal.value.offset == 1000 + offset


def test_1024_levels_are_built() -> None:
    """The deepest that is allowed."""
    value = builder(Ledger()).build(b"\x91" * 1024 + b"\x2a")
    for _ in range(1024):
        (value,) = value
    assert value == 42


def test_lists_as_keys_become_tuples() -> None:
    """At every level, and next to maps that need no such care."""
    value = builder(Ledger()).build(b"\x92\x81\x92\x01\x91\x02\x03\x81\x01\x02")
    assert value == [{(1, (2,)): 3}, {1: 2}]


def test_a_key_may_be_nested_as_deep_as_any_value() -> None:
    """Its map takes one of the 1024 levels."""
    (key,) = builder(Ledger()).build(b"\x81" + b"\x91" * 1023 + b"\xc0\x01")
    for _ in range(1023):
        (key,) = key
    assert key is None


def test_keys_nested_too_deeply_to_be_compared_are_no_recursion_error() -> None:
    """Of two that have the same hash Python must know whether they are equal, and that recurses."""
    with pytest.raises(ProtocolError, match="keys of a map are nested too deeply to be compared"):
        builder(Ledger()).build(b"\x82" + (b"\x91" * 1023 + b"\xc0\x01") * 2)


def test_keys_that_collide_are_refused_before_their_map_is_built() -> None:
    """It would take minutes, in one call that nothing interrupts."""
    keys = colliding_keys(50_000)
    assert len(set(map(hash, keys))) == 1
    data = b"\xdf" + len(keys).to_bytes(4, "big") + b"".join(encode(key) + b"\xc0" for key in keys)
    began = monotonic()
    with pytest.raises(
        ProtocolError, match="50000 tuples as keys of a map make 1249975000 pairs with the same"
    ):
        builder(Ledger()).build(data)
    assert monotonic() - began < 1


def test_as_many_keys_as_the_limit_allows_may_collide() -> None:
    """The limit is where the sender has it."""
    most = dict.fromkeys(colliding_keys(2 * COLLISION_LIMIT + 1))
    assert builder(Ledger()).build(encode([most])) == [most]
    more = colliding_keys(2 * COLLISION_LIMIT + 2)
    with pytest.raises(ValueError, match="34 tuples as keys of a map make 561 pairs"):
        encode([dict.fromkeys(more)])


def test_keys_that_collide_by_nature_are_no_attack() -> None:
    """-1 and -2 have the same hash, so that every grid with a few negative numbers has such pairs."""
    grid = {(x, y, z): None for x in range(-3, 30) for y in range(-3, 30) for z in range(-3, 3)}
    assert builder(Ledger()).build(encode(grid)) == grid


@pytest.mark.parametrize("key", [b"\x01", b"\x91\x01"], ids=["plain", "list"])
def test_of_the_same_key_twice_the_last_counts(key: bytes) -> None:
    """Where no handle can be lost by that."""
    assert list(builder(Ledger()).build(b"\x82" + key + b"\x02" + key + b"\x03").values()) == [3]


def test_a_scan_finds_where_the_first_value_ends() -> None:
    """Whatever follows it."""
    assert scan(b"\x92\x01\x02\xc1") == 3


@pytest.mark.parametrize("data", CLAIMS.values(), ids=CLAIMS)
def test_claims_allocate_nothing(data: bytes) -> None:
    """Never more than 16 MiB over what was sent, whatever it claims."""
    ledger = Ledger()
    assert allocated(lambda: builder(ledger).build(data, ledger.fresh(1))) < 16 * MIB


def test_what_msgpack_allocates_is_seen() -> None:
    """The tests above would be worth nothing otherwise: a list takes 8 bytes an item."""
    data = encode([None] * MIB)
    assert allocated(lambda: builder(Ledger()).build(data)) > 8 * MIB
