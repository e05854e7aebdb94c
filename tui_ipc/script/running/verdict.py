"""How a script ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.session.events import MessageReceived

Detail = tuple[str, str]
"""A title and a line of text. One without a title marks, by its ``^``, characters of the line above it."""


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


class Stop(Exception):
    """A step did not pass; the text says why.

    Attributes:
        code: What the script's exit code is to be.
        details: What helps to understand it.
    """

    def __init__(self, code: ExitCode, sentence: str, *details: Detail) -> None:
        super().__init__(sentence)
        self.code = code
        self.details = details
