"""The anatomy of msgpack: which bytes say what, found without building a value. Pure.

The one rule: bytes are walked front to back, once, as far as somebody asks, in steps that the caller bounds.
Whatever the bytes are, nothing raises; where they stop making sense the walk ends with a :class:`Flaw`.

A place in the bytes is named by a *path*: the number of the value (0, unless several follow each other), then
for each container the number of the child in it. The children of a map are its keys and values in turn: key
``n`` is child ``2n``, its value ``2n + 1``. Paths compare as their bytes follow each other, so one list of
checkpoints serves those who ask for a path and those who ask for an offset.
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
"""Bytes between two checkpoints, about. More would cost time to find a place, fewer memory (64 MiB: 6 MB)."""

RUN_LENGTHS: Final = (64, 16)
"""How many scalars are passed over at once where there are so many, else as many as there are."""


class Token(NamedTuple):
    """A scalar, or the header of a container.

    Attributes:
        start: Where it begins.
        payload: Where its header ends: the first byte, the length, and the type of an ext value.
        end: Where it ends; a container ends where its header does, its children follow as parts of their own.
        kind: The format's name, such as ``str 8``.
        family: What it is, whichever format was chosen.
        items: Items of an array, pairs of a map, else 0.
    """

    start: int
    payload: int
    end: int
    kind: str
    family: Family
    items: int = 0

    @property
    def children(self) -> int:
        """How many values follow that belong to it."""
        return 2 * self.items if self.family == "map" else self.items


class DecodeError(NamedTuple):
    """Where bytes stop making sense, and why."""

    offset: int
    sentence: str


class PlacedToken(NamedTuple):
    """A part, and the path to it."""

    part: Token
    path: Path


class ValueSpan(NamedTuple):
    """Where a value stands.

    Attributes:
        part: It, or its header if it is a container.
        end: The byte behind it and all that it holds; None while that has not been walked to.
    """

    part: Token
    end: int | None


class _Format(NamedTuple):
    """What a first byte announces: ``width`` bytes of length behind it, or a fixed ``size`` or count."""

    kind: str
    family: Family
    width: int = 0
    size: int = 0


class _Frame(NamedTuple):
    """A container that the walk is inside of. Immutable, so that a waymark is one without copying it.

    Attributes:
        parent: The container around it, None for the row of values that the bytes are.
        children: How many it has, -1 if nobody knows.
        nth: The child that comes next.
        depth: How many containers there are from the row to this one.
    """

    parent: "_Frame | None"
    children: int
    nth: int
    depth: int


class _State(NamedTuple):
    """How far a walk has come."""

    offset: int
    frame: _Frame


_START: Final = _State(0, _Frame(None, -1, 0, 1))


def _list_formats() -> Iterator[_Format]:
    """The format that each first byte announces, by the msgpack specification; 0xc1 announces none."""
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
    """Finds where so many short scalars end, at 15 to 50 ns for each: a step in Python takes 2 µs."""
    return re.compile(b"(?:%b){%d}+" % (_SCALARS, length), re.DOTALL)


def read_token(data: bytes, offset: int) -> Token | DecodeError:
    """The part that begins at an offset below the size of the data, or why none does."""
    kind, family, width, size = _FORMATS[data[offset]]
    if not kind:
        return DecodeError(offset, "0xc1 begins no value")
    body = offset + 1 + width
    if body > len(data):
        return DecodeError(offset, f"the {kind} is cut off inside its length")
    if width:
        size += int.from_bytes(data[offset + 1 : body], "big")
    if family in ("array", "map"):
        return Token(offset, body, body, kind, family, size)
    if body + size > len(data):
        missing = format_plural(body + size - len(data), "more byte")
        return DecodeError(offset, f"the {kind} is cut off: it claims {missing} than there are")
    payload = body + 1 if family == "ext" else body
    return Token(offset, payload, body + size, kind, family)


class MsgpackIndex:
    """What is known of some bytes.

    Args:
        data: Any bytes; those of a message hold one value, others may hold several, or nonsense.

    Attributes:
        data: Those bytes.
        flaw: Where they stop making sense, None as long as they do.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.flaw: DecodeError | None = None
        self._state = _START
        self._checkpoints = [_START]

    @property
    def walked(self) -> int:
        """Up to which byte the anatomy is known."""
        return self._state.offset

    @property
    def finished(self) -> bool:
        """Whether there is nothing more to walk: the end was reached, or a flaw."""
        offset, frame = self._state
        return self.flaw is not None or (offset == len(self.data) and frame.parent is None)

    def advance(self, steps: int) -> bool:
        """Walk on by at most so many steps, a few microseconds each; False if nothing is left to walk."""
        for _ in range(steps):
            if self.finished:
                return False
            self._state = self._skip_run() or self._skip_few() or self._step_once()
            if self._state.offset - self._checkpoints[-1].offset >= CHECKPOINT_SPACING:
                self._checkpoints.append(self._state)
        return not self.finished

    def parts(self, start: int, stop: int | None = None) -> Iterator[PlacedToken]:
        """What stands, as far as it was walked, in the bytes from ``start`` up to ``stop``, in order."""
        stop = self.walked if stop is None else min(stop, self.walked)
        state = self._checkpoints[bisect_right(self._checkpoints, start, key=lambda mark: mark.offset) - 1]
        while state.offset < stop:
            part, following = self._part(state)
            if part.end > start:
                yield PlacedToken(part, _path_of(state.frame))
            state = following

    def at(self, offset: int) -> PlacedToken | None:
        """The part that a byte belongs to; None if that was not walked to, or makes no sense."""
        return next(self.parts(offset, offset + 1), None)

    def find(self, path: Path) -> ValueSpan | None:
        """What stands at a path; None if that was not walked to, or there is no such path."""
        state = self._find_state(path)
        if state is None:
            return None
        part, following = self._part(state)
        return ValueSpan(part, self._end(path, following) if part.items else part.end)

    def part(self, path: Path) -> Token | None:
        """As :meth:`find`, without looking for the end of a container."""
        state = self._find_state(path)
        return None if state is None else self._part(state)[0]

    def _find_state(self, path: Path) -> _State | None:
        number = bisect_right(self._checkpoints, path, key=lambda mark: _path_of(mark.frame))
        if not path or not number:
            return None
        for state in self._iterate_states(number - 1):
            _, _, nth, depth = state.frame
            if depth == len(path) and nth == path[-1] and _path_of(state.frame) == path:
                return state
        return None

    def _end(self, path: Path, inside: _State) -> int | None:
        """Where the container at a path ends; ``inside`` is where its first child begins."""
        depth = len(path)
        number = bisect_right(self._checkpoints, path, key=lambda mark: _path_of(mark.frame)[:depth]) - 1
        last = self._checkpoints[number]
        if last.offset <= inside.offset:
            last = inside
        while last.frame.depth > depth:
            if last.offset >= self.walked:
                return self.walked if self.flaw else None
            last = self._part(last)[1]
        return last.offset

    def _iterate_states(self, number: int) -> Iterator[_State]:
        """The places from a waymark up to the next one, or as far as was walked."""
        state = self._checkpoints[number]
        later = self._checkpoints[number + 1 : number + 2]
        stop = later[0].offset if later else self.walked
        while state.offset < stop:
            yield state
            state = self._part(state)[1]

    def _part(self, state: _State) -> tuple[Token, _State]:
        """The part at a place that was walked past, and the place behind it."""
        part = read_token(self.data, state.offset)
        assert isinstance(part, Token), "a flaw ends the walk"
        return part, _State(part.end, _frame_after(state.frame, part))

    def _skip_run(self) -> _State | None:
        """The place behind many short scalars, None if something else stands among them."""
        offset, frame = self._state
        left = self._left(frame)
        if left < 2:
            return None
        length = next((run for run in RUN_LENGTHS if run <= left), left)
        found = _run_pattern(length).match(self.data, offset)
        return _State(found.end(), _skip_children(frame, length)) if found else None

    def _skip_few(self) -> _State | None:
        """The place behind the short scalars that stand here one by one, None if there is none."""
        offset, frame = self._state
        left = self._left(frame)
        passed, scalar = 0, _run_pattern(1)
        while passed < left and (found := scalar.match(self.data, offset)):
            offset, passed = found.end(), passed + 1
        return _State(offset, _skip_children(frame, passed)) if passed else None

    @staticmethod
    def _left(frame: _Frame) -> int:
        """How many children may be passed over at once."""
        return RUN_LENGTHS[0] if frame.children < 0 else min(RUN_LENGTHS[0], frame.children - frame.nth)

    def _step_once(self) -> _State:
        """The place behind the next part, with what is in it if that is short; at a flaw, this place."""
        if self.walked == len(self.data):
            return self._stop_at(DecodeError(self.walked, self._unfinished()))
        part = read_token(self.data, self.walked)
        if isinstance(part, DecodeError):
            return self._stop_at(part)
        if part.items and self._state.frame.depth > NESTING_LIMIT:
            return self._stop_at(
                DecodeError(part.start, f"more than {NESTING_LIMIT} containers inside each other")
            )
        if 0 < part.children <= RUN_LENGTHS[0] and (
            found := _run_pattern(part.children).match(self.data, part.end)
        ):
            return _State(found.end(), _skip_children(self._state.frame, 1))
        return _State(part.end, _frame_after(self._state.frame, part))

    def _stop_at(self, flaw: DecodeError) -> _State:
        self.flaw = flaw
        return self._state

    def _unfinished(self) -> str:
        frame = self._state.frame
        missing = frame.children - frame.nth
        while frame.parent is not None and frame.parent.parent is not None:
            frame = frame.parent
            missing += frame.children - frame.nth - 1  # the child that is not whole was counted inside
        return f"the bytes end where {format_plural(missing, 'more value')} should follow"


def _frame_after(frame: _Frame, part: Token) -> _Frame:
    """Where the walk is once it has passed a part."""
    if part.items:
        return _Frame(frame, part.children, 0, frame.depth + 1)
    return _skip_children(frame, 1)


def _skip_children(frame: _Frame, number: int) -> _Frame:
    """Where the walk is once it has passed so many children, and ended what ends with them."""
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
