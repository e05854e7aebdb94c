"""What a script consists of: its steps, as facts. Pure.

The one rule: two steps are equal if they mean the same; where they stand in a text is no part of that.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from tui_ipc.events import Stream


@dataclass(frozen=True, slots=True)
class Step:
    """One line that does something.

    Attributes:
        line: Where it stands, from 1; 0 if in no text.
        span: The columns in that line, from 0, in which the step's value stands: a message, a pattern, a
            regular expression, an exit code. It ends before the second. Both are 0 if there is none.
    """

    line: int = field(default=0, compare=False, kw_only=True)
    span: tuple[int, int] = field(default=(0, 0), compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Spawn(Step):
    """The child's command, unless the command line gives another; only as the first step."""

    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Timeout(Step):
    """How many seconds each later step may wait, unless it says otherwise."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Send(Step):
    """Send ``value`` as a message; names captured before stand for their values."""

    value: Any


@dataclass(frozen=True, slots=True)
class SendRaw(Step):
    """Send bytes as they are, which need not be a message."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Expect(Step):
    """Wait for the next message, or with ``skipping`` for one further on; it must match the pattern."""

    value: Any
    within: float | None = None
    skipping: bool = False


@dataclass(frozen=True, slots=True)
class ExpectNothing(Step):
    """No message may come for so many seconds."""

    within: float | None = None


@dataclass(frozen=True, slots=True)
class ExpectOutput(Step):
    """The child must print text in which a regular expression is found, behind what was found before."""

    stream: Stream
    expression: str
    within: float | None = None


@dataclass(frozen=True, slots=True)
class Sleep(Step):
    """Let so many seconds pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Signal(Step):
    """Send a signal to the child's process group."""

    number: int


@dataclass(frozen=True, slots=True)
class Restart(Step):
    """End the child as quit does, and begin the next run."""


@dataclass(frozen=True, slots=True)
class Repeat(Step):
    """Do some steps so many times. Each round captures anew what is first captured in the block."""

    count: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Quit(Step):
    """Tell the child to quit, and see it end."""


@dataclass(frozen=True, slots=True)
class ExpectExit(Step):
    """The child must end by itself, or have ended, with this exit code."""

    code: int


@dataclass(frozen=True, slots=True)
class ExpectSignal(Step):
    """The child must be ended, or have been ended, by this signal."""

    number: int


@dataclass(frozen=True, slots=True)
class ExpectClean(Step):
    """The child, once it ended, must have left nothing behind."""


@dataclass(frozen=True, slots=True)
class Script:
    """The steps of a script in their order; ``name`` is what a person calls it, the file's name as a rule."""

    name: str
    steps: tuple[Step, ...]

    @property
    def command(self) -> tuple[str, ...] | None:
        """The child's command if the script tells one."""
        first = self.steps[0] if self.steps else None
        return first.command if isinstance(first, Spawn) else None


GRAMMAR: Final = """\
A script is a transcript, one step a line; # begins a comment.

  spawn COMMAND ARGS     the child, unless the command line names one behind --;
                         only as the first step
  timeout DURATION       how long a later step may wait: 500ms, 2s, 1.5s, 1m

  > VALUE                send a message
  >raw HEX               send bytes as they are: 93 01 02
  < PATTERN              the next message matches
  <~ PATTERN             skip messages until one matches
  !<                     no message comes
  expect stdout /re/     the child prints what matches, or: expect stderr /re/
    within DURATION      may end a line of these four

  sleep DURATION         let time pass
  signal NAME            send the child a signal: SIGTERM
  restart                end the child and begin its next run
  repeat N ... end       do the steps on the lines between, N times
  quit                   tell the child to end; implied at the end

  ? exit CODE            the child ends, or has ended, with this exit code
  ? signal NAME          or by this signal
  ? clean                and leaves nothing behind

A VALUE is JSON, a Python literal such as b"\\x00", or a text that is itself.
{{name}} in it stands for what was captured. A PATTERN is a VALUE that may hold
  ...                    anything; any further items in [ ], entries in { }
  /re/                   a string in which the regular expression is found
  {{name}}               one value, and its name from then on; {{_}} names none
"""
