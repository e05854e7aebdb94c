"""The steps of a script: what each one is, and how it is written.

Steps are equal if they mean the same, wherever they are written in a script. ``Step`` is the closed union of
all steps: whoever tells them apart ends in ``assert_never``, so that the type checker lists each place that a
new step has to visit. Those are the line parser, :func:`write_script` here, and the runner.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, assert_never

from tui_ipc.events import Stream
from tui_ipc.script.language.commands import Word, write_command, write_signal
from tui_ipc.script.language.scanner import ScriptSyntaxError, to_seconds
from tui_ipc.script.language.values import render_pattern
from tui_ipc.text.notation import render_value
from tui_ipc.text.placeholders import Regex, fill_names, iter_placeholders


@dataclass(frozen=True, slots=True)
class _BaseStep:
    """What all steps have.

    Attributes:
        needs_child: Whether the step fails once the child has ended, so that it cannot follow the end.
        line: The number of its line, from 1; 0 if it was not read from a text.
        span: The columns of the step's value in that line, from 0, the second one excluded: a message, a
            pattern, a regular expression, an exit code. Both are 0 if the step has none.
    """

    needs_child: ClassVar[bool] = False
    line: int = field(default=0, compare=False, kw_only=True)
    span: tuple[int, int] = field(default=(0, 0), compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Set(_BaseStep):
    """Give a value a name, unless the call gives it another value; only before all other steps."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Spawn(_BaseStep):
    """The child's command, unless the command line gives another; only as the first step but ``set``."""

    command: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Timeout(_BaseStep):
    """The seconds that each later step may wait, unless it has a deadline of its own."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Strict(_BaseStep):
    """The script fails if, at its end, there are messages that no step took."""


@dataclass(frozen=True, slots=True)
class Send(_BaseStep):
    """Send ``value`` as a message; captured names in it are replaced by their values."""

    needs_child: ClassVar[bool] = True
    value: Any


@dataclass(frozen=True, slots=True)
class SendRaw(_BaseStep):
    """Send bytes as they are; they need not be a message."""

    needs_child: ClassVar[bool] = True
    data: bytes


@dataclass(frozen=True, slots=True)
class Expect(_BaseStep):
    """Wait for the next message, which must match; with ``skipping``, for the first message that matches."""

    value: Any
    within: float | None = None
    skipping: bool = False


@dataclass(frozen=True, slots=True)
class ExpectNothing(_BaseStep):
    """No message may come for so many seconds."""

    needs_child: ClassVar[bool] = True
    within: float | None = None


@dataclass(frozen=True, slots=True)
class ExpectOutput(_BaseStep):
    """A regular expression must be found in the child's output, after the place of the last match.

    With ``raw`` it is searched for in what the child printed, else in what a person sees of that.
    """

    stream: Stream
    regex: Regex
    within: float | None = None
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Sleep(_BaseStep):
    """Let so many seconds pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Signal(_BaseStep):
    """Send a signal to the child's process group."""

    needs_child: ClassVar[bool] = True
    number: int


@dataclass(frozen=True, slots=True)
class Restart(_BaseStep):
    """End the child as ``quit`` does, and begin the next run."""


@dataclass(frozen=True, slots=True)
class Quit(_BaseStep):
    """Tell the child to quit, and wait for its end."""

    needs_child: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class ExpectExit(_BaseStep):
    """The child must end by itself, or have ended, with this exit code."""

    code: int


@dataclass(frozen=True, slots=True)
class ExpectSignal(_BaseStep):
    """The child must end, or have ended, by this signal."""

    number: int


@dataclass(frozen=True, slots=True)
class ExpectClean(_BaseStep):
    """The child, once it has ended, must have left nothing behind."""


@dataclass(frozen=True, slots=True)
class Repeat(_BaseStep):
    """Do some steps so many times. Each round captures anew what is first captured in the block."""

    count: int
    steps: "tuple[Step, ...]"


ROUND: Final = "round"
"""The name of the number of the round within a ``repeat``, unless it has a value before."""

NO_VARIABLES: Final[Mapping[str, Any]] = {}

PlainStep = (
    Set
    | Spawn
    | Timeout
    | Strict
    | Send
    | SendRaw
    | Expect
    | ExpectNothing
    | ExpectOutput
    | Sleep
    | Signal
    | Restart
    | Quit
    | ExpectExit
    | ExpectSignal
    | ExpectClean
)
"""A step of one line, which the runner performs."""

Step = PlainStep | Repeat
"""Any step."""


@dataclass(frozen=True, slots=True)
class Script:
    """The steps of a script in their order.

    Attributes:
        name: Identifies it to people, usually the file's name.
        steps: Its steps.
        variables: The values of the names that it uses and does not capture.
        counts_rounds: Whether ``{{round}}`` is used for the number of the round.
        paths: What a word of its command is replaced by, because it is a path relative to the script.
        warnings: What in its text was probably not meant.
    """

    name: str
    steps: tuple[Step, ...]
    variables: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    counts_rounds: bool = field(default=False, compare=False)
    paths: Mapping[str, str] = field(default_factory=dict, compare=False)
    warnings: tuple[ScriptSyntaxError, ...] = field(default=(), compare=False, repr=False)

    @property
    def command(self) -> tuple[str, ...] | None:
        """The child's command, None if the script does not name one."""
        spawn = self.spawn
        if spawn is None:
            return None
        words = (fill_names(word, self.variables) for word in spawn.command)
        return tuple(self.paths.get(word, word) for word in words)

    @property
    def spawn(self) -> Spawn | None:
        """The step that starts the child, None if the script does not name a command."""
        first = next((step for step in self.steps if not isinstance(step, Set)), None)
        return first if isinstance(first, Spawn) else None


def count_steps(steps: tuple[Step, ...]) -> int:
    """Count the steps that are performed in all, those of a ``repeat`` once for each round."""
    number = 0
    uncounted = [(steps, 1)]
    while uncounted:
        block, rounds = uncounted.pop()
        for step in block:
            if isinstance(step, Repeat):
                uncounted.append((step.steps, rounds * step.count))
            else:
                number += rounds
    return number


def has_names(steps: tuple[Step, ...]) -> bool:
    """Whether any message that is sent has a name to be replaced."""
    unseen = list(steps)
    while unseen:
        step = unseen.pop()
        if isinstance(step, Repeat):
            unseen += step.steps
        elif isinstance(step, Send) and next(iter_placeholders(step.value), None) is not None:
            return True
    return False


GRAMMAR: Final = """\
A script is a transcript, one step a line; # begins a comment.

  set NAME VALUE         a value for {{NAME}}, unless --set NAME=VALUE does;
                         only before all other steps
  spawn COMMAND ARGS     the child, unless the command line names one after --;
                         only as the first step
  timeout DURATION       how long a later step may wait: 500ms, 2s, 1.5s, 1m
  strict                 a message that no step takes is a failure

  > VALUE                send a message
  >raw HEX               send bytes as they are: 93 01 02
  < PATTERN              the next message matches
  <~ PATTERN             skip messages until one matches
  !<                     no message comes
  expect stdout /re/     the child prints what matches, or: expect stderr /re/
    raw before /re/      keeps colours and control characters in what is printed
    within DURATION      may end a line of these four

  sleep DURATION         let time pass
  signal NAME            send the child a signal: SIGTERM
  restart                end the child and begin its next run
  repeat N ... end       do the steps on the lines between, N times
  quit                   tell the child to end; implied at the end

  ? exit CODE            the child ends, or has ended, with this exit code
  ? signal NAME          or by this signal
  ? clean                and leaves nothing behind

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


def write_script(script: Script) -> str:
    """The text of a script, one step a line; ``parser.parse_script`` gives the script back."""
    return "".join(f"{line}\n" for step in script.steps for line in _write_lines(step, ""))


def _write_lines(step: Step, indent: str) -> list[str]:
    if not isinstance(step, Repeat):
        return [indent + write_step(step)]
    inner = [line for each in step.steps for line in _write_lines(each, indent + _INDENT)]
    return [f"{indent}repeat {step.count}", *inner, f"{indent}end"]


def write_step(step: PlainStep) -> str:  # noqa: PLR0912 - one branch for each step
    """The text of a step that is not a block."""
    match step:
        case Set(name, value):
            text = f"set {name} {render_pattern(value)}"
        case Spawn(command):
            text = f"spawn {write_command(command)}"
        case Timeout(seconds):
            text = f"timeout {write_duration(seconds)}"
        case Strict():
            text = "strict"
        case Send(value):
            text = f"> {render_pattern(value)}"
        case SendRaw(data):
            text = f">raw {data.hex(' ')}"
        case Expect(value, within, skipping):
            text = f"{'<~' if skipping else '<'} {render_pattern(value)}{_write_deadline(within)}"
        case ExpectNothing(within):
            text = f"!<{_write_deadline(within)}"
        case ExpectOutput(stream, regex, within, raw):
            what = f"{stream} raw" if raw else stream
            text = f"expect {what} {render_value(regex)}{_write_deadline(within)}"
        case Sleep(seconds):
            text = f"sleep {write_duration(seconds)}"
        case Signal(number):
            text = f"signal {write_signal(number)}"
        case Restart():
            text = "restart"
        case Quit():
            text = "quit"
        case ExpectExit(code):
            text = f"? exit {code}"
        case ExpectSignal(number):
            text = f"? signal {write_signal(number)}"
        case ExpectClean():
            text = "? clean"
        case _:
            assert_never(step)
    return text


def _write_deadline(within: float | None) -> str:
    return "" if within is None else f" within {write_duration(within)}"


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
