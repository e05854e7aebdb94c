"""The steps of a script: what each one is.

Steps are equal if they mean the same, wherever they are written in a script. ``Step`` is the closed union of
all steps: whoever tells them apart ends in ``assert_never``, so that the type checker lists each place that a
new step has to visit. Those are the line parser, the writer, and the runner.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from tui_ipc.events import Stream
from tui_ipc.script.language.commands import Word
from tui_ipc.script.language.scanner import ScriptSyntaxError
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
    """Wait for the next message, which must match; with ``skipping``, for the first message that matches.

    It may not come before ``at_least`` seconds have passed since the message that it answers.
    """

    value: Any
    within: float | None = None
    skipping: bool = False
    at_least: float | None = None


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
class ExpectNoOutput(_BaseStep):
    """A regular expression may not be found in the child's output; with None, there may be no output at all.

    Of what is printed, the part after the last match counts; see :class:`ExpectOutput`. Without ``within``
    an expression is searched for as long as a step may wait, and whether there is output is judged at once.
    """

    stream: Stream
    regex: Regex | None
    within: float | None = None
    raw: bool = False


@dataclass(frozen=True, slots=True)
class ExpectPercentile(_BaseStep):
    """So many percent of the answers in the ``repeat`` above took less than so many seconds."""

    percent: float
    seconds: float


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
    | ExpectNoOutput
    | ExpectPercentile
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


def iter_steps(steps: tuple[Step, ...]) -> Iterator[PlainStep]:
    """Iterate over all steps that are written, those in blocks once."""
    unseen = list(reversed(steps))
    while unseen:
        step = unseen.pop()
        if isinstance(step, Repeat):
            unseen += reversed(step.steps)
        else:
            yield step


def has_names(steps: tuple[Step, ...]) -> bool:
    """Whether any message that is sent has a name to be replaced."""
    sent = (step.value for step in iter_steps(steps) if isinstance(step, Send))
    return any(next(iter_placeholders(value), None) is not None for value in sent)
