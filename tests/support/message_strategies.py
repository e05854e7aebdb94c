"""Messages for properties: values that a message can hold, and bytes that a hostile peer might send.

What arrives is compared by its text (``same``): equality alone would take ``1`` for ``True``, and tell a NaN
from itself.
"""

import struct
from datetime import UTC
from typing import Any

import msgpack
from hypothesis import strategies as st

from tui_ipc.ipc.wire import OFFERED, announce

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=40),
    st.binary(max_size=40),
    st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(fold=0)),
)
keys = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=4)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
    ),
    max_leaves=12,
)
"""Whatever a message can hold, handles excepted."""

foreign = st.one_of(
    st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=20)),
    st.builds(msgpack.Timestamp, st.integers(-(2**63), 2**63 - 1), st.integers(0, 999_999_999)),
)
"""What msgpack packs and no message can hold."""

mixed: st.SearchStrategy[Any] = st.recursive(
    st.one_of(scalars, foreign),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of(keys, foreign, st.tuples(foreign)), inner, max_size=4),
    ),
    max_leaves=12,
)
"""Values that may hold some of those, anywhere."""


def arrived(value: Any) -> Any:
    """What a value is when it arrives: tuples have become lists, except in the keys of maps."""
    if isinstance(value, list | tuple):
        return [arrived(item) for item in value]
    if isinstance(value, dict):
        return {key: arrived(item) for key, item in value.items()}
    return value


def same(found: object, expected: object) -> bool:
    """Whether two values are of the same types and content throughout."""
    return repr(found) == repr(expected)


def _claim(form: str, first: int) -> st.SearchStrategy[bytes]:
    """A header that claims some length, whatever follows it."""
    most = 256 ** struct.calcsize(form) - 1
    lengths = st.one_of(st.integers(0, min(most, 600)), st.sampled_from((most, most // 2)))
    return lengths.map(lambda length: bytes((first,)) + struct.pack(f">{form}", length))


_claims = st.one_of(
    *(
        _claim(form, first)
        for form, first in [
            *(("B", first) for first in (0xC4, 0xC7, 0xD9)),
            *(("H", first) for first in (0xC5, 0xC8, 0xDA, 0xDC, 0xDE)),
            *(("I", first) for first in (0xC6, 0xC9, 0xDB, 0xDD, 0xDF)),
        ]
    )
)

handles = st.one_of(
    st.builds(lambda kind, index: bytes((0xD4, kind, index)), st.sampled_from((1, 2, 5)), st.integers(0, 4)),
    st.builds(
        lambda index, size: b"\xc7\x09\x03" + bytes((index,)) + size,
        st.integers(0, 4),
        st.binary(min_size=8, max_size=8),
    ),
)
"""Handles on the wire, which may name descriptors that are not there."""

announcements = st.builds(
    announce,
    st.sampled_from((0, 1, 5, 64, 2000, 2**20, 2**32, 2**60, 2**64 - 1)),
    st.sampled_from((None, None, OFFERED, OFFERED, 0, 1, 64)),
)
"""Large messages announced: nothing, little, far too much; on streams of their own, offered and kept ones."""

tokens = st.one_of(
    st.binary(min_size=1, max_size=8),
    st.integers(0, 255).map(lambda byte: bytes((byte,))),
    _claims,
    handles,
    announcements,
    st.integers(1, 15).map(lambda length: bytes((0x90 | length,))),
    st.integers(1, 15).map(lambda length: bytes((0x80 | length,))),
    st.builds(
        lambda kind, payload: b"\xc7" + bytes((len(payload), kind)) + payload,
        st.integers(0, 255),
        st.binary(max_size=13),
    ),
    st.sampled_from((b"\xc1", b"\xa1\xff", b"\xd7\xff" + b"\xff" * 8, b"\x91" * 1030, b"\xdc\x02\x00" * 300)),
)

hostile: st.SearchStrategy[bytes] = st.lists(tokens, max_size=12).map(b"".join)
"""Bytes that look like the wire here and there."""


def colliding_keys(count: int) -> list[tuple[int, int]]:
    """Tuples that all have the same hash: the first number is chosen, the second makes up for it.

    CPython's hash of a tuple is xxHash's round for each item (Objects/tupleobject.c), which has no secret and
    can be inverted. An integer below 2**61 - 1 is its own hash.
    """
    first, second, fifth = 11400714785074694791, 14029467366897019727, 2870177450012600261
    word = 2**64
    inverse = pow(second, -1, word)
    keys: list[tuple[int, int]] = []
    number = 0
    while len(keys) < count:
        number += 1
        state = (fifth + number * second) % word
        state = ((state << 31 | state >> 33) * first) % word
        other = -state * inverse % word
        other -= word if other >= word // 2 else 0
        if abs(other) < 2**61 - 1:
            keys.append((number, other))
    return keys


def is_foreign(value: Any) -> bool:
    """Whether a value is or holds what no message can hold."""
    if isinstance(value, msgpack.ExtType | msgpack.Timestamp):
        return True
    if isinstance(value, dict):
        return any(map(is_foreign, (*value, *value.values())))
    return isinstance(value, list | tuple) and any(map(is_foreign, value))
