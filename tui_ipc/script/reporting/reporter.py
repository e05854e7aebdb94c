"""Who is told how several scripts go, while they go.

The one rule: a reporter only tells. What it is told is decided, and it can change none of it.
"""

from collections.abc import Sequence
from typing import Protocol

from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.language import Script
from tui_ipc.script.reporting.console import Console
from tui_ipc.script.reporting.outcome import Outcome
from tui_ipc.script.reporting.report import story, summary
from tui_ipc.script.reporting.transcript import Transcript
from tui_ipc.session.events import Event


class Reporter(Protocol):
    """Told of each thing in its order. Each call raises ``SinkLostError`` if it cannot be told on."""

    async def begin(self, scripts: Sequence[Script], /) -> None:
        """These scripts will be run."""

    async def begin_script(self, script: Script, command: Sequence[str], total: int, /) -> None:
        """A script begins, with a child of that command; so many steps are due."""

    async def tell(self, event: Event) -> None:
        """Something happened in the script that is run."""

    async def end_script(self, outcome: Outcome) -> None:
        """A script ended, or was not begun at all."""

    async def end(self, outcomes: Sequence[Outcome]) -> None:
        """All is over."""


class Narrator:
    """Tells people: what the child prints, and on standard error how each script ended.

    Args:
        console: Where to.
        narrated: Whether the built-in conversation is run, in which the parent has words of its own, and
            success needs none.
        taken: Whether standard output belongs to somebody else.
    """

    def __init__(self, console: Console, *, narrated: bool, taken: bool) -> None:
        self._console = console
        self._narrated = narrated
        self._taken = taken
        self._transcript: Transcript | None = None

    async def begin(self, _scripts: Sequence[Script]) -> None:
        """There is nothing to say yet."""

    async def begin_script(self, script: Script, _command: Sequence[str], _total: int) -> None:
        """Be ready to tell what happens."""
        console = self._console
        self._transcript = Transcript(console, name=script.name, narrated=self._narrated, taken=self._taken)

    async def tell(self, event: Event) -> None:
        """Tell what the child prints, and what is worth a look."""
        if self._transcript is not None:
            await self._transcript.tell(event)

    async def end_script(self, outcome: Outcome) -> None:
        """Tell how it ended."""
        if self._narrated and outcome.code == ExitCode.PASSED:
            return
        for line in story(outcome, self._console.paint):
            await self._console.line(self._console.stderr, line)

    async def end(self, outcomes: Sequence[Outcome]) -> None:
        """Sum up, if there is a sum."""
        if len(outcomes) > 1:
            await self._console.line(self._console.stderr, summary(outcomes, self._console.paint))
