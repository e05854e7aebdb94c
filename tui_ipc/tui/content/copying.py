"""What is copied of a value or of bytes, as text for the clipboard; nothing here knows of a clipboard.

The one rule: what cannot be copied as it is, is refused with a sentence, or what was changed is said.
"""

import base64
import json
import math
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from tui_ipc.session import notation
from tui_ipc.session.units import plural, size

Form = Literal["notation", "JSON", "hex"]

CLIPBOARD_LIMIT: Final = 1 << 20
"""Characters at most: terminals drop larger OSC 52 sequences, and tell nobody."""

JSON_DEPTH: Final = 200
"""How deeply JSON is nested at most: many readers of JSON recurse, and so does this."""


class NotCopied(Exception):
    """Something cannot be copied; the text says why."""


class Copied(NamedTuple):
    """Text for the clipboard.

    Attributes:
        text: The text.
        changes: What is otherwise in it than in the value, in words; none if nothing is.
    """

    text: str
    changes: tuple[str, ...] = ()


def in_notation(value: Any) -> Copied:
    """A value as it could be typed.

    Raises:
        NotCopied: The text is too long.
    """
    _check(_least(value))
    # A text that is cut ends before the first scalar that would go beyond, of at most some 50 characters: so
    # with some room more, whatever is cut is still longer than the limit.
    return Copied(_checked(notation.render(value, CLIPBOARD_LIMIT + 100)))


def in_json(value: Any) -> Copied:
    """A value as JSON, indented, and what had to be changed in it.

    Raises:
        NotCopied: It is too long or too deep, or two keys of a map would become one.
    """
    _check(_least(value))
    plain = _Plain()
    text = json.dumps(plain.of(value), ensure_ascii=False, indent=2, allow_nan=False)
    return Copied(_checked(text), plain.said())


def in_hex(data: bytes) -> Copied:
    """Bytes as two digits each.

    Raises:
        NotCopied: They are too many.
    """
    _check(3 * len(data))
    return Copied(data.hex(" "))


def as_it_is(text: str) -> Copied:
    """A text that is shown.

    Raises:
        NotCopied: There is none, or it is too long.
    """
    if not text:
        raise NotCopied("There is nothing in sight to copy.")
    return Copied(_checked(text))


def _least(value: Any) -> int:
    """How many characters a value takes at least, found without looking into it."""
    if isinstance(value, str | bytes | bytearray):
        return len(value)
    return 3 * len(value) if isinstance(value, list | tuple | Mapping) else 0


def _check(length: int) -> None:
    """Refuse what has so many characters, or more."""
    if length > CLIPBOARD_LIMIT:
        raise NotCopied(
            f"{size(length)} of text or more exceed the clipboard's {size(CLIPBOARD_LIMIT)}; copy a part."
        )


def _checked(text: str) -> str:
    _check(len(text))
    return text


class _Plain:
    """Makes of a value what JSON can hold, counts what it changes, and gives up when it becomes too long."""

    def __init__(self) -> None:
        self._changes: Counter[tuple[str, str]] = Counter()
        self._length = 0

    def said(self) -> tuple[str, ...]:
        """What was changed: ``2 time stamps became text``."""
        return tuple(
            f"{plural(number, noun)} became {result}" for (noun, result), number in self._changes.items()
        )

    def of(self, value: Any, depth: int = 0) -> Any:
        """What JSON can hold of a value."""
        if depth > JSON_DEPTH:
            raise NotCopied(f"It is nested more than {JSON_DEPTH} deep, which many readers of JSON refuse.")
        self._count(2 * depth + 2)
        match value:
            case None | bool() | int():
                return value
            case str():
                self._count(len(value))
                return value
            case float():
                return value if math.isfinite(value) else self._changed("number", "null", None)
            case bytes() | bytearray():
                self._count(len(value))
                text = base64.b64encode(value).decode("ascii")
                return self._changed("binary value", "base64", text)
            case datetime():
                return self._changed("time stamp", "text", value.isoformat())
            case Mapping():
                return self._map(value, depth)
            case list() | tuple():
                return [self.of(item, depth + 1) for item in value]
            case _:
                return self._changed("other value", "text", notation.render(value))

    def _map(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        plain = {self._key(key): self.of(item, depth + 1) for key, item in value.items()}
        if len(plain) < len(value):
            raise NotCopied("Two keys of a map would be the same in JSON, where keys are strings.")
        return plain

    def _key(self, key: Any) -> str:
        text = key if isinstance(key, str) else notation.render(key)
        self._count(len(text))
        return text if isinstance(key, str) else self._changed("key", "a string", text)

    def _changed(self, noun: str, result: str, made: Any) -> Any:
        self._changes[noun, result] += 1
        return made

    def _count(self, characters: int) -> None:
        self._length += characters
        _check(self._length)
