"""Select Graphic Rendition (ECMA-48 §8.3.117): the only control sequence that a child's output may use on us.

Colours, bold, dim, italic, underline, reverse and strike are followed; blink and conceal are not, since a
tool that shows what a program prints must not let the program hide it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from rich.color import Color
from rich.style import Style


@dataclass(frozen=True, slots=True)
class Ink:
    """The looks that are in force at one place of the output."""

    color: Color | None = None
    bgcolor: Color | None = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False
    strike: bool = False


PLAIN = Ink()

_UNDERLINE = 4
_UNDERLINE_COLOR = 58  # followed by a colour, like the next two, but drawn by few terminals: not by us
_EXTENDED = (38, 48, _UNDERLINE_COLOR)

_SWITCHES: dict[int, dict[str, Any]] = {
    1: {"bold": True},
    2: {"dim": True},
    3: {"italic": True},
    4: {"underline": True},
    7: {"reverse": True},
    9: {"strike": True},
    21: {"underline": True},
    22: {"bold": False, "dim": False},
    23: {"italic": False},
    24: {"underline": False},
    27: {"reverse": False},
    29: {"strike": False},
}


@lru_cache(maxsize=512)
def style_of(ink: Ink) -> Style:
    """The style that draws an ink; only what is switched on is named, so that the theme shows through."""
    return Style(
        color=ink.color,
        bgcolor=ink.bgcolor,
        bold=ink.bold or None,
        dim=ink.dim or None,
        italic=ink.italic or None,
        underline=ink.underline or None,
        reverse=ink.reverse or None,
        strike=ink.strike or None,
    )


@lru_cache(maxsize=512)
def apply_sgr(ink: Ink, parameters: str) -> Ink:
    """The ink after ``ESC [ parameters m``; a parameter that means nothing changes nothing.

    Parameters are separated by semicolons. Colons separate the parts of one parameter (ITU-T T.416), as in
    ``4:3``, a curly underline, or ``38:2::255:0:0``, which leaves a colour space unnamed.
    """
    fields = iter(parameters.split(";"))
    for field in fields:
        code, *parts = (_number(part) for part in field.split(":"))
        if code in _EXTENDED:
            color = _extended(iter(_without_space(parts)) if parts else (_number(each) for each in fields))
            ink = ink if color is None or code == _UNDERLINE_COLOR else _colored(ink, code, color)
        elif parts:
            ink = _styled_underline(ink, parts[0]) if code == _UNDERLINE else ink
        else:
            ink = _apply(ink, code)
    return ink


def _number(text: str) -> int:
    """A parameter, 0 if it is left out, -1 if it is no small number."""
    return int(text or 0) if len(text) < 4 and (not text or text.isdecimal()) else -1


def _apply(ink: Ink, code: int) -> Ink:
    if code == 0:
        return PLAIN
    if code in _SWITCHES:
        return replace(ink, **_SWITCHES[code])
    if code in (39, 49):
        return _colored(ink, code, None)
    if 30 <= code <= 37 or 40 <= code <= 47:
        return _colored(ink, code, Color.from_ansi(code % 10))
    if 90 <= code <= 97 or 100 <= code <= 107:
        return _colored(ink, code, Color.from_ansi(code % 10 + 8))
    return ink


def _styled_underline(ink: Ink, style: int) -> Ink:
    """``4:0`` is none; straight, double, curly, dotted and dashed ones (1 to 5) are all drawn alike."""
    return replace(ink, underline=style > 0)


def _colored(ink: Ink, code: int, color: Color | None) -> Ink:
    """Colour the layer that a code is about: 4x and 10x are the background, 3x and 9x the text."""
    return replace(ink, bgcolor=color) if code // 10 in (4, 10) else replace(ink, color=color)


def _without_space(parts: list[int]) -> list[int]:
    """The parts of a colour without the colour space; many programs leave it out together with its colon."""
    return [2, *parts[2:]] if parts[0] == 2 and len(parts) > 4 else parts


def _extended(following: Iterator[int]) -> Color | None:
    """Read the rest of ``38;5;N`` or ``38;2;R;G;B``; None if it is incomplete or out of range."""
    kind = next(following, -1)
    numbers = [next(following, -1) for _ in range({5: 1, 2: 3}.get(kind, 0))]
    if not numbers or not all(0 <= number <= 255 for number in numbers):
        return None
    return Color.from_ansi(numbers[0]) if kind == 5 else Color.from_rgb(*numbers)
