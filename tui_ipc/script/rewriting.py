"""Scripts that passed in spite of what they expected are rewritten in their files.

The one rule: a file is rewritten only if the script passes then, and only if it still holds that script.
"""

from collections.abc import Mapping
from typing import Any

from tui_ipc.script.files import UnwritableScriptError, rewrite
from tui_ipc.script.language import Script, ScriptSyntaxError, parse, write
from tui_ipc.script.reporting.outcome import Outcome, Status
from tui_ipc.script.running.updating import expectations, rewritten
from tui_ipc.session.recording import reason


def renew(file: str, script: Script, outcome: Outcome) -> str:
    """Rewrite what a script expects, if anything is to be changed and all else was as it should be.

    Args:
        file: Where it stands.
        script: What was run.
        outcome: How that went.

    Returns:
        A sentence for people, empty if nothing was to be changed.

    Raises:
        UnwritableScriptError: It cannot be rewritten.
    """
    if not outcome.updates:
        return ""
    if outcome.status is not Status.PASSED:
        return "not rewritten, as it did not pass"
    old = _contents(file)
    text = old.decode(errors="replace")
    if not _same(text, script):
        raise UnwritableScriptError(f"{file} was changed meanwhile, and so was not rewritten; run it again")
    new = rewritten(text, parse(text), outcome.updates)
    try:
        parse(new, script.name)
    except ScriptSyntaxError as error:  # what captured a name that is used further on does so no more
        raise UnwritableScriptError(f"{file} cannot be rewritten: {error.sentence}") from None
    rewrite(file, old, new.encode())
    return f"{_lines(outcome.updates)} rewritten"


def _contents(file: str) -> bytes:
    try:
        with open(file, "rb") as script:
            return script.read()
    except OSError as error:
        raise UnwritableScriptError(f"{file} cannot be rewritten: {reason(error)}") from None


def _same(text: str, script: Script) -> bool:
    """Whether a text is a script, each expectation in its line. Where in the line does not matter."""
    try:
        found = parse(text)
    except ScriptSyntaxError:
        return False
    places = [[step.line for step in expectations(each.steps)] for each in (found, script)]
    return write(found) == write(script) and places[0] == places[1]


def _lines(updates: Mapping[int, Any]) -> str:
    *others, last = sorted(updates)
    return f"lines {', '.join(map(str, others))} and {last}" if others else f"line {last}"
