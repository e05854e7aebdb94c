"""A reader of TAP that takes nothing for granted, by the specification of version 14.

It knows what this project writes, no more: a version, a plan, test points, their diagnoses, and bailing out.
The YAML of a diagnosis is maps, lists of texts, and texts and numbers as JSON writes them.
"""

import json
import re
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Final

_POINT: Final = re.compile(
    r"(?P<not>not )?ok (?P<number>\d+) - (?P<description>(?:[^#\\]|\\[#\\])*)(?P<skip># SKIP.*)?"
)
_KEY: Final = re.compile(r'(?P<indent> *)(?P<name>\w+|"(?:[^"\\]|\\.)*"):(?: (?P<value>.+))?')
_ITEM: Final = re.compile(r"(?P<indent> *)- (?P<value>.+)")


@dataclass
class Point:
    """A test point."""

    passed: bool
    description: str
    skipped: bool
    notes: list[str] = field(default_factory=list)
    diagnosis: dict[str, Any] = field(default_factory=dict)


@dataclass
class Tap:
    """The content of a document."""

    planned: int
    points: list[Point]
    bailed_out: str | None


def read(text: str) -> Tap:
    """Understand a document.

    Raises:
        AssertionError: It is not TAP.
    """
    assert text.endswith("\n")
    version, plan, *lines = text[:-1].split("\n")
    assert version in ("TAP version 13", "TAP version 14")
    assert re.fullmatch(r"1\.\.\d+", plan)
    made = Tap(int(plan[3:]), [], None)
    while lines:
        line = lines.pop(0)
        assert made.bailed_out is None, "nothing follows Bail out!"
        if line.startswith("Bail out! "):
            made.bailed_out = line.removeprefix("Bail out! ")
        elif line.startswith("# "):
            made.points[-1].notes.append(line.removeprefix("# "))
        elif line == "  ---":
            end = lines.index("  ...")
            made.points[-1].diagnosis = _yaml(lines[:end])
            del lines[: end + 1]
        else:
            made.points.append(_point(line, len(made.points) + 1))
    assert made.bailed_out is not None or len(made.points) == made.planned
    return made


def _point(line: str, due: int) -> Point:
    match = _POINT.fullmatch(line)
    assert match, line
    assert int(match["number"]) == due
    description = re.sub(r"\\(.)", r"\1", match["description"]).rstrip(" " * bool(match["skip"]))
    return Point(match["not"] is None, description, match["skip"] is not None)


def _yaml(lines: list[str], depth: int = 1) -> Any:
    """A block of lines, indented by twice its depth and more."""
    if item := _ITEM.match(lines[0]):
        items = [_ITEM.fullmatch(line) for line in lines]
        assert all(each and each["indent"] == item["indent"] for each in items)
        return [json.loads(each["value"]) for each in items if each]
    made: dict[str, Any] = {}
    rest = list(lines)
    while rest:
        match = _KEY.fullmatch(rest.pop(0))
        assert match, lines
        assert len(match["indent"]) == 2 * depth
        name = json.loads(match["name"]) if match["name"].startswith('"') else match["name"]
        assert name not in made, "a key occurs once"
        if match["value"] is not None:
            made[name] = json.loads(match["value"])
            continue
        inner = list(takewhile(lambda line: line.startswith("  " * (depth + 1)), rest))
        made[name] = _yaml(inner, depth + 1)
        del rest[: len(inner)]
    return made
