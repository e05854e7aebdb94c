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
    ExpectNothing,
    ExpectOutput,
    ExpectSignal,
    Quit,
    Repeat,
    Restart,
    Script,
    Send,
    SendRaw,
    Signal,
    Sleep,
    Spawn,
    Step,
    Strict,
    Timeout,
)
from tui_ipc.text.placeholders import ANY_REST, ANY_VALUE, Capture, Regex

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.datetimes(timezones=st.just(UTC))
)
keys = st.text() | st.integers(0, 9) | st.binary(max_size=3)


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


placeholders = captures | st.builds(Regex, expressions)
patterns = st.just(ANY_REST) | nested(
    scalars | placeholders | nested(scalars | placeholders).flatmap(_opened)
).flatmap(_opened)
"""What is expected."""

durations = st.integers(1, 86_400_000).map(lambda number: number / 1000) | st.floats(1e-9, 86400)
deadlines = st.none() | durations
signals = st.sampled_from(sorted(signal.valid_signals())).map(int)
words = st.text(st.characters(exclude_characters="\0", exclude_categories=[]))
commands = st.lists(words, min_size=1).filter(lambda command: command[0] != "").map(tuple)

plain_steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(Timeout, durations),
    st.just(Strict()),
    st.builds(Send, values),
    st.builds(SendRaw, st.binary(min_size=1)),
    st.builds(Expect, patterns, deadlines, st.booleans()),
    st.builds(ExpectNothing, deadlines),
    st.builds(ExpectOutput, st.sampled_from(["stdout", "stderr"]), expressions, deadlines, st.booleans()),
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
]


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """Scripts of all steps, whose names are captured before they are sent."""
    spawn = draw(st.none() | st.builds(Spawn, commands))
    steps: list[Step] = [spawn] if spawn else []
    steps += draw(st.lists(blocks, max_size=6))
    if draw(st.booleans()):
        name = Capture(draw(names))
        steps += Expect({"k": name, ANY_REST: ANY_REST}), Send(draw(nested(scalars | st.just(name))))
    return Script(draw(st.text()), (*steps, *draw(st.sampled_from(_ENDS))))
