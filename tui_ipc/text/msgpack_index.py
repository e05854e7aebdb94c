"""An index of msgpack bytes: which bytes are which token of which value, found without building a value.

Bytes are indexed front to back, once, as far as they are asked for, in steps that the caller bounds. Nothing
raises, whatever the bytes are; where they are not msgpack the index ends with a :class:`DecodeError`.

A token is named by a *path*: the number of the value (0, unless several follow each other), then for each
container the number of the child in it. The children of a map are its keys and values in turn: key ``n`` is
child ``2n``, its value ``2n + 1``. Paths have the same order as their bytes, so that one list of checkpoints
serves both to find a path and to find an offset.

The index keeps no tokens, only a checkpoint every 2 KiB: the state of the decoder there, which is an offset
and the containers that are open. A token is read again from the last checkpoint before it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from typing import Final, Literal, NamedTuple

from tui_ipc.ipc.wire import NESTING_LIMIT
from tui_ipc.text.units import format_plural

Family = Literal["nil", "bool", "int", "float", "str", "bin", "ext", "array", "map"]
Path = tuple[int, ...]

CHECKPOINT_SPACING: Final = 2048
"""About how many bytes are between two checkpoints: more cost time to find a token, fewer memory.

Those of 64 MiB take 6 MB.
"""

RUN_LENGTHS: Final = (64, 16)
"""How many scalars are skipped at once where so many children are left, else as many as are left."""


class Token(NamedTuple):
    """A scalar, or the header of a container.

    Attributes:
        start: Where it begins.
        payload_start: Where its header ends, which is the first byte, the length, and the type of an ext
        value.
        end: Where it ends. A container's token ends where its header does: its children are tokens
        themselves.
        kind: The format's name, such as ``str 8``.
        family: The type, whichever format was chosen.
        items: Items of an array, pairs of a map, else 0.
    """

    start: int
    payload_start: int
    end: int
    kind: str
    family: Family
    items: int = 0

    @property
    def children(self) -> int:
        """How many values belong to a container: items, or keys and values."""
        return 2 * self.items if self.family == "map" else self.items


class DecodeError(NamedTuple):
    """Where bytes are not msgpack, and why."""

    offset: int
    message: str


class PlacedToken(NamedTuple):
    """A token and its path."""

    token: Token
    path: Path


class ValueSpan(NamedTuple):
    """The bytes of a value.

    Attributes:
        token: The value, or its header if it is a container.
        end: Where it and all that it holds end; None while the index has not come so far.
    """

    token: Token
    end: int | None


class _Format(NamedTuple):
    """What a first byte announces: ``width`` bytes of length after it, or a fixed ``size`` or count."""

    kind: str
    family: Family
    width: int = 0
    size: int = 0


class _Frame(NamedTuple):
    """An open container. Immutable, so that a checkpoint refers to one without copying it.

    Attributes:
        parent: The container around it; None for the outermost frame, the sequence of values that the bytes
        are.
        children: How many it has; -1 in the outermost frame, where any number of values may follow.
        nth: The number of the next child.
        depth: How many frames there are, from the outermost to this one.
    """

    parent: "_Frame | None"
    children: int
    nth: int
    depth: int


class _State(NamedTuple):
    """The state of the decoder: the offset of the next token, and the container that it belongs to."""

    offset: int
    frame: _Frame


_START: Final = _State(0, _Frame(None, -1, 0, 1))


def _list_formats() -> Iterator[_Format]:
    """List the format that each first byte announces, by the msgpack specification; 0xc1 is unused."""
    yield from (_Format("positive fixint", "int"),) * 128
    yield from (_Format("fixmap", "map", size=items) for items in range(16))
    yield from (_Format("fixarray", "array", size=items) for items in range(16))
    yield from (_Format("fixstr", "str", size=size) for size in range(32))
    yield from (_Format("nil", "nil"), _Format("", "nil"), _Format("false", "bool"), _Format("true", "bool"))
    yield from (_Format(f"bin {8 * width}", "bin", width) for width in (1, 2, 4))
    yield from (_Format(f"ext {8 * width}", "ext", width, 1) for width in (1, 2, 4))
    yield from (_Format(f"float {8 * size}", "float", size=size) for size in (4, 8))
    yield from (_Format(f"uint {8 * size}", "int", size=size) for size in (1, 2, 4, 8))
    yield from (_Format(f"int {8 * size}", "int", size=size) for size in (1, 2, 4, 8))
    yield from (_Format(f"fixext {size}", "ext", size=size + 1) for size in (1, 2, 4, 8, 16))
    yield from (_Format(f"str {8 * width}", "str", width) for width in (1, 2, 4))
    yield from (_Format(f"array {8 * width}", "array", width) for width in (2, 4))
    yield from (_Format(f"map {8 * width}", "map", width) for width in (2, 4))
    yield from (_Format("negative fixint", "int"),) * 32


_FORMATS: Final = tuple(_list_formats())

# The short scalars with their payloads, as a regular expression: the regex engine is a scanner in C. Longer
# strings, bin and ext values and containers are left to read_token.
_SCALARS: Final = b"|".join(
    (
        rb"[\x00-\x7f\xe0-\xff\xc0\xc2\xc3\xa0]",
        rb"[\xcc\xd0].",
        rb"[\xcd\xd1].{2}",
        rb"[\xce\xd2\xca].{4}",
        rb"[\xcf\xd3\xcb].{8}",
        *(b"\\x%02x.{%d}" % (0xA0 + size, size) for size in range(1, 32)),
    )
)


@cache
def _run_pattern(length: int) -> re.Pattern[bytes]:
    # Matches so many short scalars, at 15 to 50 ns each, where a step in Python takes 2 µs. Possessive
    # ({n}+), since there is only one way to split the bytes; DOTALL, since a payload may hold the byte of a
    # line feed. Two lengths suffice: 64 for long arrays, 16 where strings in between make runs short.
    return re.compile(b"(?:%b){%d}+" % (_SCALARS, length), re.DOTALL)


def read_header(data: bytes, offset: int) -> Token | DecodeError:
    """Read the token at an offset below the size of the data, whose payload may end beyond them."""
    kind, family, width, size = _FORMATS[data[offset]]
    if not kind:
        return DecodeError(offset, "0xc1 is not the first byte of a value")
    body = offset + 1 + width
    if body > len(data):
        return DecodeError(offset, f"the {kind} is cut off inside its length")
    if width:
        size += int.from_bytes(data[offset + 1 : body], "big")
    if family in ("array", "map"):
        return Token(offset, body, body, kind, family, size)
    return Token(offset, body + 1 if family == "ext" else body, body + size, kind, family)


def read_token(data: bytes, offset: int) -> Token | DecodeError:
    """Read the token at an offset below the size of the data; or return why there is none."""
    token = read_header(data, offset)
    if isinstance(token, Token) and token.end > len(data):
        missing = format_plural(token.end - len(data), "more byte")
        return DecodeError(offset, f"the {token.kind} is cut off: it claims {missing} than there are")
    return token


class MsgpackIndex:
    """The tokens of some bytes, as far as they have been indexed.

    Args:
        data: Any bytes; those of a message hold one value, others may hold several, or nonsense.

    Attributes:
        data: Those bytes.
        error: Where they are not msgpack; None as long as none was found.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.error: DecodeError | None = None
        self._state = _START
        self._checkpoints = [_START]

    @property
    def indexed_size(self) -> int:
        """How many bytes have been indexed."""
        return self._state.offset

    @property
    def is_finished(self) -> bool:
        """Whether there is nothing left to index: the end was reached, or an error."""
        offset, frame = self._state
        return self.error is not None or (offset == len(self.data) and frame.parent is None)

    def advance(self, steps: int) -> bool:
        """Index at most so many steps, a few microseconds each; return False if nothing is left."""
        for _ in range(steps):
            if self.is_finished:
                return False
            # The quickest way that applies: many scalars at once, else some one by one, else any one token.
            self._state = self._skip_run() or self._skip_few() or self._step_once()
            if self._state.offset - self._checkpoints[-1].offset >= CHECKPOINT_SPACING:
                self._checkpoints.append(self._state)
        return not self.is_finished

    def tokens(self, start: int, stop: int | None = None) -> Iterator[PlacedToken]:
        """Iterate over the tokens in the bytes from ``start`` up to ``stop``, as far as they are indexed."""
        stop = self.indexed_size if stop is None else min(stop, self.indexed_size)
        state = self._checkpoints[
            bisect_right(self._checkpoints, start, key=lambda checkpoint: checkpoint.offset) - 1
        ]
        while state.offset < stop:
            token, following = self._read_state(state)
            if token.end > start:
                yield PlacedToken(token, _path_of(state.frame))
            state = following

    def token_at(self, offset: int) -> PlacedToken | None:
        """Return the token that a byte belongs to; None if it is not indexed, or not msgpack."""
        return next(self.tokens(offset, offset + 1), None)

    def find_value(self, path: Path) -> ValueSpan | None:
        """Return the value at a path; None if it is not indexed, or there is no such path."""
        state = self._find_state(path)
        if state is None:
            return None
        token, following = self._read_state(state)
        return ValueSpan(token, self._end(path, following) if token.items else token.end)

    def find_token(self, path: Path) -> Token | None:
        """Return what :meth:`find_value` does, without looking for the end of a container."""
        state = self._find_state(path)
        return None if state is None else self._read_state(state)[0]

    def _find_state(self, path: Path) -> _State | None:
        number = bisect_right(self._checkpoints, path, key=lambda checkpoint: _path_of(checkpoint.frame))
        if not path or not number:
            return None
        for state in self._iterate_states(number - 1):
            _, _, nth, depth = state.frame
            if depth == len(path) and nth == path[-1] and _path_of(state.frame) == path:
                return state
        return None

    def _end(self, path: Path, inside: _State) -> int | None:
        """Return where the container at a path ends; ``inside`` is the state before its first child."""
        # The last checkpoint inside of it is enough to start from: all between that and its end is read here.
        depth = len(path)
        number = (
            bisect_right(self._checkpoints, path, key=lambda checkpoint: _path_of(checkpoint.frame)[:depth])
            - 1
        )
        last = self._checkpoints[number]
        if last.offset <= inside.offset:
            last = inside
        while last.frame.depth > depth:
            if last.offset >= self.indexed_size:
                return self.indexed_size if self.error else None
            last = self._read_state(last)[1]
        return last.offset

    def _iterate_states(self, number: int) -> Iterator[_State]:
        """Iterate over the states from a checkpoint up to the next one, or as far as is indexed."""
        state = self._checkpoints[number]
        later = self._checkpoints[number + 1 : number + 2]
        stop = later[0].offset if later else self.indexed_size
        while state.offset < stop:
            yield state
            state = self._read_state(state)[1]

    def _read_state(self, state: _State) -> tuple[Token, _State]:
        """Read the token at a state that was indexed, and return the state after it."""
        token = read_token(self.data, state.offset)
        assert isinstance(token, Token), "what is indexed holds no error"
        return token, _State(token.end, _frame_after(state.frame, token))

    def _skip_run(self) -> _State | None:
        """Return the state after many short scalars; None if something else is among them."""
        offset, frame = self._state
        left = self._left(frame)
        if left < 2:
            return None
        length = next((run for run in RUN_LENGTHS if run <= left), left)
        found = _run_pattern(length).match(self.data, offset)
        return _State(found.end(), _skip_children(frame, length)) if found else None

    def _skip_few(self) -> _State | None:
        """Return the state after the short scalars here, matched one by one; None if there is none."""
        offset, frame = self._state
        left = self._left(frame)
        passed, scalar = 0, _run_pattern(1)
        while passed < left and (found := scalar.match(self.data, offset)):
            offset, passed = found.end(), passed + 1
        return _State(offset, _skip_children(frame, passed)) if passed else None

    @staticmethod
    def _left(frame: _Frame) -> int:
        """How many children may be skipped at once."""
        return RUN_LENGTHS[0] if frame.children < 0 else min(RUN_LENGTHS[0], frame.children - frame.nth)

    def _step_once(self) -> _State:
        """Return the state after the next token and what it holds, if that is short; at an error, this."""
        if self.indexed_size == len(self.data):
            return self._stop_at(DecodeError(self.indexed_size, self._describe_missing()))
        token = read_token(self.data, self.indexed_size)
        if isinstance(token, DecodeError):
            return self._stop_at(token)
        if token.items and self._state.frame.depth > NESTING_LIMIT:
            return self._stop_at(
                DecodeError(token.start, f"more than {NESTING_LIMIT} containers inside each other")
            )
        if 0 < token.children <= RUN_LENGTHS[0] and (
            found := _run_pattern(token.children).match(self.data, token.end)
        ):
            return _State(found.end(), _skip_children(self._state.frame, 1))
        return _State(token.end, _frame_after(self._state.frame, token))

    def _stop_at(self, error: DecodeError) -> _State:
        self.error = error
        return self._state

    def _describe_missing(self) -> str:
        frame = self._state.frame
        missing = frame.children - frame.nth
        while frame.parent is not None and frame.parent.parent is not None:
            frame = frame.parent
            missing += frame.children - frame.nth - 1  # the child that is not whole was counted inside
        return f"the bytes end where {format_plural(missing, 'more value')} should follow"


def _frame_after(frame: _Frame, token: Token) -> _Frame:
    if token.items:
        return _Frame(frame, token.children, 0, frame.depth + 1)
    return _skip_children(frame, 1)


def _skip_children(frame: _Frame, number: int) -> _Frame:
    """Go past so many children, and out of the containers that end with them."""
    parent, children, nth, depth = frame
    nth += number
    while nth == children and parent is not None:
        parent, children, nth, depth = parent
        nth += 1
    return _Frame(parent, children, nth, depth)


def _path_of(frame: _Frame) -> Path:
    indexes = []
    inner: _Frame | None = frame
    while inner is not None:
        indexes.append(inner.nth)
        inner = inner.parent
    return tuple(reversed(indexes))
