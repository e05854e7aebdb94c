"""Scripts, one after the other, each with a child of its own.

The one rule: every script has an outcome. One that failed keeps none from being run; a signal, or the loss of
our output, ends the one that is run, and the others are not run.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tui_ipc.events import AnyEvent
from tui_ipc.osutil.signals import catch_end_signals
from tui_ipc.script.exit_codes import SIGNAL_EXIT_BASE, ExitCode
from tui_ipc.script.language.steps import Script, count_steps
from tui_ipc.script.outcome import (
    Outcome,
    Status,
    highest_exit_code,
    make_interrupted_outcome,
    make_output_lost_outcome,
)
from tui_ipc.script.output import OutputLostError
from tui_ipc.script.report.console import Console
from tui_ipc.script.report.text_report import Reporter
from tui_ipc.script.runner.runner import Runner
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import BUILTIN_CHILD_COMMAND, Session

if TYPE_CHECKING:
    from tui_ipc.recording.writer import RecordingWriter
    from tui_ipc.script.recording_policy import RecordingPolicy
    from tui_ipc.script.report.passthrough import OutputTails

_Result = TypeVar("_Result")
_FINAL_REPORT_TIMEOUT: Final = 1.0  # seconds that narration may take once we were told to end


def choose_command(script: Script, command: Sequence[str] | None) -> Sequence[str]:
    """The command of a script's child: the given one, else the script's own, else the built-in child's."""
    return command or script.command or BUILTIN_CHILD_COMMAND


class Suite:
    """Runs scripts, once.

    Args:
        scripts: In their order.
        command: Of each child; None for the one that each script names, or else the built-in child.
        session_options: How to run each child. The seconds for its handshake are those for each message in
            either direction as well.
        console: Where it is shown how far a script is, if it can be.
        reporters: Who is told.
        keeping: What is recorded, None for nothing.
        tails: Makes what keeps the end of a child's output for reports; None if nobody wants it.
        updating: Whether what a script expects is to be learned from what comes.
    """

    def __init__(
        self,
        scripts: Sequence[Script],
        command: Sequence[str] | None,
        session_options: SessionOptions,
        *,
        console: Console,
        reporters: Sequence[Reporter],
        keeping: "RecordingPolicy | None" = None,
        tails: "Callable[[], OutputTails] | None" = None,
        updating: bool = False,
    ) -> None:
        self._scripts = scripts
        self._command = command
        self._session_options = session_options
        self._console = console
        self._reporters = list(reporters)
        self._keeping = keeping
        self._tails = tails
        self._updating = updating
        self._outcomes: list[Outcome] = []
        self._signals: list[int] = []
        self._under_way: asyncio.Task[Any] | None = None
        self._lost: OutputLostError | None = None

    @property
    def code(self) -> int:
        """The exit code of the scripts that were run so far: the highest that anything asks for."""
        return max(highest_exit_code(self._outcomes), self._stopped())

    def _stopped(self) -> int:
        """The exit code that is asked for by what keeps further scripts from being run; 0 if nothing does."""
        if self._signals:
            return SIGNAL_EXIT_BASE + self._signals[0]
        return 0 if self._lost is None else self._lost.code

    async def run(self) -> list[Outcome]:
        """Run all of them, and tell it."""
        outcomes = self._outcomes
        with catch_end_signals(self._interrupt) as self._signals:
            await self._tell_all(lambda reporter: reporter.begin(self._scripts))
            for number, script in enumerate(self._scripts, 1):
                if code := self._stopped():
                    outcome = Outcome(script.name, Status.NOT_RUN, code, total=count_steps(script.steps))
                else:
                    outcome = await self._run(script, number)
                await self._tell_end(outcome)
                outcomes.append(replace(outcome, unexpected=()))  # they may be large, and were told
            await self._tell_all(lambda reporter: reporter.end(outcomes))
        return outcomes

    async def _tell_end(self, outcome: Outcome) -> None:
        await self._tell_all(lambda reporter: reporter.end_script(outcome))

    def _interrupt(self) -> None:
        if self._under_way is not None:
            self._under_way.cancel()

    async def _run(self, script: Script, number: int) -> Outcome:
        """Run one script."""
        words = choose_command(script, self._command)
        recorder, complaint = self._recorder(script, words)
        session = Session(words, self._session_options, record=recorder)
        tails = None if self._tails is None else self._tails()
        runner = Runner(
            script,
            session,
            self._session_options.timeout,
            self._teller(tails),
            updating=self._updating,
        )
        begun = monotonic()
        await self._tell_all(lambda reporter: reporter.begin_script(script, words, runner.total))
        run = None if self._stopped() else await self._run_showing(runner, self._label(script, number))
        ended = replace(
            self._ended(run, script.name, runner.line),
            total=runner.total,
            passed=runner.passed,
            seconds=monotonic() - begun,
        )
        if tails is not None:
            ended = replace(ended, stdout=tails.text("stdout"), stderr=tails.text("stderr"))
        return self._recorded(ended, recorder, complaint)

    def _recorder(self, script: Script, words: Sequence[str]) -> "tuple[RecordingWriter | None, str]":
        """What records a script, if anything does, and why nothing does where it should."""
        if self._keeping is None:
            return None, ""
        from tui_ipc.recording.codec import RecordingError

        try:
            return self._keeping.begin(script.name, words), ""
        except RecordingError as error:
            return None, str(error)

    def _recorded(self, ended: Outcome, recorder: "RecordingWriter | None", complaint: str) -> Outcome:
        """An outcome, with what became of its recording."""
        if self._keeping is None:
            return ended
        kept = self._keeping.end(failed=ended.status is not Status.PASSED)
        if recorder is not None and recorder.failure is not None:
            complaint = recorder.failure
        if not complaint:
            return replace(ended, recording=kept)
        status = Status.FAILED if ended.status is Status.PASSED else ended.status
        code = ended.code or ExitCode.USAGE  # the child is not to blame: what it did stays the verdict
        return replace(ended, recording=kept, complaint=complaint, status=status, code=code)

    def _teller(self, tails: "OutputTails | None") -> Callable[[AnyEvent], Awaitable[None]]:
        """What tells an event to everybody."""
        if tails is None and len(self._reporters) == 1:
            return self._reporters[0].tell  # a long run has many events

        async def tell(event: AnyEvent) -> None:
            if tails is not None:
                tails.note(event)
            for reporter in self._reporters:
                await reporter.tell(event)

        return tell

    def _label(self, script: Script, number: int) -> str:
        several = len(self._scripts) > 1
        return f"{number}/{len(self._scripts)} {script.name}" if several else script.name

    async def _run_showing(self, runner: Runner, label: str) -> "asyncio.Task[Outcome]":
        """Run a script, and show how far it is."""
        if not self._console.interactive:
            return await self._finished(runner.run())
        from tui_ipc.script.report.progress import show_progress

        async with show_progress(self._console, label, runner.total, lambda: runner.passed):
            return await self._finished(runner.run())

    def _ended(self, run: "asyncio.Task[Outcome] | None", name: str, line: int) -> Outcome:
        """How a run ended; None is one that could not begin any more."""
        if run is not None and not run.cancelled():
            error = run.exception()
            if error is None:
                return run.result()
            if not isinstance(error, OutputLostError):
                raise error
            self._lost = error
        if self._signals:
            return make_interrupted_outcome(name, self._signals[0], line, begun=run is not None)
        assert self._lost is not None
        return make_output_lost_outcome(name, self._lost)

    async def _tell_all(self, told: Callable[[Reporter], Coroutine[Any, Any, None]]) -> None:
        """Tell something to everybody who can still be told.

        Once we were told to end, not at any price: one who holds us up then is told nothing more.
        """
        for reporter in tuple(self._reporters):
            ending = bool(self._signals)
            task = await self._finished(told(reporter), _FINAL_REPORT_TIMEOUT if ending else None)
            if task.cancelled():
                if ending:
                    self._reporters.remove(reporter)
                continue
            error = task.exception()
            if isinstance(error, OutputLostError):
                self._lost = self._lost or error
            elif error is not None:
                raise error

    async def _finished(
        self, coroutine: Coroutine[Any, Any, _Result], within: float | None = None
    ) -> "asyncio.Task[_Result]":
        """A task that is over: done, or ended by a signal or the time."""
        self._under_way = task = asyncio.create_task(coroutine)
        await asyncio.wait([task], timeout=within)
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
        self._under_way = None
        return task
