"""What scripts do, as lines of JSON, for programs. RECORDING.md tells what each line holds.

The one rule: a reader that takes the lines one by one knows at each what it belongs to, and the last line
says how it all ended.
"""

import json
from collections.abc import Sequence
from typing import Any

from tui_ipc import __version__
from tui_ipc.events import AnyEvent
from tui_ipc.events.json_form import SCHEMA_VERSION, fields
from tui_ipc.script.language.steps import Script
from tui_ipc.script.outcome import Outcome, Status, count_by_status, highest_exit_code
from tui_ipc.script.report.console import Console
from tui_ipc.text.notation import render_value


class JsonlReporter:
    """Writes the lines, to standard output.

    Args:
        console: Whose.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._script = 0

    async def begin(self, scripts: Sequence[Script]) -> None:
        """Tell what will be run.

        Raises:
            OutputLostError: Standard output takes nothing more; so does each of the others.
        """
        names = [script.name for script in scripts]
        await self._line("scripts-begin", program=f"tui-ipc {__version__}", scripts=names)

    async def begin_script(self, script: Script, command: Sequence[str], total: int) -> None:
        """Tell which script begins, and with which child."""
        self._script += 1
        await self._line(
            "script-begin", script=self._script, name=script.name, command=[*command], steps=total
        )

    async def tell(self, event: AnyEvent) -> None:
        """Tell an event of the script that is run."""
        await self._write(fields(event) | {"script": self._script})

    async def end_script(self, outcome: Outcome) -> None:
        """Tell how a script ended; one that was not run has no beginning."""
        if outcome.status is Status.NOT_RUN:
            self._script += 1
        await self._line("script-end", script=self._script, **_outcome_members(outcome))

    async def end(self, outcomes: Sequence[Outcome]) -> None:
        """Tell how it all ended."""
        numbers = {
            str(status).replace(" ", "-"): number for status, number in count_by_status(outcomes).items()
        }
        seconds = round(sum(outcome.seconds for outcome in outcomes), 6)
        await self._line(
            "summary", code=highest_exit_code(outcomes), scripts=len(outcomes), **numbers, seconds=seconds
        )

    async def _line(self, event: str, **members: Any) -> None:
        await self._write({"schema": SCHEMA_VERSION, "event": event, **members})

    async def _write(self, members: dict[str, Any]) -> None:
        text = json.dumps(members, ensure_ascii=True, allow_nan=False)
        await self._console.write(self._console.stdout, text.encode("ascii") + b"\n")


def _outcome_members(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "status": str(outcome.status).replace(" ", "-"),
        "code": int(outcome.code),
        "steps": outcome.total,
        "passed": outcome.passed,
        "seconds": round(outcome.seconds, 6),
        "line": outcome.line or None,
        "sentence": outcome.sentence or outcome.complaint,
        "details": [{"title": title, "text": text} for title, text in outcome.details],
        "unclaimed": outcome.unclaimed,
        "unexpected": [
            {"number": message.number, "text": render_value(message.value)} for message in outcome.unexpected
        ],
        "recording": outcome.recording,
    }
