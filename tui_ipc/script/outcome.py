"""How a script ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tui_ipc.events import MessageReceived
from tui_ipc.osutil.signals import signal_name
from tui_ipc.script.exit_codes import SIGNAL_EXIT_BASE, ExitCode
from tui_ipc.script.output import OutputLostError
from tui_ipc.text.diff import Detail


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a script ended.

    Attributes:
        code: The exit code that says so.
        seconds: How long it took.
        passed: Steps that passed, each as often as it did.
        line: Where it stopped, 0 if at no line.
        sentence: What happened there; empty if all passed.
        details: What helps to understand it, in the order in which to read it.
        unexpected: The first messages that no step took.
        untaken: How many there were in all.
        total: Steps that would have passed.
        updates: Line → the pattern that it should have, of a run that was to find that out.
    """

    code: ExitCode
    seconds: float
    passed: int = 0
    line: int = 0
    sentence: str = ""
    details: tuple[Detail, ...] = ()
    unexpected: tuple[MessageReceived, ...] = field(default=(), repr=False)  # they may be large
    untaken: int = 0
    total: int = 0
    updates: Mapping[int, Any] = field(default_factory=dict)


class StepFailed(Exception):
    """A step did not pass; the text says why.

    Attributes:
        code: What the script's exit code is to be.
        details: What helps to understand it.
    """

    def __init__(self, code: ExitCode, sentence: str, *details: Detail) -> None:
        super().__init__(sentence)
        self.code = code
        self.details = details


class Status(StrEnum):
    """What became of a script, in a word."""

    PASSED = "passed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one script of a call went.

    Attributes:
        name: The script's.
        status: What became of it.
        code: The exit code that it asks for.
        total: Steps that were due, each as often as it is repeated.
        passed: Steps that passed.
        seconds: How long it took.
        line: Where it stopped, 0 if at no line.
        sentence: What happened there; empty if all passed.
        details: Title and text of what helps to understand it; one without a title belongs to the one before
            it, and marks characters of it.
        unexpected: The first messages that no step took.
        untaken: How many there were in all.
        updates: What the lines of a script would have to expect, by their numbers.
        recording: The file that holds all that happened, None if it was not kept.
        complaint: What went wrong with us and not with the script; empty if nothing.
        stdout: The last lines that the child printed there; empty if nobody wants to know.
        stderr: Likewise.
    """

    name: str
    status: Status
    code: int = ExitCode.PASSED
    total: int = 0
    passed: int = 0
    seconds: float = 0.0
    line: int = 0
    sentence: str = ""
    details: tuple[tuple[str, str], ...] = ()
    unexpected: tuple[MessageReceived, ...] = ()
    untaken: int = 0
    updates: Mapping[int, Any] = field(default_factory=dict)
    recording: str | None = None
    complaint: str = ""
    stdout: str = ""
    stderr: str = ""

    @property
    def place(self) -> str:
        """Where it stopped, as editors and log viewers look for it."""
        return f"{self.name}:{self.line}" if self.line else self.name

    @property
    def reason(self) -> str:
        """Why it did not pass, in few words; empty if it did."""
        status = "" if self.status is Status.PASSED else str(self.status)
        return self.sentence or self.complaint or status


def outcome_from_verdict(name: str, verdict: Verdict) -> Outcome:
    """The outcome of a script that was run to its end, or to where it failed."""
    return Outcome(
        name,
        Status.FAILED if verdict.code else Status.PASSED,
        verdict.code,
        line=verdict.line,
        sentence=verdict.sentence,
        details=verdict.details,
        unexpected=verdict.unexpected,
        untaken=verdict.untaken,
        updates=verdict.updates,
    )


def make_interrupted_outcome(name: str, number: int, line: int, *, begun: bool) -> Outcome:
    """The outcome of a script that a signal ended, at some line, or kept from having a child at all."""
    sentence = f"{signal_name(number)} came" + ("; the child was ended" if begun else "")
    return Outcome(name, Status.INTERRUPTED, SIGNAL_EXIT_BASE + number, line=line, sentence=sentence)


def make_output_lost_outcome(name: str, lost: OutputLostError) -> Outcome:
    """The outcome of a script that could not be told on; a reader that went away knows why."""
    return Outcome(name, Status.INTERRUPTED, lost.code, complaint="" if lost.closed else str(lost))


def highest_exit_code(outcomes: Iterable[Outcome]) -> int:
    """The exit code of a call: the highest one that a script asks for."""
    return max((int(outcome.code) for outcome in outcomes), default=int(ExitCode.PASSED))


def count_by_status(outcomes: Iterable[Outcome]) -> dict[Status, int]:
    """How many scripts came to which end, each status named."""
    statuses = [outcome.status for outcome in outcomes]
    return {status: statuses.count(status) for status in Status}
