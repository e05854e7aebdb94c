"""The reports of a call: of which kinds, and where they go.

The one rule: a report that cannot be written costs none of the others.
"""

import asyncio
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.reporting import report_file
from tui_ipc.script.reporting.junit import junit
from tui_ipc.script.reporting.outcome import Outcome
from tui_ipc.script.reporting.report_file import ReportError
from tui_ipc.script.reporting.tails import Tails
from tui_ipc.script.reporting.tap import tap
from tui_ipc.script.sink import Sink, SinkLostError

STANDARD_OUTPUT = "-"
"""The file that is none."""


class Reports:
    """Writes reports once all scripts ended.

    Args:
        wanted: Kinds, ``junit`` or ``tap``, and files.
        sources: Files that no report may overwrite.

    Attributes:
        on_stdout: Whether one goes to standard output.
        tails: Makes what keeps the end of a child's output, None if no report tells that.

    Raises:
        ReportError: One of them cannot be written.
    """

    def __init__(self, wanted: Sequence[tuple[str, str]], sources: Iterable[str]) -> None:
        self.on_stdout = any(file == STANDARD_OUTPUT for _, file in wanted)
        self.tails = Tails if any(kind == "junit" for kind, _ in wanted) else None
        self._wanted = sorted(wanted, key=lambda each: each[1] == STANDARD_OUTPUT)  # a slow reader comes last
        self._began = datetime.now(UTC)
        for _, file in wanted:
            if file != STANDARD_OUTPUT:
                report_file.claim(file, sources)

    def write(self, outcomes: Sequence[Outcome]) -> tuple[int, list[str]]:
        """Write all that can be written.

        Returns:
            The exit code that it asks for, and of each that cannot be written, why.
        """
        code, complaints = int(ExitCode.PASSED), []
        for kind, file in self._wanted:
            text = tap(outcomes) if kind == "tap" else junit(outcomes, self._began)
            try:
                if file == STANDARD_OUTPUT:
                    asyncio.run(Sink(sys.stdout).write(text.encode()))
                else:
                    report_file.write(file, text)
            except ReportError as error:
                code = max(code, ExitCode.USAGE)
                complaints.append(str(error))
            except SinkLostError as error:
                code = max(code, error.code)
                complaints += [] if error.closed else [str(error)]
        return code, complaints
