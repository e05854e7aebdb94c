"""Runs one script with a child of its own, again if it fails and may be retried; records and updates it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING

from tui_ipc.events import AnyEvent
from tui_ipc.script.language.steps import Script
from tui_ipc.script.outcome import (
    Outcome,
    Status,
    add_complaint,
    make_interrupted_outcome,
    make_output_lost_outcome,
)
from tui_ipc.script.output import Console, OutputLostError, show_progress
from tui_ipc.script.report.passthrough import OutputTails
from tui_ipc.script.runner.runner import DEFAULT_RUN_OPTIONS, Runner, RunOptions
from tui_ipc.script.stop_control import StopControl
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import BUILTIN_CHILD_COMMAND, Session

if TYPE_CHECKING:
    from tui_ipc.recording.writer import RecordingWriter
    from tui_ipc.script.report.result_files import RecordingPolicy


@dataclass(frozen=True, slots=True)
class ScriptOptions:
    """How to run each script of a call.

    Attributes:
        command: The child's; None for the one that the script names, or else the built-in child.
        session: How to run the child. The seconds for its handshake hold for each message in either direction
            as well.
        run: How to perform the steps; with ``update`` the script's file is rewritten by what comes.
        retries: How many times a script that fails is run again.
        recording_policy: What to record, None for nothing.
        make_output_tails: Makes what keeps the end of a child's output for reports; None if none needs it.
    """

    command: Sequence[str] | None
    session: SessionOptions
    run: RunOptions = DEFAULT_RUN_OPTIONS
    retries: int = 0
    recording_policy: "RecordingPolicy | None" = None
    make_output_tails: Callable[[], OutputTails] | None = None


def choose_command(script: Script, command: Sequence[str] | None) -> Sequence[str]:
    """The command of a script's child: the given one, else the script's own, else the built-in child's."""
    return command or script.command or BUILTIN_CHILD_COMMAND


class Attempts:
    """Runs one script until it passes, or all its attempts have failed.

    Args:
        script: The script.
        number: Which one it is in its call, from 1.
        options: How to run it.
        control: Where to report to, and what ends it early.
        console: Where to show how far it is, if it is interactive.
        label: What it is called there.
    """

    def __init__(
        self,
        script: Script,
        number: int,
        options: ScriptOptions,
        control: StopControl,
        console: Console,
        label: str,
    ) -> None:
        self._script = script
        self._number = number
        self._options = options
        self._control = control
        self._console = console
        self._label = label

    async def run(self) -> Outcome:
        """Run the script; returns the outcome of its last attempt, which knows those before it."""
        failed: list[Outcome] = []
        while True:
            outcome = await self._run_once(len(failed))
            if outcome.status is not Status.FAILED or len(failed) == self._options.retries:
                break
            # What they hold of the child may be large, and was reported.
            failed.append(replace(outcome, unexpected=(), stdout="", stderr=""))
            await self._report_retry(failed)
        if not failed:
            return outcome
        if outcome.status is Status.PASSED:
            outcome = replace(outcome, status=Status.FLAKY, recording=failed[-1].recording)
        return replace(outcome, failed_attempts=tuple(failed))

    async def _report_retry(self, failed: Sequence[Outcome]) -> None:
        number, text = self._number, f"retry {len(failed)} of {self._options.retries}"
        outcome = replace(failed[-1], recording=None)  # the next failure may replace it
        await self._control.report(lambda reporter: reporter.retry_script(number, outcome, text))

    async def _run_once(self, retry: int) -> Outcome:
        script, options, control = self._script, self._options, self._control
        command = choose_command(script, options.command)
        recorder, complaint = self._begin_recording(command, retry)
        session = Session(command, replace(options.session, origin="script"), record=recorder)
        tails = None if options.make_output_tails is None else options.make_output_tails()
        report_event = self._make_event_callback(tails)
        runner = Runner(script, session, options.session.timeout, report_event, options.run)
        began = monotonic()
        number, total = self._number, runner.total
        await control.report(lambda reporter: reporter.begin_script(number, script, command, total))
        task = None if control.code else await self._run_showing_progress(runner)
        outcome = replace(
            self._make_outcome(task, runner.line),
            total=total,
            passed=runner.passed,
            seconds=monotonic() - began,
        )
        if tails is not None:
            outcome = replace(outcome, stdout=tails.text("stdout"), stderr=tails.text("stderr"))
        return self._end_recording(outcome, recorder, complaint)

    def _begin_recording(self, command: Sequence[str], retry: int) -> "tuple[RecordingWriter | None, str]":
        """Returns what records the script, if anything does, and why nothing does although it should."""
        if self._options.recording_policy is None:
            return None, ""
        from tui_ipc.recording.codec import RecordingError

        try:
            return self._options.recording_policy.begin(self._number, command, retry), ""
        except RecordingError as error:
            return None, str(error)

    def _end_recording(self, outcome: Outcome, recorder: "RecordingWriter | None", complaint: str) -> Outcome:
        """Returns the outcome with what became of its recording."""
        if self._options.recording_policy is None:
            return outcome
        kept = self._options.recording_policy.end(failed=outcome.status is not Status.PASSED)
        if recorder is not None and recorder.failure is not None:
            complaint = recorder.failure
        return add_complaint(replace(outcome, recording=kept), complaint)

    def _make_event_callback(self, tails: OutputTails | None) -> Callable[[AnyEvent], Awaitable[None]]:
        reporters = self._control.reporters
        if tails is None and len(reporters) == 1:
            return reporters[0].report_event  # one call less for each of very many events

        async def report_event(event: AnyEvent) -> None:
            if tails is not None:
                tails.add(event)
            for reporter in reporters:
                await reporter.report_event(event)

        return report_event

    async def _run_showing_progress(self, runner: Runner) -> "asyncio.Task[Outcome]":
        if not self._console.interactive:
            return await self._control.call(runner.run())
        async with show_progress(self._console, self._label, "step", runner.total, lambda: runner.passed):
            return await self._control.call(runner.run())

    def _make_outcome(self, task: "asyncio.Task[Outcome] | None", line: int) -> Outcome:
        """The outcome of a run that has finished, or, without a task, of one that could not begin."""
        name, control = self._script.name, self._control
        if task is not None and not task.cancelled():
            error = task.exception()
            if error is None:
                return task.result()
            if not isinstance(error, OutputLostError):
                raise error
            control.output_lost = error
        if control.signals:
            return make_interrupted_outcome(name, control.signals[0], line, begun=task is not None)
        assert control.output_lost is not None
        return make_output_lost_outcome(name, control.output_lost)


def run_script(script: Script, options: ScriptOptions) -> Outcome:
    """Run one script for a caller that reports its outcome, and waits for it."""
    attempts = Attempts(script, 1, options, StopControl(()), Console(None, None, {}), "")
    return asyncio.run(attempts.run())
