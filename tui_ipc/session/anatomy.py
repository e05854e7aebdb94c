"""The anatomy of msgpack: which bytes say what, found without building a value. Pure.

The one rule: bytes are walked front to back, once, as far as somebody asks, in steps that the caller bounds.
Whatever the bytes are, nothing raises; where they stop making sense the walk ends with a :class:`Flaw`.

A place in the bytes is named by a *path*: the number of the value (0, unless several follow each other), then
for each container the number of the child in it. The children of a map are its keys and values in turn: key
``n`` is child ``2n``, its value ``2n + 1``. Paths compare as their bytes follow each other, so one list of
waymarks serves those who ask for a path and those who ask for an offset.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from typing import Final, Literal, NamedTuple

from tui_ipc.ipc.wire import NESTING_LIMIT
from tui_ipc.session.units import plural

Family = Literal["nil", "bool", "int", "float", "str", "bin", "ext", "array", "map"]
Path = tuple[int, ...]

STRIDE: Final = 2048
"""Bytes between two waymarks, about. More cost time to find a place, fewer memory: 64 MiB take 6 MB here."""

RUNS: Final = (64, 16)
"""How many scalars are passed over at once where there are so many, else as many as there are."""


class Part(NamedTuple):
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


class Flaw(NamedTuple):
    """Where bytes stop making sense, and why."""

    offset: int
    sentence: str


class Place(NamedTuple):
    """A part, and the path to it."""

    part: Part
    path: Path


class Extent(NamedTuple):
    """Where a value stands.

    Attributes:
        part: It, or its header if it is a container.
        end: The byte behind it and all that it holds; None while that has not been walked to.
    """

    part: Part
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


_BEGIN: Final = _State(0, _Frame(None, -1, 0, 1))


def _formats() -> Iterator[_Format]:
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


_FORMATS: Final = tuple(_formats())

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
def _run(length: int) -> re.Pattern[bytes]:
    """Finds where so many short scalars end, at 15 to 50 ns for each: a step in Python takes 2 µs."""
    return re.compile(b"(?:%b){%d}+" % (_SCALARS, length), re.DOTALL)


def read(data: bytes, offset: int) -> Part | Flaw:
    """The part that begins at an offset below the size of the data, or why none does."""
    kind, family, width, size = _FORMATS[data[offset]]
    if not kind:
        return Flaw(offset, "0xc1 begins no value")
    body = offset + 1 + width
    if body > len(data):
        return Flaw(offset, f"the {kind} is cut off inside its length")
    if width:
        size += int.from_bytes(data[offset + 1 : body], "big")
    if family in ("array", "map"):
        return Part(offset, body, body, kind, family, size)
    if body + size > len(data):
        missing = plural(body + size - len(data), "more byte")
        return Flaw(offset, f"the {kind} is cut off: it claims {missing} than there are")
    payload = body + 1 if family == "ext" else body
    return Part(offset, payload, body + size, kind, family)


class Anatomy:
    """What is known of some bytes.

    Args:
        data: Any bytes; those of a message hold one value, others may hold several, or nonsense.

    Attributes:
        data: Those bytes.
        flaw: Where they stop making sense, None as long as they do.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.flaw: Flaw | None = None
        self._state = _BEGIN
        self._waymarks = [_BEGIN]

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
            self._state = self._passed_run() or self._passed_few() or self._stepped()
            if self._state.offset - self._waymarks[-1].offset >= STRIDE:
                self._waymarks.append(self._state)
        return not self.finished

    def parts(self, start: int, stop: int | None = None) -> Iterator[Place]:
        """What stands, as far as it was walked, in the bytes from ``start`` up to ``stop``, in order."""
        stop = self.walked if stop is None else min(stop, self.walked)
        state = self._waymarks[bisect_right(self._waymarks, start, key=lambda mark: mark.offset) - 1]
        while state.offset < stop:
            part, following = self._part(state)
            if part.end > start:
                yield Place(part, _path(state.frame))
            state = following

    def at(self, offset: int) -> Place | None:
        """The part that a byte belongs to; None if that was not walked to, or makes no sense."""
        return next(self.parts(offset, offset + 1), None)

    def find(self, path: Path) -> Extent | None:
        """What stands at a path; None if that was not walked to, or there is no such path."""
        state = self._state_at(path)
        if state is None:
            return None
        part, following = self._part(state)
        return Extent(part, self._end(path, following) if part.items else part.end)

    def part(self, path: Path) -> Part | None:
        """As :meth:`find`, without looking for the end of a container."""
        state = self._state_at(path)
        return None if state is None else self._part(state)[0]

    def _state_at(self, path: Path) -> _State | None:
        number = bisect_right(self._waymarks, path, key=lambda mark: _path(mark.frame))
        if not path or not number:
            return None
        for state in self._onward(number - 1):
            _, _, nth, depth = state.frame
            if depth == len(path) and nth == path[-1] and _path(state.frame) == path:
                return state
        return None

    def _end(self, path: Path, inside: _State) -> int | None:
        """Where the container at a path ends; ``inside`` is where its first child begins."""
        depth = len(path)
        number = bisect_right(self._waymarks, path, key=lambda mark: _path(mark.frame)[:depth]) - 1
        last = self._waymarks[number]
        if last.offset <= inside.offset:
            last = inside
        while last.frame.depth > depth:
            if last.offset >= self.walked:
                return self.walked if self.flaw else None
            last = self._part(last)[1]
        return last.offset

    def _onward(self, number: int) -> Iterator[_State]:
        """The places from a waymark up to the next one, or as far as was walked."""
        state = self._waymarks[number]
        later = self._waymarks[number + 1 : number + 2]
        stop = later[0].offset if later else self.walked
        while state.offset < stop:
            yield state
            state = self._part(state)[1]

    def _part(self, state: _State) -> tuple[Part, _State]:
        """The part at a place that was walked past, and the place behind it."""
        part = read(self.data, state.offset)
        assert isinstance(part, Part), "a flaw ends the walk"
        return part, _State(part.end, _behind(state.frame, part))

    def _passed_run(self) -> _State | None:
        """The place behind many short scalars, None if something else stands among them."""
        offset, frame = self._state
        left = self._left(frame)
        if left < 2:
            return None
        length = next((run for run in RUNS if run <= left), left)
        found = _run(length).match(self.data, offset)
        return _State(found.end(), _passed(frame, length)) if found else None

    def _passed_few(self) -> _State | None:
        """The place behind the short scalars that stand here one by one, None if there is none."""
        offset, frame = self._state
        left = self._left(frame)
        passed, scalar = 0, _run(1)
        while passed < left and (found := scalar.match(self.data, offset)):
            offset, passed = found.end(), passed + 1
        return _State(offset, _passed(frame, passed)) if passed else None

    @staticmethod
    def _left(frame: _Frame) -> int:
        """How many children may be passed over at once."""
        return RUNS[0] if frame.children < 0 else min(RUNS[0], frame.children - frame.nth)

    def _stepped(self) -> _State:
        """The place behind the next part, with what is in it if that is short; at a flaw, this place."""
        if self.walked == len(self.data):
            return self._flawed(Flaw(self.walked, self._unfinished()))
        part = read(self.data, self.walked)
        if isinstance(part, Flaw):
            return self._flawed(part)
        if part.items and self._state.frame.depth > NESTING_LIMIT:
            return self._flawed(Flaw(part.start, f"more than {NESTING_LIMIT} containers inside each other"))
        if 0 < part.children <= RUNS[0] and (found := _run(part.children).match(self.data, part.end)):
            return _State(found.end(), _passed(self._state.frame, 1))
        return _State(part.end, _behind(self._state.frame, part))

    def _flawed(self, flaw: Flaw) -> _State:
        self.flaw = flaw
        return self._state

    def _unfinished(self) -> str:
        frame = self._state.frame
        missing = frame.children - frame.nth
        while frame.parent is not None and frame.parent.parent is not None:
            frame = frame.parent
            missing += frame.children - frame.nth - 1  # the child that is not whole was counted inside
        return f"the bytes end where {plural(missing, 'more value')} should follow"


def _behind(frame: _Frame, part: Part) -> _Frame:
    """Where the walk is once it has passed a part."""
    if part.items:
        return _Frame(frame, part.children, 0, frame.depth + 1)
    return _passed(frame, 1)


def _passed(frame: _Frame, number: int) -> _Frame:
    """Where the walk is once it has passed so many children, and ended what ends with them."""
    parent, children, nth, depth = frame
    nth += number
    while nth == children and parent is not None:
        parent, children, nth, depth = parent
        nth += 1
    return _Frame(parent, children, nth, depth)


def _path(frame: _Frame) -> Path:
    indexes = []
    inner: _Frame | None = frame
    while inner is not None:
        indexes.append(inner.nth)
        inner = inner.parent
    return tuple(reversed(indexes))
