"""Scripts from the command line to their exit code.

The one rule: whatever cannot be read or written is told before a child is run; and whatever happens then, the
reports are written and one exit code says how it went.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tui_ipc.script.asides import say
from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.language import Script
from tui_ipc.script.relay import visible
from tui_ipc.script.reporting.console import Console
from tui_ipc.script.reporting.outcome import Outcome
from tui_ipc.script.reporting.reporter import Narrator, Reporter
from tui_ipc.script.suite import Suite, child

if TYPE_CHECKING:
    from tui_ipc.script.keeping import Keeping
    from tui_ipc.script.reporting.reports import Reports


class _RefusedError(Exception):
    """Nothing can be run as it was asked for; the text says why."""


def run_headless(
    files: Sequence[str],
    command: Sequence[str] | None,
    *,
    record: str | None = None,
    record_failures: str | None = None,
    format_: str = "text",
    reports: Sequence[tuple[str, str]] = (),
    update: bool = False,
    **options: Any,
) -> int:
    """Run scripts and say how it went.

    Args:
        files: Paths, ``-`` for standard input; none for the built-in conversation.
        command: The children's command; None for the one that a script names, or else the built-in child.
        record: Path of a file to write every event of the only script to, None for none.
        record_failures: Directory to keep a recording of each script that fails in, None for none.
        format_: ``jsonl`` for all that happens as lines of JSON on standard output, ``text`` for what the
            children print.
        reports: Kinds and files of reports to write.
        update: Whether to rewrite what scripts expect, in their files, by what comes.
        options: As :class:`~tui_ipc.script.suite.Suite` takes them.

    Returns:
        An exit code of :mod:`tui_ipc.script.exit_codes`: the highest of those that the scripts ask for.
    """
    try:
        scripts = _scripts(files)
        written = _reports(reports, files)
        keeping = _keeping(record, record_failures, child(scripts[0], command))
    except _RefusedError as error:
        say(str(error))
        return ExitCode.USAGE
    console = Console(sys.stdout, sys.stderr, os.environ, status=format_ == "text")
    taken = format_ == "jsonl" or (written is not None and written.on_stdout)
    reporters: list[Reporter] = [Narrator(console, narrated=not files, taken=taken)]
    if format_ == "jsonl":
        from tui_ipc.script.reporting.results import Results

        reporters.append(Results(console))
    if written is not None:
        options["tails"] = written.tails
    suite = Suite(
        scripts, command, console=console, reporters=reporters, keeping=keeping, updating=update, **options
    )
    outcomes = asyncio.run(suite.run())
    code = suite.code
    if update:
        code = max(code, _renew(files, scripts, outcomes))
    if written is not None:
        asked, complaints = written.write(outcomes)
        code = max(code, asked)
        say(*(f"tui-ipc: {visible(complaint)}" for complaint in complaints))
    return code


def _scripts(files: Sequence[str]) -> Sequence[Script]:
    if not files:
        from tui_ipc.script.seed import conversation

        return (conversation(),)
    from tui_ipc.script.loading import UnreadableScriptsError, load

    try:
        return load(files)
    except UnreadableScriptsError as error:
        raise _RefusedError(str(error)) from None


def _reports(wanted: Sequence[tuple[str, str]], sources: Sequence[str]) -> "Reports | None":
    """What writes the reports, None if none is wanted."""
    if not wanted:
        return None
    from tui_ipc.script.reporting.report_file import ReportError
    from tui_ipc.script.reporting.reports import Reports

    try:
        return Reports(wanted, sources)
    except ReportError as error:
        raise _RefusedError(visible(f"tui-ipc: {error}")) from None


def _renew(files: Sequence[str], scripts: Sequence[Script], outcomes: Sequence[Outcome]) -> int:
    """Rewrite what is to be rewritten, and tell it; the exit code that asks for."""
    from tui_ipc.script.files import UnwritableScriptError
    from tui_ipc.script.rewriting import renew

    code = ExitCode.PASSED
    for file, script, outcome in zip(files, scripts, outcomes, strict=True):
        try:
            if told := renew(file, script, outcome):
                say(f"{script.name}: {told}")
        except UnwritableScriptError as error:
            code = ExitCode.USAGE
            say(visible(f"tui-ipc: {error}"))
    return code


def _keeping(record: str | None, directory: str | None, command: Sequence[str]) -> "Keeping | None":
    """What records, None if nothing is to be recorded."""
    if record is None and directory is None:
        return None
    from tui_ipc.script.keeping import FailureRecordings, OneRecording
    from tui_ipc.session.recording import RecordingError

    try:
        if directory is not None:
            return FailureRecordings(directory)
        return OneRecording(str(record), command)
    except RecordingError as error:
        raise _RefusedError(visible(f"tui-ipc: {error}")) from None
