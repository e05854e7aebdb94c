"""Writes steps as the text of a script; has the grammar, for the help."""

from typing import Final, assert_never

from tui_ipc.script.language import steps as st
from tui_ipc.script.language.commands import write_command, write_signal
from tui_ipc.script.language.scanner import to_seconds
from tui_ipc.script.language.values import render_pattern
from tui_ipc.text.notation import render_value

GRAMMAR: Final = """\
A script is a transcript, one step a line; # begins a comment.

  set NAME VALUE         what {{NAME}} is, unless --set NAME=VALUE says it;
                         only before all other steps
  spawn COMMAND ARGS     the child, unless the command line names one after --;
                         ./ and ../ begin at the script's directory
  timeout DURATION       how long a later step may wait: 500ms, 2s, 1.5s, 1m
  strict                 a message that no step takes is a failure

  > VALUE                send a message
  >raw HEX               send bytes as they are: 93 01 02
  < PATTERN              the next message matches
  <~ PATTERN             skip messages until one matches
  !<                     no message comes
  expect stdout /re/     the child prints what matches, or: expect stderr /re/
  !expect stdout /re/    it does not; expect stderr empty: it printed nothing
    raw before /re/      keeps colours and control characters in what is printed
    within DURATION      may end these lines; < and <~ also take 1s..2s

  sleep DURATION         let time pass
  signal NAME            send the child a signal: SIGTERM
  restart                end the child and begin its next run
  repeat N ... end       do the steps on the lines between, N times
  quit                   tell the child to end; implied at the end

  ? exit CODE            the child ends, or has ended, with this exit code
  ? signal NAME          or by this signal
  ? clean                and leaves nothing behind
  ? p99 < DURATION       99 % of the answers in the repeat above took less time

A VALUE is JSON, a Python literal such as b"\\x00", or plain text.
{{name}} in it, also within a string, stands for what was captured or set;
{{env.NAME}} for a variable of the environment, {{round}} for the number of the
round in a repeat. A PATTERN is a VALUE that may hold
  ...                    anything; any further items in [ ], entries in { }
  /re/                   a string in which the regular expression is found;
                         (?P<name>re) in it captures a part
  {{name}}               one value, and its name from then on; {{_}} names none
  {{name: CONDITION}}    one value that meets each condition; | separates
                         alternatives: {{id: int 1..9 | null}}
A CONDITION is a PATTERN, or
  int float number string bool bytes list map timestamp     a type
  1..9  1..  ..9  3.14 +- 0.01        a number in this range
  length 3  length 1..9               of a string, bytes, a list or a map
  unordered [PATTERN, ...]            these items, in any order
  each PATTERN                        all items, or all values whatever the keys
"""


_INDENT: Final = "  "


def write_script(script: st.Script) -> str:
    """The text of a script, one step a line; ``parser.parse_script`` gives the script back."""
    return "".join(f"{line}\n" for step in script.steps for line in _write_lines(step, ""))


def _write_lines(step: st.Step, indent: str) -> list[str]:
    if not isinstance(step, st.Repeat):
        return [indent + write_step(step)]
    inner = [line for each in step.steps for line in _write_lines(each, indent + _INDENT)]
    return [f"{indent}repeat {step.count}", *inner, f"{indent}end"]


def write_step(step: st.PlainStep) -> str:  # noqa: PLR0912, PLR0915 - one branch for each step
    """The text of a step that is not a block."""
    match step:
        case st.Set(name, value):
            text = f"set {name} {render_pattern(value)}"
        case st.Spawn(command):
            text = f"spawn {write_command(command)}"
        case st.Timeout(seconds):
            text = f"timeout {write_duration(seconds)}"
        case st.Strict():
            text = "strict"
        case st.Send(value):
            text = f"> {render_pattern(value)}"
        case st.SendRaw(data):
            text = f">raw {data.hex(' ')}"
        case st.Expect(value, within, skipping, at_least):
            mark = "<~" if skipping else "<"
            text = f"{mark} {render_pattern(value)}{_write_deadline(within, at_least)}"
        case st.ExpectNothing(within):
            text = f"!<{_write_deadline(within)}"
        case st.ExpectOutput(stream, regex, within, raw):
            what = f"{stream} raw" if raw else stream
            text = f"expect {what} {render_value(regex)}{_write_deadline(within)}"
        case st.ExpectNoOutput(stream, None, within, _):
            text = f"expect {stream} empty{_write_deadline(within)}"
        case st.ExpectNoOutput(stream, regex, within, raw):
            what = f"{stream} raw" if raw else stream
            text = f"!expect {what} {render_value(regex)}{_write_deadline(within)}"
        case st.ExpectPercentile(percent, seconds):
            text = f"? p{_write_decimal(percent)} < {write_duration(seconds)}"
        case st.Sleep(seconds):
            text = f"sleep {write_duration(seconds)}"
        case st.Signal(number):
            text = f"signal {write_signal(number)}"
        case st.Restart():
            text = "restart"
        case st.Quit():
            text = "quit"
        case st.ExpectExit(code):
            text = f"? exit {code}"
        case st.ExpectSignal(number):
            text = f"? signal {write_signal(number)}"
        case st.ExpectClean():
            text = "? clean"
        case _:
            assert_never(step)
    return text


def _write_deadline(within: float | None, at_least: float | None = None) -> str:
    least = "" if at_least is None else f"{write_duration(at_least)}.."
    most = "" if within is None else write_duration(within)
    return f" within {least}{most}" if least or most else ""


def write_duration(seconds: float) -> str:
    """The text of a duration, as a person would write it: ``500ms``, ``1.5s``, ``2m``."""
    unit, number = "s", seconds
    if seconds < 1:
        unit, number = "ms", round(seconds * 1000, 9)
    elif seconds % 60 == 0:
        unit, number = "m", seconds / 60
    text = _write_decimal(number)
    # A product or quotient of floats may not read back exactly; seconds as they are always do.
    return text + unit if to_seconds(text, unit) == seconds else f"{_write_decimal(seconds)}s"


def _write_decimal(number: float) -> str:
    """A number without an exponent, which a script cannot have."""
    text = repr(float(number)).removesuffix(".0")
    if "e" not in text:
        return text
    from decimal import Decimal  # only for durations of less than a tenth of a millisecond

    return format(Decimal(text), "f")
