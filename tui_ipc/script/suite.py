"""Runs the scripts of a call, one after the other, each with a child of its own; reports, records and
updates.

Every script has an outcome. One that fails does not keep the others from being run; a signal, or the loss
of our output, ends the script that runs, and the others are not run.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tui_ipc.events import AnyEvent
from tui_ipc.osutil.signals import catch_end_signals
from tui_ipc.script import SIGNAL_EXIT_BASE, ExitCode
from tui_ipc.script.language.steps import Expect, Quit, Script, Send, Step, count_steps
from tui_ipc.script.outcome import (
    Outcome,
    Status,
    highest_exit_code,
    make_interrupted_outcome,
    make_output_lost_outcome,
)
from tui_ipc.script.output import Console, OutputLostError, show_progress, write_stderr
from tui_ipc.script.report.text_report import OutputTails, Reporter, TextReporter
from tui_ipc.script.runner.runner import DEFAULT_RUN_OPTIONS, Runner, RunOptions
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import BUILTIN_CHILD_COMMAND, Session
from tui_ipc.text.placeholders import ANY_REST
from tui_ipc.text.safe_text import make_visible

if TYPE_CHECKING:
    from tui_ipc.recording.writer import RecordingWriter
    from tui_ipc.script.files import FaultyScript
    from tui_ipc.script.report.result_files import RecordingPolicy, ReportFiles

_Result = TypeVar("_Result")
_FINAL_REPORT_TIMEOUT: Final = 1.0  # seconds for each report once a signal came

BUILTIN_MESSAGES: Final = ("Hello from parent", "How are you?", "Goodbye!")
"""The messages of the built-in script, those of the Rust example."""


def builtin_script() -> Script:
    """The script that is run if none is named: each message is sent once the one before was answered."""
    steps: list[Step] = []
    for text in BUILTIN_MESSAGES:
        steps += (Send(text), Expect(ANY_REST))
    return Script("tui-ipc", (*steps, Quit()))


class _UsageError(Exception):
    """The call cannot be made as it was asked for; the text says why."""


def run_scripts(
    files: Sequence[str],
    command: Sequence[str] | None,
    session_options: SessionOptions,
    *,
    record: str | None = None,
    record_failures: str | None = None,
    format_: str = "text",
    reports: Sequence[tuple[str, str]] = (),
    run_options: RunOptions = DEFAULT_RUN_OPTIONS,
) -> int:
    """Run scripts and report how they ended.

    Args:
        files: Paths, ``-`` for standard input; none for the built-in script.
        command: The children's command; None for the one that a script names, or else the built-in child.
        session_options: How to run each child.
        record: The file to record the only script in, None for none.
        record_failures: The directory in which to keep a recording of each script that fails, None for none.
        format_: ``jsonl`` for all that happens as lines of JSON on standard output, ``text`` for what the
            children print.
        reports: The kinds and files of reports to write.
        run_options: How to run each script; with ``update`` its file is rewritten by what comes.

    Returns:
        An exit code of :mod:`tui_ipc.script`: the highest that a script asks for.
    """
    try:
        scripts = _load_scripts(files)
        _print_warnings(scripts)
        report_files = _prepare_reports(reports, files, [script.name for script in scripts])
        recording_policy = _choose_recording_policy(record, record_failures, scripts[0], command)
    except _UsageError as error:
        write_stderr(str(error))
        return ExitCode.USAGE
    console = Console(sys.stdout, sys.stderr, os.environ, status=format_ == "text")
    stdout_taken = format_ == "jsonl" or (report_files is not None and report_files.on_stdout)
    reporters: list[Reporter] = [TextReporter(console, is_builtin=not files, stdout_taken=stdout_taken)]
    if format_ == "jsonl":
        from tui_ipc.script.report.program_reports import JsonlReporter

        reporters.append(JsonlReporter(console))
    suite = Suite(
        scripts,
        command,
        session_options,
        console=console,
        reporters=reporters,
        recording_policy=recording_policy,
        make_output_tails=None if report_files is None else report_files.make_output_tails,
        run_options=run_options,
    )
    outcomes = asyncio.run(suite.run())
    code = suite.code
    if run_options.update:
        code = max(code, _update_files(files, scripts, outcomes))
    if report_files is not None:
        report_code, complaints = report_files.write(outcomes)
        code = max(code, report_code)
        write_stderr(*(f"tui-ipc: {make_visible(complaint)}" for complaint in complaints))
    return code


def _load_scripts(files: Sequence[str]) -> "Sequence[Script | FaultyScript]":
    if not files:
        return (builtin_script(),)
    from tui_ipc.script.files import load_scripts

    return load_scripts(files)


def _print_warnings(scripts: "Sequence[Script | FaultyScript]") -> None:
    if any(script.warnings for script in scripts):
        from tui_ipc.script.files import describe_warnings

        write_stderr(*describe_warnings(scripts))


def _prepare_reports(
    wanted: Sequence[tuple[str, str]], sources: Sequence[str], names: Sequence[str]
) -> "ReportFiles | None":
    if not wanted:
        return None
    from tui_ipc.script.report.result_files import ReportError, ReportFiles

    try:
        report_files = ReportFiles(wanted, sources)
        report_files.write_unfinished(names)
    except ReportError as error:
        raise _UsageError(make_visible(f"tui-ipc: {error}")) from None
    return report_files


def _choose_recording_policy(
    record: str | None,
    directory: str | None,
    script: "Script | FaultyScript",
    command: Sequence[str] | None,
) -> "RecordingPolicy | None":
    if directory is None and (record is None or not isinstance(script, Script)):
        return None
    from tui_ipc.recording.codec import RecordingError
    from tui_ipc.script.report.result_files import FailureRecordings, OneRecording

    try:
        if directory is not None:
            return FailureRecordings(directory)
        assert isinstance(script, Script)
        return OneRecording(str(record), choose_command(script, command))
    except RecordingError as error:
        raise _UsageError(make_visible(f"tui-ipc: {error}")) from None


def _update_files(
    files: Sequence[str], scripts: "Sequence[Script | FaultyScript]", outcomes: Sequence[Outcome]
) -> int:
    """Rewrite the scripts that are to be changed, and say so; returns the exit code that this asks for."""
    from tui_ipc.script.files import UnwritableScriptError
    from tui_ipc.script.update import update_script_file

    code = ExitCode.PASSED
    for file, script, outcome in zip(files, scripts, outcomes, strict=True):
        if not isinstance(script, Script):
            continue
        try:
            if sentence := update_script_file(file, script, outcome):
                write_stderr(f"{script.name}: {sentence}")
        except UnwritableScriptError as error:
            code = ExitCode.USAGE
            write_stderr(make_visible(f"tui-ipc: {error}"))
    return code


def choose_command(script: Script, command: Sequence[str] | None) -> Sequence[str]:
    """The command of a script's child: the given one, else the script's own, else the built-in child's."""
    return command or script.command or BUILTIN_CHILD_COMMAND


class Suite:
    """Runs scripts, once.

    Args:
        scripts: The scripts, in their order; a faulty one is reported as failed.
        command: The command of each child; None for the one that each script names, or else the built-in
            child.
        session_options: How to run each child. The seconds for its handshake hold for each message in either
            direction as well.
        console: Where to show how far a script is, if it is interactive.
        reporters: Receive all that happens.
        recording_policy: What to record, None for nothing.
        make_output_tails: Makes what keeps the end of a child's output for reports; None if none needs it.
        run_options: How to run each script.
    """

    def __init__(
        self,
        scripts: "Sequence[Script | FaultyScript]",
        command: Sequence[str] | None,
        session_options: SessionOptions,
        *,
        console: Console,
        reporters: Sequence[Reporter],
        recording_policy: "RecordingPolicy | None" = None,
        make_output_tails: Callable[[], OutputTails] | None = None,
        run_options: RunOptions = DEFAULT_RUN_OPTIONS,
    ) -> None:
        self._scripts = scripts
        self._command = command
        self._session_options = session_options
        self._console = console
        self._reporters = list(reporters)
        self._recording_policy = recording_policy
        self._make_output_tails = make_output_tails
        self._run_options = run_options
        self._outcomes: list[Outcome] = []
        self._signals: list[int] = []
        self._current_task: asyncio.Task[Any] | None = None
        self._output_lost: OutputLostError | None = None

    @property
    def code(self) -> int:
        """The exit code of the scripts that were run so far: the highest that anything asks for."""
        return max(highest_exit_code(self._outcomes), self._stop_code())

    def _stop_code(self) -> int:
        """The exit code that keeps further scripts from being run; 0 if nothing does."""
        if self._signals:
            return SIGNAL_EXIT_BASE + self._signals[0]
        return 0 if self._output_lost is None else self._output_lost.code

    async def run(self) -> list[Outcome]:
        """Run all scripts, and report them; returns their outcomes in order."""
        outcomes = self._outcomes
        with catch_end_signals(asyncio.get_running_loop(), self._interrupt) as self._signals:
            await self._report_all(lambda reporter: reporter.begin([script.name for script in self._scripts]))
            for number, script in enumerate(self._scripts, 1):
                if not isinstance(script, Script):
                    outcome = script.make_outcome()
                elif code := self._stop_code():
                    outcome = Outcome(script.name, Status.NOT_RUN, code, total=count_steps(script.steps))
                else:
                    outcome = await self._run_script(script, number)
                await self._report_end(outcome)
                outcomes.append(replace(outcome, unexpected=()))  # they may be large, and were reported
            await self._report_all(lambda reporter: reporter.end(outcomes))
        return outcomes

    async def _report_end(self, outcome: Outcome) -> None:
        await self._report_all(lambda reporter: reporter.end_script(outcome))

    def _interrupt(self) -> None:
        if self._current_task is not None:
            self._current_task.cancel()

    async def _run_script(self, script: Script, number: int) -> Outcome:
        command = choose_command(script, self._command)
        recorder, complaint = self._begin_recording(script, command)
        session = Session(command, replace(self._session_options, origin="script"), record=recorder)
        tails = None if self._make_output_tails is None else self._make_output_tails()
        runner = Runner(
            script,
            session,
            self._session_options.timeout,
            self._make_event_callback(tails),
            self._run_options,
        )
        began = monotonic()
        await self._report_all(lambda reporter: reporter.begin_script(script, command, runner.total))
        task = None if self._stop_code() else await self._run_showing_progress(runner, script, number)
        outcome = replace(
            self._make_outcome(task, script.name, runner.line),
            total=runner.total,
            passed=runner.passed,
            seconds=monotonic() - began,
        )
        if tails is not None:
            outcome = replace(outcome, stdout=tails.text("stdout"), stderr=tails.text("stderr"))
        return self._end_recording(outcome, recorder, complaint)

    def _begin_recording(
        self, script: Script, command: Sequence[str]
    ) -> "tuple[RecordingWriter | None, str]":
        """Returns what records the script, if anything does, and why nothing does although it should."""
        if self._recording_policy is None:
            return None, ""
        from tui_ipc.recording.codec import RecordingError

        try:
            return self._recording_policy.begin(script.name, command), ""
        except RecordingError as error:
            return None, str(error)

    def _end_recording(self, outcome: Outcome, recorder: "RecordingWriter | None", complaint: str) -> Outcome:
        """Returns the outcome with what became of its recording."""
        if self._recording_policy is None:
            return outcome
        kept = self._recording_policy.end(failed=outcome.status is not Status.PASSED)
        if recorder is not None and recorder.failure is not None:
            complaint = recorder.failure
        if not complaint:
            return replace(outcome, recording=kept)
        status = Status.FAILED if outcome.status is Status.PASSED else outcome.status
        code = outcome.code or ExitCode.USAGE  # if the child failed as well, that stays the outcome
        return replace(outcome, recording=kept, complaint=complaint, status=status, code=code)

    def _make_event_callback(self, tails: OutputTails | None) -> Callable[[AnyEvent], Awaitable[None]]:
        if tails is None and len(self._reporters) == 1:
            return self._reporters[0].report_event  # one call less for each of very many events

        async def report_event(event: AnyEvent) -> None:
            if tails is not None:
                tails.add(event)
            for reporter in self._reporters:
                await reporter.report_event(event)

        return report_event

    async def _run_showing_progress(
        self, runner: Runner, script: Script, number: int
    ) -> "asyncio.Task[Outcome]":
        if not self._console.interactive:
            return await self._finish(runner.run())
        count = len(self._scripts)
        label = f"{number}/{count} {script.name}" if count > 1 else script.name
        async with show_progress(self._console, label, runner.total, lambda: runner.passed):
            return await self._finish(runner.run())

    def _make_outcome(self, task: "asyncio.Task[Outcome] | None", name: str, line: int) -> Outcome:
        """The outcome of a run that has finished, or, without a task, of one that could not begin."""
        if task is not None and not task.cancelled():
            error = task.exception()
            if error is None:
                return task.result()
            if not isinstance(error, OutputLostError):
                raise error
            self._output_lost = error
        if self._signals:
            return make_interrupted_outcome(name, self._signals[0], line, begun=task is not None)
        assert self._output_lost is not None
        return make_output_lost_outcome(name, self._output_lost)

    async def _report_all(self, report: Callable[[Reporter], Coroutine[Any, Any, None]]) -> None:
        """Report something to all reporters that can still take it.

        After a signal a reporter has a bounded time, because its own reader may have stopped; if that is not
        enough, it gets no further reports.
        """
        for reporter in tuple(self._reporters):
            is_ending = bool(self._signals)
            task = await self._finish(report(reporter), _FINAL_REPORT_TIMEOUT if is_ending else None)
            if task.cancelled():
                if is_ending:
                    self._reporters.remove(reporter)
                continue
            error = task.exception()
            if isinstance(error, OutputLostError):
                self._output_lost = self._output_lost or error
            elif error is not None:
                raise error

    async def _finish(
        self, coroutine: Coroutine[Any, Any, _Result], timeout: float | None = None
    ) -> "asyncio.Task[_Result]":
        """Run a coroutine until it is done, or a signal or the timeout cancels it; returns its task.

        It is a task of its own so that a signal cancels this one call and never the suite.
        """
        self._current_task = task = asyncio.create_task(coroutine)
        await asyncio.wait([task], timeout=timeout)
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
        self._current_task = None
        return task
