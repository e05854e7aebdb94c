"""Steps to the text of a script, which reads back. Pure."""

from typing import Final

from tui_ipc.script.syntax.commands import write_command
from tui_ipc.script.syntax.scanner import in_seconds
from tui_ipc.script.syntax.signals import write_signal
from tui_ipc.script.syntax.steps import (
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
    Timeout,
)
from tui_ipc.session.holes import Matching
from tui_ipc.session.notation import render

_INDENT: Final = "  "


def write(script: Script) -> str:
    """The text of a script, one step a line; :func:`~tui_ipc.script.language.parse` gives the script back.

    Raises:
        TypeError: A step is none of :mod:`tui_ipc.script.syntax.steps`.
    """
    return "".join(f"{line}\n" for step in script.steps for line in _lines(step, ""))


def duration(seconds: float) -> str:
    """The text of a duration, as a person would write it: ``500ms``, ``1.5s``, ``2m``."""
    unit, number = "s", seconds
    if seconds < 1:
        unit, number = "ms", round(seconds * 1000, 9)
    elif seconds % 60 == 0:
        unit, number = "m", seconds / 60
    text = _decimal(number)
    return text + unit if in_seconds(text, unit) == seconds else f"{_decimal(seconds)}s"


def _decimal(number: float) -> str:
    """A number without an exponent, which reads back."""
    text = repr(float(number)).removesuffix(".0")
    if "e" not in text:
        return text
    from decimal import Decimal  # nobody waits for a millionth of a second

    return format(Decimal(text), "f")


def _lines(step: Step, indent: str) -> list[str]:
    if not isinstance(step, Repeat):
        return [indent + _written(step)]
    inner = [line for each in step.steps for line in _lines(each, indent + _INDENT)]
    return [f"{indent}repeat {step.count}", *inner, f"{indent}end"]


def _written(step: Step) -> str:
    match step:
        case Spawn(command):
            return f"spawn {write_command(command)}"
        case Timeout(seconds):
            return f"timeout {duration(seconds)}"
        case Send(value):
            return f"> {render(value)}"
        case SendRaw(data):
            return f">raw {data.hex(' ')}"
        case Expect(value, within, skipping):
            return f"{'<~' if skipping else '<'} {render(value)}{_deadline(within)}"
        case ExpectNothing(within):
            return f"!<{_deadline(within)}"
        case ExpectOutput(stream, expression, within):
            return f"expect {stream} {render(Matching(expression))}{_deadline(within)}"
        case Sleep(seconds):
            return f"sleep {duration(seconds)}"
        case _:
            return _written_of_child(step)


def _written_of_child(step: Step) -> str:
    """The text of a step that is about the child itself, and not about what it says."""
    match step:
        case Signal(number):
            return f"signal {write_signal(number)}"
        case Restart():
            return "restart"
        case Quit():
            return "quit"
        case ExpectExit(code):
            return f"? exit {code}"
        case ExpectSignal(number):
            return f"? signal {write_signal(number)}"
        case ExpectClean():
            return "? clean"
        case _:
            raise TypeError(f"no step of this language: {step!r}")


def _deadline(within: float | None) -> str:
    return "" if within is None else f" within {duration(within)}"
