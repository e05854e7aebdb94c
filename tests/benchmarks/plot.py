"""Draws the figures of a run: ``python -m tests.benchmarks.plot < figures.json > screenshots/speed.svg``.

It reads what ``python -m tests.benchmarks --json`` prints. The same figures make the same
picture. Each bar is a time for a message, as a share of what ``multiprocessing.Pipe`` takes for it: shorter
is better, for round trips and for streams alike. The picture has a ground of its own and follows the reader's
colour scheme, so it can be read on any page. The figures themselves are in it, too.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final
from xml.etree import ElementTree

REFERENCE: Final = "multiprocessing.Pipe"

OURS: Final = "tui_ipc"
"""What the names of our own contenders begin with."""

SHOWN: Final = {
    "round trip, 32 bytes": "32 B there and back",
    "round trip, 65536 bytes": "64 KiB there and back",
    "round trip, 1048576 bytes": "1 MiB there and back",
    "round trip, 16777216 bytes": "16 MiB there and back",
    "one way, 32 bytes": "32 B one way",
}
"""The titles of the groups that are drawn, and what is written above them."""

LEFT_OUT: Final = frozenset({"tui_ipc, SOCK_STREAM", "tui_ipc, inline"})
"""Other ways to use ours: the table has them."""

_SVG: Final = "http://www.w3.org/2000/svg"

_WIDTH: Final = 760
_MARGIN: Final = 28
_LABELS: Final = 190  # where bars begin
_NUMBERS: Final = 150  # for the numbers right of the longest bar
_BAR: Final = 16
_ROW: Final = 22
_GAP: Final = 40  # from the last bar of a group to the first of the next
_TOP: Final = 104
_LONGEST: Final = 1.6  # times the reference; what takes longer is cut, and its number says how long it is

_STYLE: Final = """\
text { font: 13px system-ui, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif; fill: #3d444d }
.title { font-size: 19px; font-weight: 600; fill: #1f2328 }
.group, .ours { font-weight: 600; fill: #1f2328 }
.small { font-size: 12px; fill: #59636e }
.ground { fill: #ffffff; stroke: #d1d9e0 }
.bar { fill: #b6c0cb }
.bar.ours { fill: #0a7d6c }
.cut { fill: #ffffff }
.line { stroke: #59636e; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) {
text { fill: #c6ced7 }
.title, .group, .ours { fill: #f0f6fc }
.small { fill: #9198a1 }
.ground { fill: #0d1117; stroke: #3d444d }
.bar { fill: #4a5361 }
.bar.ours { fill: #2fc4ab }
.cut { fill: #0d1117 }
.line { stroke: #9198a1 }
}"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One contender.

    Attributes:
        name: As it is written beside the bar.
        ratio: Its time for a message as a share of the reference's.
        figure: What was measured, with its unit.
    """

    name: str
    ratio: float
    figure: str

    @property
    def ours(self) -> bool:
        """Whether it is to stand out."""
        return self.name.startswith(OURS)


def groups(measured: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Bar]]:
    """What is to be drawn, the quickest of a group first.

    Args:
        measured: The groups that ``--json`` prints: title → ``{"unit": …, "medians": {contender: figure}}``.

    Returns:
        Heading → bars; groups that lack the reference or were not measured are left out.
    """
    found = {}
    for title, heading in SHOWN.items():
        group = measured.get(title, {"unit": "", "medians": {}})
        medians: Mapping[str, float] = group["medians"]
        if REFERENCE not in medians:
            continue
        reference, unit = medians[REFERENCE], group["unit"]
        bars = [
            Bar(name, reference / value if unit.endswith("/s") else value / reference, quantity(value, unit))
            for name, value in medians.items()
            if name not in LEFT_OUT
        ]
        found[heading] = sorted(bars, key=lambda bar: bar.ratio)
    return found


def quantity(value: float, unit: str) -> str:
    """A figure for people, in the unit that makes it short."""
    if unit == "µs" and value >= 1000:
        value, unit = value / 1000, "ms"
    if unit == "messages/s":
        unit = "/s"
        for size, prefix in ((1e6, "M"), (1e3, "k")):
            if value >= size:
                value, unit = value / size, f"{prefix}/s"
                break
    return f"{value:.{0 if value >= 100 else 1}f} {unit}"


def svg(drawn: Mapping[str, Sequence[Bar]], note: str = "", figures: str = "{}") -> str:
    """The picture.

    Args:
        drawn: Heading → bars, as :func:`groups` makes them.
        note: A line for the foot: the machine, say.
        figures: What was measured, as JSON; see :func:`figures_in`.
    """
    height = _TOP + sum(_ROW * len(bars) + _GAP for bars in drawn.values()) + 20
    parts = [
        f'<svg xmlns="{_SVG}" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>Time per message as a share of {REFERENCE}</title>",
        f"<metadata>{escape(figures, quote=False)}</metadata>",
        f"<style>\n{_STYLE}\n</style>",
        f'<rect class="ground" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{height - 1}" rx="10"/>',
        _text(_MARGIN, 40, "Time per message between two processes", "title"),
        _text(_MARGIN, 62, f"{REFERENCE} = 1, shorter is better", "small"),
    ]
    top = _TOP
    for heading, bars in drawn.items():
        parts += _group(top, heading, bars)
        top += _ROW * len(bars) + _GAP
    parts += [_text(_MARGIN, height - 20, note, "small"), "</svg>"]
    return "\n".join(parts) + "\n"


def figures_in(picture: str) -> Any:
    """The figures that a picture was made of."""
    metadata = ElementTree.fromstring(picture).find(f"{{{_SVG}}}metadata")
    assert metadata is not None
    return json.loads(metadata.text or "")


def _group(top: int, heading: str, bars: Sequence[Bar]) -> list[str]:
    parts = [_text(_MARGIN, top - 11, heading, "group")]
    for place, bar in enumerate(bars):
        parts += _row(top + place * _ROW, bar)
    at = _LABELS + _length(1)
    bottom = top + _ROW * len(bars) - (_ROW - _BAR)
    parts.append(f'<line class="line" x1="{at:.1f}" x2="{at:.1f}" y1="{top - 4}" y2="{bottom + 4}"/>')
    return parts


def _row(top: int, bar: Bar) -> list[str]:
    kind = " ours" if bar.ours else ""
    length = max(_length(bar.ratio), 1)
    base = top + _BAR - 4
    cut = bar.ratio > _LONGEST
    shape = f'<rect class="bar{kind}" x="{_LABELS}" y="{top}" width="{length:.1f}" height="{_BAR}" rx="2"/>'
    gap = f'<path class="cut" d="M{_LABELS + length - 16:.1f} {top + _BAR} l6 -{_BAR} h4 l-6 {_BAR} z"/>'
    place = max(_LABELS + length, _LABELS + _length(1) if 0.75 < bar.ratio <= 1 else 0) + 8
    return [
        _text(_LABELS - 10, base, bar.name, f"name{kind}", anchor="end"),
        shape,
        *([gap] if cut else []),
        _text(place, base, f"{bar.ratio:.2f} ×", f"number{kind}"),
        _text(_WIDTH - _MARGIN, base, bar.figure, "small", anchor="end"),
    ]


def _length(ratio: float) -> float:
    """Of a bar, in pixels."""
    return min(ratio, _LONGEST) / _LONGEST * (_WIDTH - _LABELS - _NUMBERS - _MARGIN)


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def main() -> int:
    """Read figures, write the picture."""
    figures = sys.stdin.read().strip()
    run = json.loads(figures)
    note = f"Medians of one run, Python {run['python']}, {run['system']}, both processes on one CPU"
    sys.stdout.write(svg(groups(run["groups"]), note, figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
