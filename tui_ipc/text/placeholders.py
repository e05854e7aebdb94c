"""The placeholders of a pattern: any value, a string that a regular expression finds, a name, a condition.

A pattern is a value as messages hold it, in which placeholders stand for values, alone, in arrays or in maps;
so a pattern without placeholders is a value. No message holds a placeholder. Of the keys of a map, a string
may be a :class:`Template`, and :data:`ANY_REST` as key and value of one entry stands for further entries.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, final

from tui_ipc.text.conditions import Each, Unordered

NAME: Final = r"(?:env\.)?[A-Za-z_][A-Za-z0-9_]*+"
"""How a name is written, as a regular expression. Those that begin with ``env.`` are of the environment."""

NAME_IN_TEXT: Final = re.compile(rf"\{{\{{[ \t]*+({NAME})[ \t]*+\}}\}}")
"""``{{name}}``; its first group is the name."""


@final
@dataclass(frozen=True, slots=True, eq=False)  # equal to itself only: `ANY_REST in items` compares no values
class AnyRest:
    """``...``: alone any value, in an array any further items, in a map any further entries."""

    def __reduce__(self) -> str:
        return "ANY_REST"  # it is the same in another process


ANY_REST: Final = AnyRest()
"""The only instance."""


@final
@dataclass(frozen=True, slots=True)
class Regex:
    """``/re/``: a string in which a regular expression is found, as ``re.search`` does.

    Attributes:
        expression: The expression. Its named groups are names from then on.
        names: Those whose ``{{name}}`` in it stands for the text of their value.
    """

    expression: str
    names: tuple[str, ...] = ()

    def fill(self, known: Mapping[str, Any]) -> str:
        """The expression with the text of each name; raises ``KeyError`` if one is not known."""
        if not self.names:
            return self.expression
        return NAME_IN_TEXT.sub(
            lambda match: (
                f"(?:{re.escape(_to_text(known[match[1]]))})" if match[1] in self.names else match[0]
            ),
            self.expression,
        )


@final
@dataclass(frozen=True, slots=True)
class Template:
    """``"a {{name}}"``: a string in which names stand for the text of their values.

    Attributes:
        parts: Plain texts, at even indexes, and names between them.
    """

    parts: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names in it."""
        return self.parts[1::2]

    def fill(self, known: Mapping[str, Any]) -> str:
        """The string; raises ``KeyError`` if a name is not known."""
        return "".join(_to_text(known[part]) if index % 2 else part for index, part in enumerate(self.parts))


def _to_text(value: Any) -> str:
    """The text of a value within a text: a string as it is, all others in the notation."""
    if isinstance(value, str):
        return value
    from tui_ipc.text.notation import render_value  # it writes placeholders, and so needs this module

    return render_value(value)


@final
@dataclass(frozen=True, slots=True)
class Capture:
    """``{{name}}``: the first time any value, which has the name from then on; later that value.

    Attributes:
        name: The name; ``_`` gives none.
        alternatives: Conditions and patterns, all of which the value meets, of at least one alternative; none
            if any value will do.
    """

    name: str
    alternatives: tuple[tuple[Any, ...], ...] = ()


ANY_VALUE: Final = Capture("_")
"""``{{_}}``: any one value, which gets no name."""

Placeholder = AnyRest | Regex | Template | Capture

PLACEHOLDER_TYPES: Final = (AnyRest, Regex, Template, Capture)
"""The same, for ``isinstance``, which is quicker with a tuple."""


@dataclass(frozen=True, slots=True)
class PlaceholderRules:
    """What placeholders a pattern may have; and what is found in it besides.

    Attributes:
        find_objection: Says what is wrong with a placeholder at its place; the empty string if nothing.
        is_known: Whether a name in a string or an expression stands for its value; else it is plain text.
        unknown: Filled with the names that are plain text.
        repeated: Filled with the keys that occur twice in a map, of which the last value counts.
    """

    find_objection: Callable[[Placeholder], str]
    is_known: Callable[[str], bool] = lambda name: False
    unknown: list[str] = field(default_factory=list)
    repeated: list[Any] = field(default_factory=list)

    @property
    def json_decoder(self) -> json.JSONDecoder:
        """Reads JSON, and fills ``repeated``."""
        return json.JSONDecoder(object_pairs_hook=self._make_map)

    def _make_map(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            self.note_repeated([key for key, _ in pairs])
        return made

    def note_repeated(self, keys: list[Any]) -> None:
        """Add those of the keys of a map that occur twice."""
        seen = set()
        for key in keys:
            if key in seen:
                self.repeated.append(key)
            seen.add(key)


def iter_placeholders(pattern: Any) -> Iterator[Placeholder]:
    """Iterate over the placeholders of a pattern in the order of its text, that of further entries once.

    Those in the conditions of a placeholder follow it. Does not recurse: patterns may nest deeply.
    """
    unseen = [pattern]
    while unseen:
        item = unseen.pop()
        if isinstance(item, list | tuple):
            unseen += reversed(item)
        elif isinstance(item, dict):
            unseen += reversed(item.values())
            unseen += [key for key in item if isinstance(key, Template)]
        elif isinstance(item, Unordered):
            unseen += reversed(item.items)
        elif isinstance(item, Each):
            unseen.append(item.pattern)
        elif isinstance(item, PLACEHOLDER_TYPES):
            yield item
            if isinstance(item, Capture):
                unseen += reversed(item.alternatives)


def list_captured_names(pattern: Any) -> tuple[str, ...]:
    """List the names that have a value once the pattern matched, each once, in the order of its text."""
    names: dict[str, None] = {}
    for each in iter_placeholders(pattern):
        if isinstance(each, Capture) and each.name != "_":
            names[each.name] = None
        elif isinstance(each, Regex) and "(?P<" in each.expression:
            names |= dict.fromkeys(re.compile(each.expression).groupindex)
    return tuple(names)


def list_used_names(pattern: Any) -> tuple[str, ...]:
    """List the names in a pattern, each once, in the order of its text, without those of groups."""
    names: dict[str, None] = {}
    for each in iter_placeholders(pattern):
        if isinstance(each, Capture) and each.name != "_":
            names[each.name] = None
        elif isinstance(each, Regex | Template):
            names |= dict.fromkeys(each.names)
    return tuple(names)


def replace_placeholders(pattern: Any, by: Callable[[Placeholder], Any]) -> Any:
    """Make a value of a pattern: each placeholder is replaced, and its maps have no further entries.

    Args:
        pattern: It is not changed, and returned itself if it has no placeholders. Else arrays become lists.
        by: Returns what replaces a placeholder.
    """
    if next(iter_placeholders(pattern), None) is None:
        return pattern
    outermost = [pattern]
    unfilled: list[tuple[Any, Any]] = [(outermost, 0)]
    while unfilled:
        container, key = unfilled.pop()
        item = container[key]
        if isinstance(item, PLACEHOLDER_TYPES):
            container[key] = by(item)
        elif isinstance(item, list | tuple):
            container[key] = items = list(item)
            unfilled += ((items, index) for index in range(len(items)))
        elif isinstance(item, dict):
            container[key] = entries = {
                by(each) if isinstance(each, Template) else each: value
                for each, value in item.items()
                if each is not ANY_REST
            }
            unfilled += ((entries, each) for each in entries)
    return outermost[0]


def fill_names(value: Any, known: Mapping[str, Any]) -> Any:
    """Replace each name in what is to be sent; a value without any is returned itself.

    Args:
        value: Its placeholders are of :class:`Capture` and :class:`Template`. It is not changed.
        known: The names so far, and their values.

    Raises:
        KeyError: A name is not known. A script that was parsed has no such name.
    """

    def look_up(placeholder: Placeholder) -> Any:
        if isinstance(placeholder, Template):
            return placeholder.fill(known)
        assert isinstance(placeholder, Capture), "a message that is sent has no other placeholders"
        return known[placeholder.name]

    return replace_placeholders(value, look_up)


def split_at_names(text: str, is_known: Callable[[str], bool]) -> tuple[list[str], list[str]]:
    """Split a text at the known names in it: texts and names in turn, and the names that are not known."""
    parts, unknown, done = [""], [], 0
    for match in NAME_IN_TEXT.finditer(text):
        if is_known(match[1]):
            parts[-1] += text[done : match.start()]
            parts += (match[1], "")
            done = match.end()
        else:
            unknown.append(match[1])
    parts[-1] += text[done:]
    return parts, unknown
