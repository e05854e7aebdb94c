"""Values and bytes as text for the clipboard; the app puts it there.

A value that the format cannot hold exactly is refused with a sentence, or the text comes with a list of what
was changed in it.
"""

import base64
import json
import math
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from tui_ipc.text import notation
from tui_ipc.text.safe_text import replace_hidden
from tui_ipc.text.units import format_plural, format_size

CopyFormat = Literal["notation", "JSON", "hex"]

CLIPBOARD_LIMIT: Final = 1 << 20
"""The longest text, in characters: terminals drop longer OSC 52 sequences, without a word."""

JSON_DEPTH: Final = 200
"""How deeply JSON is nested at most: many readers of JSON recurse, and so does the converter here."""


class CopyError(Exception):
    """Something cannot be copied; the message is a sentence that says why."""


class ClipboardText(NamedTuple):
    """Text for the clipboard.

    Attributes:
        text: The text.
        changes: What differs from the value, in words; empty if nothing does.
    """

    text: str
    changes: tuple[str, ...] = ()


def copy_as_notation(value: Any) -> ClipboardText:
    """Return a value in the notation, as it could be typed.

    Raises:
        CopyError: The text is too long.
    """
    _check_length(_minimum_length(value))
    # The notation cuts before the scalar that would exceed its limit, and a scalar is written in at most 50
    # characters or is cut itself. With a limit of 100 more, a text that was cut is still too long for us.
    return ClipboardText(_limit_text(notation.render_value(value, CLIPBOARD_LIMIT + 100)))


def copy_as_json(value: Any) -> ClipboardText:
    """Return a value as indented JSON, with what had to be changed in it.

    Raises:
        CopyError: It is too long or too deep, or two keys of a map would become one.
    """
    _check_length(_minimum_length(value))
    converter = _JsonConverter()
    text = json.dumps(converter.convert(value), ensure_ascii=False, indent=2, allow_nan=False)
    # What is invisible, or reorders text, is an escape where it is pasted too. Line by line: JSON's own line
    # ends stay.
    text = "\n".join(replace_hidden(line, notation.escape_character) for line in text.split("\n"))
    return ClipboardText(_limit_text(text), converter.list_changes())


def copy_as_hex(data: bytes) -> ClipboardText:
    """Return bytes as two hexadecimal digits each.

    Raises:
        CopyError: There are too many.
    """
    _check_length(3 * len(data))
    return ClipboardText(data.hex(" "))


def copy_as_text(text: str) -> ClipboardText:
    """Return a text that is shown.

    Raises:
        CopyError: There is none, or it is too long.
    """
    if not text:
        raise CopyError("Nothing is shown that could be copied.")
    return ClipboardText(_limit_text(text))


def _minimum_length(value: Any) -> int:
    """The least characters that a value takes, found without visiting what it holds."""
    if isinstance(value, str | bytes | bytearray):
        return len(value)
    return 3 * len(value) if isinstance(value, list | tuple | Mapping) else 0


def _check_length(length: int) -> None:
    """Refuse a text of at least ``length`` characters if that is too long."""
    if length > CLIPBOARD_LIMIT:
        raise CopyError(
            f"{format_size(length)} of text or more exceed the clipboard's {format_size(CLIPBOARD_LIMIT)}; "
            "copy a part."
        )


def _limit_text(text: str) -> str:
    _check_length(len(text))
    return text


class _JsonConverter:
    """Converts a value to what JSON can hold, counts what it changes, and raises if the text is too long."""

    def __init__(self) -> None:
        self._changes: Counter[tuple[str, str]] = Counter()
        self._length = 0

    def list_changes(self) -> tuple[str, ...]:
        """List what was changed: ``2 time stamps became text``."""
        return tuple(
            f"{format_plural(number, noun)} became {result}"
            for (noun, result), number in self._changes.items()
        )

    def convert(self, value: Any, depth: int = 0) -> Any:
        """Convert a value."""
        if depth > JSON_DEPTH:
            raise CopyError(
                f"It is nested more than {JSON_DEPTH} deep, which many readers of JSON refuse; copy a part."
            )
        self._count(2 * depth + 2)
        match value:
            case None | bool() | int():
                return value
            case str():
                self._count(len(value))
                return value
            case float():
                return value if math.isfinite(value) else self._note_change("number", "null", None)
            case bytes() | bytearray():
                self._count(len(value))
                text = base64.b64encode(value).decode("ascii")
                return self._note_change("binary value", "base64", text)
            case datetime():
                return self._note_change("time stamp", "text", value.isoformat())
            case Mapping():
                return self._convert_map(value, depth)
            case list() | tuple():
                return [self.convert(item, depth + 1) for item in value]
            case _:
                return self._note_change("other value", "text", notation.render_value(value))

    def _convert_map(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        converted = {self._convert_key(key): self.convert(item, depth + 1) for key, item in value.items()}
        if len(converted) < len(value):
            raise CopyError("Two keys of a map would be the same in JSON, where keys are strings.")
        return converted

    def _convert_key(self, key: Any) -> str:
        text = key if isinstance(key, str) else notation.render_value(key)
        self._count(len(text))
        return text if isinstance(key, str) else self._note_change("key", "a string", text)

    def _note_change(self, noun: str, result: str, converted: Any) -> Any:
        self._changes[noun, result] += 1
        return converted

    def _count(self, characters: int) -> None:
        self._length += characters
        _check_length(self._length)
