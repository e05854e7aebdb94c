"""The conversation that this project grew from."""

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.language.steps import Expect, Quit, Script, Send, Step
from tui_ipc.script.outcome import Outcome
from tui_ipc.script.output import write_stderr
from tui_ipc.script.report.console import Console
from tui_ipc.script.report.passthrough import visible
from tui_ipc.script.report.text_report import Reporter, TextReporter
from tui_ipc.script.suite import Suite, choose_command
from tui_ipc.session.run import SessionOptions
from tui_ipc.text.placeholders import ANY_REST

if TYPE_CHECKING:
    from tui_ipc.script.recording_policy import RecordingPolicy
    from tui_ipc.script.report.report_files import ReportFiles


BUILTIN_MESSAGES: Final = ("Hello from parent", "How are you?", "Goodbye!")


def builtin_script() -> Script:
    """Three messages, each sent once the one before was answered, whatever the answer; then quit."""
    steps: list[Step] = []
    for text in BUILTIN_MESSAGES:
        steps += (Send(text), Expect(ANY_REST))
    return Script("tui-ipc", (*steps, Quit()))


class _UsageError(Exception):
    """Nothing can be run as it was asked for; the text says why."""


def run_headless(
    files: Sequence[str],
    command: Sequence[str] | None,
    session_options: SessionOptions,
    *,
    record: str | None = None,
    record_failures: str | None = None,
    format_: str = "text",
    reports: Sequence[tuple[str, str]] = (),
    update: bool = False,
) -> int:
    """Run scripts and say how it went.

    Args:
        files: Paths, ``-`` for standard input; none for the built-in conversation.
        command: The children's command; None for the one that a script names, or else the built-in child.
        session_options: How to run each child.
        record: Path of a file to write every event of the only script to, None for none.
        record_failures: Directory to keep a recording of each script that fails in, None for none.
        format_: ``jsonl`` for all that happens as lines of JSON on standard output, ``text`` for what the
            children print.
        reports: Kinds and files of reports to write.
        update: Whether to rewrite what scripts expect, in their files, by what comes.

    Returns:
        An exit code of :mod:`tui_ipc.script.exit_codes`: the highest of those that the scripts ask for.
    """
    try:
        scripts = _load_scripts(files)
        written = _prepare_reports(reports, files)
        keeping = _choose_recording_policy(record, record_failures, choose_command(scripts[0], command))
    except _UsageError as error:
        write_stderr(str(error))
        return ExitCode.USAGE
    console = Console(sys.stdout, sys.stderr, os.environ, status=format_ == "text")
    taken = format_ == "jsonl" or (written is not None and written.on_stdout)
    reporters: list[Reporter] = [TextReporter(console, narrated=not files, taken=taken)]
    if format_ == "jsonl":
        from tui_ipc.script.report.jsonl_report import JsonlReporter

        reporters.append(JsonlReporter(console))
    suite = Suite(
        scripts,
        command,
        session_options,
        console=console,
        reporters=reporters,
        keeping=keeping,
        tails=None if written is None else written.tails,
        updating=update,
    )
    outcomes = asyncio.run(suite.run())
    code = suite.code
    if update:
        code = max(code, _update_files(files, scripts, outcomes))
    if written is not None:
        asked, complaints = written.write(outcomes)
        code = max(code, asked)
        write_stderr(*(f"tui-ipc: {visible(complaint)}" for complaint in complaints))
    return code


def _load_scripts(files: Sequence[str]) -> Sequence[Script]:
    if not files:
        return (builtin_script(),)
    from tui_ipc.script.files import UnreadableScriptsError, load_scripts

    try:
        return load_scripts(files)
    except UnreadableScriptsError as error:
        raise _UsageError(str(error)) from None


def _prepare_reports(wanted: Sequence[tuple[str, str]], sources: Sequence[str]) -> "ReportFiles | None":
    """What writes the reports, None if none is wanted."""
    if not wanted:
        return None
    from tui_ipc.script.report.report_files import ReportError, ReportFiles

    try:
        return ReportFiles(wanted, sources)
    except ReportError as error:
        raise _UsageError(visible(f"tui-ipc: {error}")) from None


def _update_files(files: Sequence[str], scripts: Sequence[Script], outcomes: Sequence[Outcome]) -> int:
    """Rewrite what is to be rewritten, and tell it; the exit code that asks for."""
    from tui_ipc.script.files import UnwritableScriptError
    from tui_ipc.script.update import update_script_file

    code = ExitCode.PASSED
    for file, script, outcome in zip(files, scripts, outcomes, strict=True):
        try:
            if told := update_script_file(file, script, outcome):
                write_stderr(f"{script.name}: {told}")
        except UnwritableScriptError as error:
            code = ExitCode.USAGE
            write_stderr(visible(f"tui-ipc: {error}"))
    return code


def _choose_recording_policy(
    record: str | None, directory: str | None, command: Sequence[str]
) -> "RecordingPolicy | None":
    """What records, None if nothing is to be recorded."""
    if record is None and directory is None:
        return None
    from tui_ipc.recording.codec import RecordingError
    from tui_ipc.script.recording_policy import FailureRecordings, OneRecording

    try:
        if directory is not None:
            return FailureRecordings(directory)
        return OneRecording(str(record), command)
    except RecordingError as error:
        raise _UsageError(visible(f"tui-ipc: {error}")) from None
