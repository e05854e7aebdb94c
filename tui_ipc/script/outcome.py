"""How one script of a call went: what every report tells, each in its own form. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.session.events import MessageReceived


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


def exit_code(outcomes: Iterable[Outcome]) -> int:
    """The exit code of a call: the highest one that a script asks for."""
    return max((int(outcome.code) for outcome in outcomes), default=int(ExitCode.PASSED))


def counted(outcomes: Iterable[Outcome]) -> dict[Status, int]:
    """How many scripts came to which end, each status named."""
    statuses = [outcome.status for outcome in outcomes]
    return {status: statuses.count(status) for status in Status}
