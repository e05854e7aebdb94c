"""Runs the scripts of a call, each with a child of its own, several at once; reports, records and updates.

Every script has an outcome, and they are reported in the scripts' order. One that fails does not keep the
others from being run, unless that was asked for; a signal, or the loss of our output, ends the scripts that
run, and the others are not run.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from tui_ipc.osutil.leaving import catch_background_errors, catch_end_signals
from tui_ipc.script import ExitCode
from tui_ipc.script.attempts import Attempts, ScriptOptions, choose_command
from tui_ipc.script.language.steps import Expect, Quit, Script, Send, Step, count_steps
from tui_ipc.script.outcome import (
    Outcome,
    Status,
    highest_exit_code,
    make_lost_outcome,
    make_output_lost_outcome,
)
from tui_ipc.script.output import Console, show_progress, write_stderr
from tui_ipc.script.report.text_report import Reporter, TextReporter
from tui_ipc.script.runner.runner import DEFAULT_RUN_OPTIONS, RunOptions
from tui_ipc.script.stop_control import StopControl
from tui_ipc.session.run import SessionOptions
from tui_ipc.text.placeholders import ANY_REST
from tui_ipc.text.safe_text import make_visible

if TYPE_CHECKING:
    from tui_ipc.script.files import FaultyScript
    from tui_ipc.script.report.result_files import RecordingPolicy, ReportFiles
    from tui_ipc.script.workers import WorkerPool

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


@dataclass(frozen=True, slots=True)
class SuiteOptions:
    """How to run the scripts of a call, and what the call leaves.

    Attributes:
        jobs: How many run at the same time; None for as many as this process may use processors.
        exit_first: Whether none begins after one has failed.
        retries: How many times a script that fails is run again.
        record: The file to record the only script in, None for none.
        record_failures: The directory in which to keep a recording of each script that fails, None for none.
        format: ``jsonl`` for all that happens as lines of JSON on standard output, ``text`` for what the
            children print.
        reports: The kinds and files of reports to write.
        quiet: Whether what a child prints is shown only if its script fails; None for yes if the environment
            has ``CI``, as continuous integration sets it, and it is not the built-in script.
        variables: The values of names that scripts may use.
    """

    jobs: int | None = None
    exit_first: bool = False
    retries: int = 0
    record: str | None = None
    record_failures: str | None = None
    format: str = "text"
    reports: Sequence[tuple[str, str]] = ()
    quiet: bool | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


DEFAULT_SUITE_OPTIONS: Final = SuiteOptions()


def run_scripts(
    files: Sequence[str],
    command: Sequence[str] | None,
    session_options: SessionOptions,
    run_options: RunOptions = DEFAULT_RUN_OPTIONS,
    options: SuiteOptions = DEFAULT_SUITE_OPTIONS,
) -> int:
    """Run scripts and report how they ended.

    Args:
        files: Paths, ``-`` for standard input; none for the built-in script.
        command: The children's command; None for the one that a script names, or else the built-in child.
        session_options: How to run each child.
        run_options: How to run each script; with ``update`` its file is rewritten by what comes.
        options: How to run them all, and what to leave.

    Returns:
        An exit code of :mod:`tui_ipc.script`: the highest that a script asks for.
    """
    scripts = _load_scripts(files, options.variables)
    _print_warnings(scripts)
    try:
        report_files = _prepare_reports(options.reports, files, [script.name for script in scripts])
        recording_policy = _choose_recording_policy(options, scripts, command)
    except _UsageError as error:
        write_stderr(str(error))
        return ExitCode.USAGE
    console = Console(sys.stdout, sys.stderr, os.environ, status=options.format == "text")
    stdout_taken = options.format == "jsonl" or (report_files is not None and report_files.on_stdout)
    quiet = bool(files and os.environ.get("CI")) if options.quiet is None else options.quiet
    text_reporter = TextReporter(console, is_builtin=not files, stdout_taken=stdout_taken, quiet=quiet)
    reporters: list[Reporter] = [text_reporter]
    if options.format == "jsonl":
        from tui_ipc.script.report.program_reports import JsonlReporter

        reporters.append(JsonlReporter(console))
    make_output_tails = None if report_files is None else report_files.make_output_tails
    script_options = ScriptOptions(
        command, session_options, run_options, options.retries, recording_policy, make_output_tails
    )
    suite = Suite(scripts, script_options, options, console=console, reporters=reporters, files=files)
    outcomes = asyncio.run(suite.run())
    code = suite.code
    if report_files is not None:
        report_code, complaints = report_files.write(outcomes)
        code = max(code, report_code)
        write_stderr(*(f"tui-ipc: {make_visible(complaint)}" for complaint in complaints))
    return code


def _load_scripts(files: Sequence[str], variables: Mapping[str, Any]) -> "Sequence[Script | FaultyScript]":
    if not files:
        return (builtin_script(),)
    from tui_ipc.script.files import load_scripts

    return load_scripts(files, variables)


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
    options: SuiteOptions, scripts: "Sequence[Script | FaultyScript]", command: Sequence[str] | None
) -> "RecordingPolicy | None":
    if options.record is None and options.record_failures is None:
        return None
    from tui_ipc.recording.codec import RecordingError
    from tui_ipc.script.report.result_files import FailureRecordings, OneRecording

    try:
        if options.record_failures is not None:
            return FailureRecordings(options.record_failures, [script.name for script in scripts])
        if options.record is not None and isinstance(scripts[0], Script):
            return OneRecording(options.record, choose_command(scripts[0], command))
        return None
    except RecordingError as error:
        raise _UsageError(make_visible(f"tui-ipc: {error}")) from None


class Suite:
    """Runs scripts, once.

    Args:
        scripts: The scripts, in their order; a faulty one is reported as failed.
        script_options: How to run each of them.
        options: How to run several.
        console: Where to show how far they are, if it is interactive.
        reporters: Receive all that happens.
        files: The files of the scripts, for an update.
    """

    def __init__(
        self,
        scripts: "Sequence[Script | FaultyScript]",
        script_options: ScriptOptions,
        options: SuiteOptions = DEFAULT_SUITE_OPTIONS,
        *,
        console: Console,
        reporters: Sequence[Reporter],
        files: Sequence[str] = (),
    ) -> None:
        self._scripts = scripts
        self._script_options = script_options
        self._options = options
        self._console = console
        self._files = files
        self._control = StopControl(reporters)
        self._workers: WorkerPool | None = None
        self._outcomes: list[Outcome] = []

    @property
    def code(self) -> int:
        """The exit code of the scripts that were run so far: the highest that anything asks for."""
        return max(highest_exit_code(self._outcomes), self._control.code)

    async def run(self) -> list[Outcome]:
        """Run all scripts, and report them; returns their outcomes in order."""
        began, control = monotonic(), self._control
        loop, policy = asyncio.get_running_loop(), self._script_options.recording_policy
        with (
            catch_background_errors(loop, control.break_off),
            catch_end_signals(loop, self._interrupt) as control.signals,
            ExitStack() as on_defect,
        ):
            if policy is not None:
                on_defect.callback(policy.end, failed=True)
            await control.report(lambda reporter: reporter.begin([script.name for script in self._scripts]))
            numbers = self._find_runnable()
            jobs = min(self._count_jobs(), len(numbers))
            if jobs > 1:
                await self._run_in_processes(numbers, jobs)
            else:
                await self._run_in_turn()
            seconds = monotonic() - began
            await control.report(lambda reporter: reporter.end(self._outcomes, seconds))
            on_defect.pop_all()
        return self._outcomes

    def _find_runnable(self) -> list[int]:
        """The numbers of the scripts that are sound, up to a faulty one that ends all."""
        numbers = []
        for number, script in enumerate(self._scripts, 1):
            if isinstance(script, Script):
                numbers.append(number)
            elif self._options.exit_first:
                break
        return numbers

    def _count_jobs(self) -> int:
        return self._options.jobs or len(os.sched_getaffinity(0))

    def _interrupt(self) -> None:
        self._control.interrupt()
        if self._workers is not None:
            self._workers.signal(self._control.signals[-1])

    async def _run_in_turn(self) -> None:
        for number, script in enumerate(self._scripts, 1):
            if not self._may_begin(self._outcomes) or not isinstance(script, Script):
                await self._skip(number)
            else:
                await self._report_end(number, await self._run_script(number))

    def _may_begin(self, outcomes: Sequence[Outcome]) -> bool:
        """Whether another script may begin, after those outcomes."""
        failed = self._options.exit_first and any(outcome.status is Status.FAILED for outcome in outcomes)
        return not failed and not self._control.code

    async def _skip(self, number: int) -> None:
        """Report a script that is not run, or cannot be."""
        script = self._scripts[number - 1]
        if not isinstance(script, Script) and (self._control.code or self._may_begin(self._outcomes)):
            outcome = script.make_outcome()
        else:
            total = count_steps(script.steps) if isinstance(script, Script) else 0
            outcome = Outcome(script.name, Status.NOT_RUN, self._control.code, total=total)
        await self._report_end(number, outcome)

    async def _report_end(self, number: int, outcome: Outcome) -> None:
        await self._control.report(lambda reporter: reporter.end_script(number, outcome))
        self._outcomes.append(replace(outcome, unexpected=(), updates={}))  # they may be large

    async def _run_script(self, number: int) -> Outcome:
        """Run a script in this process, and update it."""
        script, count = self._scripts[number - 1], len(self._scripts)
        assert isinstance(script, Script)
        label = f"{number}/{count} {script.name}" if count > 1 else script.name
        attempts = Attempts(script, number, self._script_options, self._control, self._console, label)
        outcome = await attempts.run()
        if not outcome.updates:
            return outcome
        from tui_ipc.script.update import apply_updates

        return apply_updates(self._files[number - 1], script, outcome)

    async def _run_in_processes(self, numbers: Sequence[int], jobs: int) -> None:
        from tui_ipc.script.workers import WorkerPool

        pool = WorkerPool(numbers, jobs, self._console, self._run_alone, self._may_begin)
        async with pool as self._workers:
            if not self._console.interactive:
                await self._follow_workers(pool, numbers)
                return
            total = len(self._scripts)
            async with show_progress(self._console, "", "script", total, lambda: len(self._outcomes)):
                await self._follow_workers(pool, numbers)

    async def _run_alone(self, number: int) -> Outcome:
        """Run a script in a process of its own, which hears of its own signals."""
        self._workers = None
        loop, control = asyncio.get_running_loop(), self._control
        with (
            catch_background_errors(loop, control.break_off),
            catch_end_signals(loop, self._interrupt) as control.signals,
        ):
            await self._report_end(number, await self._run_script(number))
        return self._outcomes[-1]

    async def _follow_workers(self, workers: "WorkerPool", numbers: Sequence[int]) -> None:
        """Write what the scripts write, one after the other."""
        control = self._control
        for number, script in enumerate(self._scripts, 1):
            if number not in numbers:
                await self._skip(number)
                continue
            async for stream, data in workers.output(number):
                if not await control.write(self._console.write(stream, data)):
                    workers.drop_output(stream)
                elif control.output_lost is not None:
                    workers.drop_output(self._console.stdout, self._console.stderr)
                    workers.signal(signal.SIGTERM)
            match await workers.outcome(number):
                case None:
                    await self._skip(number)
                # Without output we ended the process ourselves, maybe before it could say how it ended.
                case int() | Outcome(status=Status.INTERRUPTED) if control.output_lost is not None:
                    self._outcomes.append(make_output_lost_outcome(script.name, control.output_lost))
                case int(code):
                    await self._report_end(number, make_lost_outcome(script.name, code))
                case outcome:
                    self._outcomes.append(outcome)
