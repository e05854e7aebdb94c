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

from tui_ipc.text import notation
from tui_ipc.text.units import format_plural, format_size

CopyFormat = Literal["notation", "JSON", "hex"]

CLIPBOARD_LIMIT: Final = 1 << 20
"""Characters at most: terminals drop larger OSC 52 sequences, and tell nobody."""

JSON_DEPTH: Final = 200
"""How deeply JSON is nested at most: many readers of JSON recurse, and so does this."""


class CopyError(Exception):
    """Something cannot be copied; the text says why."""


class ClipboardText(NamedTuple):
    """Text for the clipboard.

    Attributes:
        text: The text.
        changes: What is otherwise in it than in the value, in words; none if nothing is.
    """

    text: str
    changes: tuple[str, ...] = ()


def copy_as_notation(value: Any) -> ClipboardText:
    """A value as it could be typed.

    Raises:
        NotCopied: The text is too long.
    """
    _check_length(_minimum_length(value))
    # A text that is cut ends before the first scalar that would go beyond, of at most some 50 characters: so
    # with some room more, whatever is cut is still longer than the limit.
    return ClipboardText(_limit_text(notation.render_value(value, CLIPBOARD_LIMIT + 100)))


def copy_as_json(value: Any) -> ClipboardText:
    """A value as JSON, indented, and what had to be changed in it.

    Raises:
        NotCopied: It is too long or too deep, or two keys of a map would become one.
    """
    _check_length(_minimum_length(value))
    plain = _JsonConverter()
    text = json.dumps(plain.of(value), ensure_ascii=False, indent=2, allow_nan=False)
    return ClipboardText(_limit_text(text), plain.said())


def copy_as_hex(data: bytes) -> ClipboardText:
    """Bytes as two digits each.

    Raises:
        NotCopied: They are too many.
    """
    _check_length(3 * len(data))
    return ClipboardText(data.hex(" "))


def copy_as_text(text: str) -> ClipboardText:
    """A text that is shown.

    Raises:
        NotCopied: There is none, or it is too long.
    """
    if not text:
        raise CopyError("There is nothing in sight to copy.")
    return ClipboardText(_limit_text(text))


def _minimum_length(value: Any) -> int:
    """How many characters a value takes at least, found without looking into it."""
    if isinstance(value, str | bytes | bytearray):
        return len(value)
    return 3 * len(value) if isinstance(value, list | tuple | Mapping) else 0


def _check_length(length: int) -> None:
    """Refuse what has so many characters, or more."""
    if length > CLIPBOARD_LIMIT:
        raise CopyError(
            f"{format_size(length)} of text or more exceed the clipboard's {format_size(CLIPBOARD_LIMIT)}; "
            "copy a part."
        )


def _limit_text(text: str) -> str:
    _check_length(len(text))
    return text


class _JsonConverter:
    """Makes of a value what JSON can hold, counts what it changes, and gives up when it becomes too long."""

    def __init__(self) -> None:
        self._changes: Counter[tuple[str, str]] = Counter()
        self._length = 0

    def said(self) -> tuple[str, ...]:
        """What was changed: ``2 time stamps became text``."""
        return tuple(
            f"{format_plural(number, noun)} became {result}"
            for (noun, result), number in self._changes.items()
        )

    def of(self, value: Any, depth: int = 0) -> Any:
        """What JSON can hold of a value."""
        if depth > JSON_DEPTH:
            raise CopyError(f"It is nested more than {JSON_DEPTH} deep, which many readers of JSON refuse.")
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
                return self._changed("other value", "text", notation.render_value(value))

    def _map(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        plain = {self._key(key): self.of(item, depth + 1) for key, item in value.items()}
        if len(plain) < len(value):
            raise CopyError("Two keys of a map would be the same in JSON, where keys are strings.")
        return plain

    def _key(self, key: Any) -> str:
        text = key if isinstance(key, str) else notation.render_value(key)
        self._count(len(text))
        return text if isinstance(key, str) else self._changed("key", "a string", text)

    def _changed(self, noun: str, result: str, made: Any) -> Any:
        self._changes[noun, result] += 1
        return made

    def _count(self, characters: int) -> None:
        self._length += characters
        _check_length(self._length)
