"""Values, patterns, steps and whole scripts of all kinds, for properties."""

import re
import signal
from datetime import UTC
from typing import Any

from hypothesis import strategies as st

from tui_ipc.script.language.steps import (
    Expect,
    ExpectClean,
    ExpectExit,
    ExpectNoOutput,
    ExpectNothing,
    ExpectOutput,
    ExpectPercentile,
    ExpectSignal,
    Quit,
    Repeat,
    Restart,
    Script,
    Send,
    SendRaw,
    Set,
    Signal,
    Sleep,
    Spawn,
    Step,
    Strict,
    Timeout,
)
from tui_ipc.text.conditions import TYPES, Each, HasLength, InRange, IsType, Near, Unordered
from tui_ipc.text.placeholders import ANY_REST, ANY_VALUE, NAME_IN_TEXT, Capture, Regex, Template

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.datetimes(timezones=st.just(UTC))
)
keys = st.text() | st.just("{{known}}") | st.integers(0, 9) | st.binary(max_size=3)


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=8,
    )


def _is_expression(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError, FutureWarning, DeprecationWarning):
        return False
    if NAME_IN_TEXT.search(text):
        return False
    return r"\/" not in text  # which means the same as "/", and is written so


values = nested(scalars)
"""What messages hold."""

names = st.from_regex("[A-Za-z_][A-Za-z0-9_]{0,3}", fullmatch=True).filter(lambda name: name != "_")
captures = st.builds(Capture, names) | st.just(ANY_VALUE)
expressions = (
    st.text(st.characters(categories=["L", "N", "P", "S"])) | st.text("ab/\\[](){}*+?^$|. #")
).filter(_is_expression)


def _opened(pattern: Any) -> st.SearchStrategy[Any]:
    """A pattern that allows further items or entries, where it is a container."""
    if isinstance(pattern, list) and ANY_REST not in pattern:
        return st.integers(0, len(pattern)).map(lambda at: [*pattern[:at], ANY_REST, *pattern[at:]])
    if isinstance(pattern, dict):
        return st.sampled_from(
            [{**pattern, ANY_REST: ANY_REST}, {ANY_REST: ANY_REST, **pattern, "any": ANY_REST}]
        )
    return st.just(pattern)


_texts = st.text(max_size=3).filter(lambda text: not NAME_IN_TEXT.search(text)) | st.just("{{a}} {{")
templates = st.lists(st.tuples(_texts, st.just("known")), min_size=1, max_size=3).flatmap(
    lambda pairs: _texts.map(lambda last: Template((*(part for pair in pairs for part in pair), last)))
)
"""Strings in which the name ``known`` stands for its value."""

_numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
_lengths = st.integers(0, 2**31)


def _in_order(bounds: tuple[Any, Any]) -> bool:
    return bounds[0] is None or bounds[1] is None or bounds[0] <= bounds[1]


def _ranges(numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, Any]]:
    return st.tuples(st.none() | numbers, st.none() | numbers).filter(
        lambda bounds: bounds != (None, None) and _in_order(bounds)
    )


simple_conditions = st.one_of(
    st.builds(IsType, st.sampled_from(sorted(TYPES))),
    _ranges(_numbers).map(lambda bounds: InRange(*bounds)),
    st.builds(Near, _numbers, _numbers.filter(lambda number: number >= 0)),
    _ranges(_lengths).map(lambda bounds: HasLength(*bounds)),
)


def _with_conditions(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    terms = simple_conditions | inner | st.builds(Each, inner | simple_conditions)
    terms |= st.builds(Unordered, st.lists(inner, max_size=3).map(tuple))
    alternatives = st.lists(st.lists(terms, min_size=1, max_size=2).map(tuple), min_size=1, max_size=2)
    return st.builds(Capture, names | st.just("_"), alternatives.map(tuple))


placeholders = (
    captures
    | st.builds(Regex, expressions)
    | st.sampled_from([Regex("^{{known}} (?P<group>.)", ("known",))])
    | templates
)
conditions = st.recursive(
    scalars | placeholders | nested(scalars | placeholders), _with_conditions, max_leaves=4
)
patterns = st.just(ANY_REST) | nested(
    scalars | placeholders | conditions | nested(scalars | placeholders).flatmap(_opened)
).flatmap(_opened)
"""What is expected."""

durations = st.integers(1, 86_400_000).map(lambda number: number / 1000) | st.floats(1e-9, 86400)
deadlines = st.none() | durations
signals = st.sampled_from(sorted(signal.valid_signals())).map(int)
words = st.text(st.characters(exclude_characters="\0", exclude_categories=[]))
_named_words = templates.filter(lambda word: "\0" not in "".join(word.parts))
commands = st.lists(words | _named_words, min_size=1).filter(lambda command: command[0] != "").map(tuple)

plain_steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(Timeout, durations),
    st.just(Strict()),
    st.builds(Send, values),
    st.builds(SendRaw, st.binary(min_size=1)),
    st.builds(Expect, patterns, deadlines, st.booleans()),
    st.tuples(durations, durations).map(
        lambda span: Expect(ANY_REST, within=max(span), at_least=min(span), skipping=True)
    ),
    st.builds(
        ExpectNoOutput,
        st.sampled_from(["stdout", "stderr"]),
        st.builds(Regex, expressions),
        deadlines,
        st.booleans(),
    ),
    st.builds(ExpectNoOutput, st.just("stderr"), st.none(), deadlines),
    st.builds(ExpectNothing, deadlines),
    st.builds(
        ExpectOutput,
        st.sampled_from(["stdout", "stderr"]),
        st.builds(Regex, expressions),
        deadlines,
        st.booleans(),
    ),
    st.builds(Sleep, durations),
    st.builds(Signal, signals),
    st.just(Restart()),
)
blocks = st.recursive(
    plain_steps,
    lambda inner: st.builds(
        Repeat, st.integers(1, 10**9), st.lists(inner, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=4,
)
_ENDS: list[tuple[Step, ...]] = [
    (),
    (Quit(),),
    (Quit(), ExpectExit(0), ExpectClean()),
    (ExpectExit(255),),
    (Quit(), Expect(ANY_REST), ExpectSignal(signal.SIGKILL)),
    (ExpectClean(), Restart(), Quit()),
    (Repeat(2, (Send(1), Expect(1))), ExpectPercentile(99.9, 0.0125), ExpectPercentile(50.0, 1.0)),
]


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """Scripts of all steps, whose names are captured before they are sent."""
    spawn = draw(st.none() | st.builds(Spawn, commands))
    steps: list[Step] = [Set("known", draw(values | templates.map(lambda _: "text")))]
    steps += [spawn] if spawn else []
    steps += draw(st.lists(blocks, max_size=6))
    if draw(st.booleans()):
        name = Capture(draw(names))
        steps += (
            Expect({"k": name, ANY_REST: ANY_REST}),
            Send(draw(nested(scalars | templates | st.just(name)))),
        )
    return Script(draw(st.text()), (*steps, *draw(st.sampled_from(_ENDS))))
