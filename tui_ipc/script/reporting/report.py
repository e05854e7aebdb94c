"""How scripts ended, in lines for a person who has nothing else to look at. Pure.

The one rule: the place comes first, as editors and log viewers look for it; and nothing that a child said can
steer a terminal.
"""

from collections.abc import Sequence
from typing import Final

from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.relay import visible
from tui_ipc.script.reporting.colours import BOLD, DIM, GREEN, RED, YELLOW, Paint, plain
from tui_ipc.script.reporting.outcome import Outcome, Status, counted
from tui_ipc.session.notation import render
from tui_ipc.session.units import count, plural

_UNEXPECTED: Final = 3  # messages that are shown
_SHOWN: Final = 100  # characters of each
_COLOURS: Final = {"expected": GREEN, "received": RED, "stderr": DIM}  # of details, by their titles


def story(outcome: Outcome, paint: Paint = plain) -> list[str]:
    """How one script ended.

    Args:
        outcome: Of the script.
        paint: How to give a text a colour.
    """
    name = outcome.name
    time = f"{outcome.seconds:.2f} s"
    match outcome.status:
        case Status.PASSED:
            passed = f"{plural(outcome.passed, 'step')} {paint('passed', GREEN)} in {time}"
            lines = [f"{name}: {passed}", *_unexpected(outcome)]
        case Status.NOT_RUN:
            lines = [f"{name}: {paint('not run', YELLOW)}"]
        case _:
            lines = [paint(f"{outcome.place}: {visible(outcome.sentence)}", BOLD)] if outcome.sentence else []
            lines += [_detail(title, text, paint) for title, text in outcome.details]
    if outcome.recording is not None:
        lines.append(_recorded(name, outcome.recording))
    if outcome.sentence and outcome.code != ExitCode.NO_HANDSHAKE:  # else no step was begun
        steps = f"{count(outcome.passed)} of {plural(outcome.total, 'step')}"
        word = paint("FAILED" if outcome.status is Status.FAILED else "INTERRUPTED", RED)
        lines.append(f"{name}: {word} after {steps} in {time}")
    if outcome.complaint:
        lines.append(f"{name}: {visible(outcome.complaint)}")
    return lines


def summary(outcomes: Sequence[Outcome], paint: Paint = plain) -> str:
    """How several scripts ended, in a line."""
    colours = {Status.PASSED: GREEN, Status.FAILED: RED, Status.INTERRUPTED: RED, Status.NOT_RUN: YELLOW}
    parts = [
        paint(f"{number} {status}", colours[status]) for status, number in counted(outcomes).items() if number
    ]
    seconds = sum(outcome.seconds for outcome in outcomes)
    return f"{plural(len(outcomes), 'script')}: {', '.join(parts)} in {seconds:.2f} s"


def _detail(title: str, text: str, paint: Paint) -> str:
    shown = visible(text)
    return f"  {title:<9} {paint(shown, _COLOURS[title]) if title in _COLOURS else shown}"


def _recorded(name: str, recording: str) -> str:
    import shlex

    shown = f"tui-ipc --replay {visible(shlex.quote(recording))}"
    return f"{name}: recorded in {visible(recording)}; {shown} shows it"


def _unexpected(outcome: Outcome) -> list[str]:
    """What came that no step took: no failure, but worth a look."""
    shown = [
        f"{outcome.name}: message #{message.number} was not expected: {render(message.value, _SHOWN)}"
        for message in outcome.unexpected[:_UNEXPECTED]
    ]
    more = outcome.untaken - len(shown)
    return [*shown, f"{outcome.name}: and {count(more)} more"] if more > 0 else shown
