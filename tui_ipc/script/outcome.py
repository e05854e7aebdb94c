"""How a script ended, and the exit code of a call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from tui_ipc.events import MessageReceived
from tui_ipc.osutil.signals import describe_exit, signal_name
from tui_ipc.script import SIGNAL_EXIT_BASE, ExitCode
from tui_ipc.script.output import OutputLostError
from tui_ipc.text.diff import Detail
from tui_ipc.text.units import format_plural


class Status(StrEnum):
    """What became of a script."""

    PASSED = "passed"
    FLAKY = "flaky"  # it passed, after it had failed
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one script ended.

    Attributes:
        name: The script's name.
        status: What became of it.
        code: The exit code that it asks for.
        total: The number of its steps, those of a ``repeat`` once a round.
        passed: The number of steps that passed.
        seconds: How long it took.
        line: The line at which it stopped, 0 if at none.
        column: The character of that line, 0 if it is about none.
        sentence: What happened there; empty if all steps passed.
        details: Titles and texts that help to understand it, in the order in which to read them; a text
            without a title marks characters of the text before it.
        unexpected: The first messages that no step took.
        unclaimed: The number of messages that no step took.
        updates: Line → the pattern that it should have, of a run that was to find that out.
        recording: The file that holds all that happened, None if it was not kept.
        complaint: What went wrong with our own files and not with the script; empty if nothing.
        failed_attempts: How it ended before it was run again.
        rewritten: What was changed in its file, in lines: a sentence, then the difference.
        stdout: The last lines that the child printed there; empty if no report needs them.
        stderr: Likewise.
    """

    name: str
    status: Status
    code: int = ExitCode.PASSED
    total: int = 0
    passed: int = 0
    seconds: float = 0.0
    line: int = 0
    column: int = 0
    sentence: str = ""
    details: tuple[Detail, ...] = ()
    unexpected: tuple[MessageReceived, ...] = field(default=(), repr=False)  # they may be large
    unclaimed: int = 0
    updates: Mapping[int, Any] = field(default_factory=dict)
    recording: str | None = None
    complaint: str = ""
    failed_attempts: tuple["Outcome", ...] = ()
    rewritten: tuple[str, ...] = ()
    stdout: str = ""
    stderr: str = ""

    @property
    def location(self) -> str:
        """``name:line`` or ``name:line:column``, as editors and log viewers look for it."""
        return ":".join([self.name, *(str(number) for number in (self.line, self.column) if number)])

    @property
    def reason(self) -> str:
        """Why it did not pass, in one sentence; empty if it did."""
        status = "" if self.status in (Status.PASSED, Status.FLAKY) else str(self.status)
        return self.sentence or self.complaint or status


class StepFailed(Exception):
    """A step did not pass; the text says why.

    Attributes:
        code: The exit code that it asks for.
        details: See :attr:`Outcome.details`.
    """

    def __init__(self, code: ExitCode, sentence: str, *details: Detail) -> None:
        super().__init__(sentence)
        self.code = code
        self.details = details


def describe_unclaimed(count: int) -> str:
    """Say that messages came that no step took."""
    return f"{format_plural(count, 'message')} came that no step took"


def make_interrupted_outcome(name: str, number: int, line: int, *, begun: bool) -> Outcome:
    """The outcome of a script that a signal ended at a line, or kept from beginning."""
    sentence = f"{signal_name(number)} came" + ("; the child was ended" if begun else "")
    return Outcome(name, Status.INTERRUPTED, SIGNAL_EXIT_BASE + number, line=line, sentence=sentence)


def make_lost_outcome(name: str, code: int) -> Outcome:
    """The outcome of a script whose process ended without one.

    Args:
        name: The script's name.
        code: The exit code of the process, or the negative number of the signal that ended it.
    """
    if code < 0:
        return make_interrupted_outcome(name, -code, 0, begun=True)
    sentence = f"the process that ran it {describe_exit(code, None)}"
    return Outcome(name, Status.INTERRUPTED, ExitCode.USAGE, sentence=sentence)


def make_output_lost_outcome(name: str, lost: OutputLostError) -> Outcome:
    """The outcome of a script whose events could not be reported; a reader that went away knows why."""
    return Outcome(name, Status.INTERRUPTED, lost.code, complaint="" if lost.closed else str(lost))


def highest_exit_code(outcomes: Iterable[Outcome]) -> int:
    """The exit code of a call: the highest that a script asks for."""
    return max((int(outcome.code) for outcome in outcomes), default=int(ExitCode.PASSED))


def count_by_status(outcomes: Iterable[Outcome]) -> dict[Status, int]:
    """The number of scripts with each status."""
    statuses = [outcome.status for outcome in outcomes]
    return {status: statuses.count(status) for status in Status}


def describe_attempts(outcome: Outcome) -> str:
    """Say at which attempt a flaky script passed; empty for all others."""
    if outcome.status is not Status.FLAKY:
        return ""
    failed = outcome.failed_attempts
    return f"flaky: passed at attempt {len(failed) + 1}, after: {failed[-1].location}: {failed[-1].reason}"


def add_complaint(outcome: Outcome, complaint: str) -> Outcome:
    """The outcome of a script for which a file of ours could not be written; if it failed, that stays."""
    if not complaint:
        return outcome
    status = Status.FAILED if outcome.status in (Status.PASSED, Status.FLAKY) else outcome.status
    return replace(outcome, complaint=complaint, status=status, code=outcome.code or ExitCode.USAGE)
