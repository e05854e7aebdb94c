"""What a message can hold, how it is packed, and in which words it is refused."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given

from tests.support.fd_ledger import receivers, senders
from tests.support.message_strategies import arrived, same, values
from tui_ipc import TooManyHandles
from tui_ipc.ipc.builder import Builder
from tui_ipc.ipc.wire import NESTING_LIMIT, Encoder, announce, blob_header, encode, explain_refusal, too_large


def decoded(data: bytes) -> Any:
    """The value of a message without handles."""
    return Builder(_no_handles, _no_handles).build(data)


def _no_handles(*_: object) -> Any:
    raise AssertionError("there are no descriptors here")


@given(values)
def test_every_type_round_trips(value: Any) -> None:
    """None, bool, int, float, str, bytes, list, map and time stamp arrive as they were, nested at will."""
    assert same(decoded(encode(value)), arrived(value))


@pytest.mark.parametrize(
    "value",
    [None, b"", "", [], {}, 0, False, -(2**63), 2**64 - 1, b"\x00" * 7, float("inf"), float("nan"), -0.0],
    ids=repr,
)
def test_what_is_easily_lost_round_trips(value: Any) -> None:
    """The empty, the outermost and the odd."""
    assert same(decoded(encode(value)), value)


@pytest.mark.parametrize(
    "key",
    [None, True, -1, 2**64 - 1, 2.5, "", b"k", (), (1, ("a", b"b"), None), datetime(2024, 5, 6, tzinfo=UTC)],
    ids=repr,
)
def test_any_hashable_value_may_be_a_key(key: Any) -> None:
    """Maps with keys that are no strings; a tuple stays one."""
    assert same(decoded(encode({"before": 1, key: [key]})), arrived({"before": 1, key: [key]}))


def test_bytes_and_str_stay_apart() -> None:
    """``bytes`` never become ``str`` nor the other way round."""
    assert same(decoded(encode(["a", b"a", {"a": b"a", b"a": "a"}])), ["a", b"a", {"a": b"a", b"a": "a"}])


def test_buffers_arrive_as_bytes() -> None:
    """A bytearray or a memoryview is sent as the bytes that it holds."""
    assert same(decoded(encode([bytearray(b"ab"), memoryview(b"cd")])), [b"ab", b"cd"])


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ],
    ids=str,
)
def test_time_stamps_of_all_lengths_round_trip(moment: datetime) -> None:
    """The 4, 8 and 12 byte forms, to the microsecond."""
    assert same(decoded(encode(moment)), moment)


def test_a_time_of_any_zone_arrives_as_the_same_moment_in_utc() -> None:
    """The wire's time stamps are UTC."""
    moment = datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone(timedelta(hours=-5)))
    assert same(decoded(encode(moment)), moment.astimezone(UTC))


@pytest.mark.parametrize(
    "wrap", [lambda v: [v], lambda v: (v,), lambda v: {1: v}], ids=["list", "tuple", "map"]
)
def test_nesting_up_to_the_limit_round_trips_and_deeper_is_refused(wrap: Callable[[Any], Any]) -> None:
    """1024 containers inside each other travel; one more is told before anything is sent."""
    deepest = _nested(NESTING_LIMIT, wrap)
    data = encode(deepest)
    assert encode(decoded(data)) == data
    with pytest.raises(ValueError, match=r"^the value is nested deeper than 1024, or holds itself$"):
        encode(wrap(deepest))


@pytest.mark.parametrize("empty", [[], (), {}], ids=["list", "tuple", "map"])
def test_an_empty_container_counts_as_a_level(empty: Any) -> None:
    """msgpack packs one level more if it is empty, and its unpacker refuses that."""
    deepest = empty
    for _ in range(NESTING_LIMIT - 1):
        deepest = [deepest]
    assert encode(decoded(encode(deepest))) == encode(deepest)
    for packed in ([deepest], {"key": [1, deepest]}):
        with pytest.raises(ValueError, match=r"^the value is nested deeper than 1024, or holds itself$"):
            encode(packed)


def _nested(depth: int, wrap: Callable[[Any], Any]) -> Any:
    value = None
    for _ in range(depth):
        value = wrap(value)
    return value


def test_a_list_that_holds_itself_is_refused() -> None:
    """With a sentence, not with a RecursionError."""
    value: list[Any] = []
    value.append(value)
    with pytest.raises(ValueError, match=r"^the value is nested deeper than 1024, or holds itself$"):
        encode(value)


@pytest.mark.parametrize(
    ("value", "error", "sentence"),
    [
        ({1, 2}, TypeError, "a message cannot hold a set; it holds None, bool, int, float, str, bytes, list"),
        (object(), TypeError, "a message cannot hold a object; "),
        (2j, TypeError, "a message cannot hold a complex; "),
        (np.bool_(True), TypeError, "a message cannot hold a numpy.bool; "),
        (np.zeros((2, 3)).T, TypeError, "a message cannot hold a numpy.ndarray; "),
        (2**70, ValueError, "an integer of 71 bits does not fit into 64; send it as a str or as bytes"),
        (
            -(2**63) - 1,
            ValueError,
            "an integer of 64 bits does not fit into 64; send it as a str or as bytes",
        ),
        (
            datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            ValueError,
            "datetime.datetime(1, 1, 1, 0, 0, tzinfo=",
        ),
        (
            datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=-1))),
            ValueError,
            "datetime.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=datetime.timezone(",
        ),
        (memoryview(b"abcd")[::2], ValueError, "the memoryview cannot be read in one piece ("),
        (datetime(2024, 5, 6), ValueError, "datetime.datetime(2024, 5, 6, 0, 0) has no time zone; "),
        ("ab\ud800", ValueError, r"the str holds a lone surrogate, '\ud800', at index 2, which UTF-8"),
    ],
    ids=[
        "set",
        "object",
        "complex",
        "numpy.bool",
        "numpy.ndarray",
        "2**70",
        "-2**63-1",
        "year 0",
        "year 10000",
        "gaps",
        "naive",
        "surrogate",
    ],
)
def test_what_no_message_can_hold_is_refused_in_a_sentence(
    value: Any, error: type[Exception], sentence: str
) -> None:
    """The fact, then the remedy, wherever the value stands."""
    for packed in (value, [value], {"key": {"deeper": value}}):
        with pytest.raises(error, match=f"^{re.escape(sentence)}"):
            encode(packed)


FOREIGN = [
    *[msgpack.ExtType(7, bytes(size)) for size in (0, 1, 2, 3, 4, 8, 16, 300, 70_000)],
    *[msgpack.Timestamp(seconds, 0) for seconds in (0, 2**34, -1, 2**62)],
]


@pytest.mark.parametrize("value", FOREIGN, ids=lambda value: msgpack.packb(value)[:2].hex())
@pytest.mark.parametrize(
    "wrap", [lambda v: v, lambda v: [{"a": (v,)}], lambda v: {(v,): 1}, lambda v: ["x" * 200, v]]
)
def test_each_form_of_a_foreign_ext_value_is_refused(wrap: Callable[[Any], Any], value: Any) -> None:
    """Of every length, alone, in a value, in a key, in a longer message."""
    with pytest.raises(TypeError, match=r"^a message cannot hold a msgpack\.ext\.(ExtType|Timestamp); "):
        encode(wrap(value))


def test_other_errors_are_passed_on_as_they_are() -> None:
    """Only what needs explaining is explain_refusal."""
    error = ValueError("something else")
    assert explain_refusal(error) is error


def test_bytes_without_a_channel_hold_no_handles() -> None:
    """``encode`` makes no message that names descriptors which do not go with it."""
    with pytest.raises(TypeError, match="only a Sender can send them"):
        encode({"key": senders(1)})


def test_an_encoder_collects_handles_in_order() -> None:
    """The index on the wire is the place in ``handles``; the same handle again is the same index."""
    encoder = Encoder()
    (a,), (b,) = senders(1), receivers(1)
    assert encoder.pack([a, b, {"again": a}, a]) == (
        b"\x94\xd4\x01\x00\xd4\x02\x01\x81\xa5again\xd4\x01\x00\xd4\x01\x00"
    )
    assert encoder.handles == [a, b]


def test_253_handles_fit_and_254_do_not() -> None:
    """The kernel's limit, told before anything is sent."""
    encoder = Encoder()
    many = senders(254)
    assert encoder.pack(many[:253])[-3:] == bytes((0xD4, 1, 252))
    encoder.handles.clear()
    with pytest.raises(
        TooManyHandles, match="more than 253 handles in one message; spread them over several"
    ):
        encoder.pack(many)


def test_the_header_of_long_bytes_is_what_msgpack_packs() -> None:
    """So that long ``bytes`` need not be copied to be packed."""
    long = bytes(70_000)
    assert blob_header(len(long)) + long == encode(long)


def test_an_announcement_is_an_ext_value_of_type_4() -> None:
    """Its payload is the size, 8 bytes."""
    assert announce(2**60) == b"\xc7\x08\x04\x10" + b"\x00" * 7


def test_the_error_for_a_long_message_tells_both_numbers() -> None:
    """The fact with its numbers, then the remedy."""
    assert str(too_large(70_123_456, 67_108_864)) == (
        "message of 70 123 456 bytes exceeds the limit of 67 108 864; raise it with max_message_size"
    )
