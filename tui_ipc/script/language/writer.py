"""Steps to the text of a script, which reads back. Pure."""

from typing import Final

from tui_ipc.script.language.scanner import to_seconds
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
    Timeout,
)
from tui_ipc.script.language.values import write_command, write_signal
from tui_ipc.text.notation import render_value
from tui_ipc.text.placeholders import Regex

_INDENT: Final = "  "


def write(script: Script) -> str:
    """The text of a script, one step a line; ``language.parser.parse`` gives the script back.

    Raises:
        TypeError: A step is none of :mod:`tui_ipc.script.language.steps`.
    """
    return "".join(f"{line}\n" for step in script.steps for line in _write_lines(step, ""))


def write_duration(seconds: float) -> str:
    """The text of a duration, as a person would write it: ``500ms``, ``1.5s``, ``2m``."""
    unit, number = "s", seconds
    if seconds < 1:
        unit, number = "ms", round(seconds * 1000, 9)
    elif seconds % 60 == 0:
        unit, number = "m", seconds / 60
    text = _write_decimal(number)
    return text + unit if to_seconds(text, unit) == seconds else f"{_write_decimal(seconds)}s"


def _write_decimal(number: float) -> str:
    """A number without an exponent, which reads back."""
    text = repr(float(number)).removesuffix(".0")
    if "e" not in text:
        return text
    from decimal import Decimal  # nobody waits for a millionth of a second

    return format(Decimal(text), "f")


def _write_lines(step: Step, indent: str) -> list[str]:
    if not isinstance(step, Repeat):
        return [indent + _write_step(step)]
    inner = [line for each in step.steps for line in _write_lines(each, indent + _INDENT)]
    return [f"{indent}repeat {step.count}", *inner, f"{indent}end"]


def _write_step(step: Step) -> str:
    match step:
        case Spawn(command):
            return f"spawn {write_command(command)}"
        case Timeout(seconds):
            return f"timeout {write_duration(seconds)}"
        case Send(value):
            return f"> {render_value(value)}"
        case SendRaw(data):
            return f">raw {data.hex(' ')}"
        case Expect(value, within, skipping):
            return f"{'<~' if skipping else '<'} {render_value(value)}{_write_deadline(within)}"
        case ExpectNothing(within):
            return f"!<{_write_deadline(within)}"
        case ExpectOutput(stream, expression, within):
            return f"expect {stream} {render_value(Regex(expression))}{_write_deadline(within)}"
        case Sleep(seconds):
            return f"sleep {write_duration(seconds)}"
        case _:
            return _write_child_step(step)


def _write_child_step(step: Step) -> str:
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


def _write_deadline(within: float | None) -> str:
    return "" if within is None else f" within {write_duration(within)}"
