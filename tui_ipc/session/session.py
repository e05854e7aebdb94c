"""The session: one command, run as often as wanted, and the timeline of everything that happens.

Whatever a child does is an event and never an exception; what a caller cannot have is an exception whose text
is for people.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from tui_ipc.events import USER_REQUESTED, AnyEvent, MessageSent, Note, ScriptStep, ScriptStepState
from tui_ipc.ipc.wire import encode, too_large
from tui_ipc.session.conversation import NotConnected
from tui_ipc.session.handshake import RunPhase
from tui_ipc.session.mistakes import describe_limit
from tui_ipc.session.run import Run, SessionOptions
from tui_ipc.session.timeline import Timeline

if TYPE_CHECKING:
    from tui_ipc.session.diagnosis import Diagnosis

BUILTIN_CHILD_COMMAND: Final = (sys.executable, "-m", "tui_ipc.child")


class Session:
    """A child process and the conversation with it, across restarts.

    Use it as an asynchronous context manager: entering begins the first run; leaving ends the last one and
    everything that it started, even if it is cancelled. Everything that happens comes out of :meth:`events`.

    Args:
        command: The program and its arguments. The name of the one-shot server takes the place of each
            ``{channel_name}`` in them, else ``channel_name:NAME`` is appended. None is the built-in child.
        options: How to run it; None for what :class:`~tui_ipc.session.run.SessionOptions` has by itself.
        record: Called with each event when it happens, however slowly :meth:`events` is consumed; must
            neither wait nor raise. See :class:`~tui_ipc.recording.writer.Recorder`.

    Raises:
        ValueError: The command is empty.

    Example:
        >>> async def main():
        ...     async with Session() as session:
        ...         await session.ready()
        ...         await session.send("Hello from parent")
        ...     async for event in session.events():
        ...         print(event)
    """

    def __init__(
        self,
        command: Sequence[str] | None = None,
        options: SessionOptions | None = None,
        *,
        record: Callable[[AnyEvent], None] | None = None,
    ) -> None:
        self._command = BUILTIN_CHILD_COMMAND if command is None else tuple(command)
        if not self._command or not self._command[0]:
            raise ValueError("the command is empty; name a program")
        self._options = options or SessionOptions()
        self._timeline = Timeline(record=record)
        self._run: Run | None = None
        self._restarting = asyncio.Lock()
        self._leaving = False

    @property
    def match(self) -> str | None:
        """The rule by which answers are matched, None for their order."""
        return self._options.match

    @property
    def pid(self) -> int | None:
        """The child's process id, None while no child lives."""
        return None if self._run is None else self._run.pid

    @property
    def run_number(self) -> int:
        """The number of the current run, or of the last one; 0 before the first."""
        return 0 if self._run is None else self._run.number

    async def __aenter__(self) -> Self:
        """Begin the first run. How that goes is learned from :meth:`ready` and :meth:`events`."""
        self._timeline.begin()
        self._run = Run(1, self._command, self._options, self._timeline)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the run as :meth:`quit` does, then the events. If cancelled, it ends the run without grace."""
        self._leaving = True
        assert self._run is not None
        ending = asyncio.create_task(self._run.finish())
        # The child must be gone before this returns. So a cancellation only shortens the wait, and is raised
        # again at the end.
        cancelled: asyncio.CancelledError | None = None
        while not ending.done():
            try:
                await asyncio.wait([ending])
            except asyncio.CancelledError as error:
                cancelled = error
                self._run.skip_grace()
        self._timeline.close()
        if cancelled is not None:
            raise cancelled
        ending.result()

    async def ready(self) -> None:
        """Return once the channels are open.

        Raises:
            HandshakeError: They never will be; its text says why.
            NotConnected: The session has not begun.
        """
        await self._current_run().ready()

    async def send(self, value: Any) -> MessageSent:
        """Send a message, waiting while the child does not read.

        It does not wait for the consumer of the events: read them while you send in bulk. The event holds
        ``value`` itself, so do not change it afterwards.

        Raises:
            NotConnected: No child can be sent to; its text says why.
            TypeError: A message cannot hold a value of this type.
            ValueError: A message cannot hold this value, or it is too large.
        """
        raw = encode(value)
        limit = self._options.max_message_size
        if len(raw) > limit:
            raise ValueError(describe_limit(too_large(len(raw), limit)))
        return await self._current_run().send(value, raw)

    async def send_raw(self, data: bytes) -> MessageSent:
        """Send bytes as they are, which need not be a message. They are the ``value`` of the event as well.

        Raises:
            NotConnected: No child can be sent to; its text says why.
            ValueError: There are none, or the child refuses so many.
        """
        if not data:
            raise ValueError("no bytes to send")
        return await self._current_run().send(data, data)

    async def quit(self) -> None:
        """End the run: ``"quit"``, SIGTERM, SIGKILL, each after its grace; returns once nothing is left.

        May be called at any time, again, and from several tasks. Cancelling it does not call off the end.
        """
        if self._run is not None:
            await self._run.finish()

    async def restart(self) -> None:
        """End the run as :meth:`quit` does and begin the next, on the same timeline.

        Raises:
            NotConnected: The session has not begun, or is being left.
        """
        async with self._restarting:
            run = self._current_run()
            await run.finish()
            if self._leaving:
                raise NotConnected("the session is over: it runs no more children")
            self._run = Run(run.number + 1, self._command, self._options, self._timeline)

    def signal(self, number: int) -> None:
        """Send a signal to the child's process group.

        Raises:
            NotConnected: No child runs that we may signal.
            ValueError: The machine has no such signal.
        """
        if number not in signal.valid_signals():
            raise ValueError(f"unknown signal {number} on this machine")
        if self._run is None or not self._run.signal(number, USER_REQUESTED):
            raise NotConnected("no child to signal: it does not run, or runs as another user")

    def resize(self, rows: int, columns: int) -> None:
        """Change the size of the child's terminal, in this run and in those that follow."""
        self._options = replace(self._options, size=(rows, columns))
        if self._run is not None:
            self._run.resize((rows, columns))

    @property
    def is_recorded(self) -> bool:
        """Whether something records the events."""
        return self._timeline.is_recorded

    def add_note(self, text: str, about: int | None = None) -> None:
        """Add a line of text to the events.

        Args:
            text: The line.
            about: The ``at`` of the event that it is about, if it is about one.
        """
        at = self._timeline.stamp()
        self._timeline.add(Note(at=at, run=max(1, self.run_number), text=text, about=about))

    def record_script_step(
        self,
        script: str,
        line: int,
        text: str,
        state: ScriptStepState,
        sentence: str = "",
        details: tuple[str, ...] = (),
    ) -> None:
        """Record that a script begins or ends a step; see :class:`~tui_ipc.events.ScriptStep`.

        The event is only recorded: :meth:`events` does not give it to the script itself.
        """
        at, run = self._timeline.stamp(), max(1, self.run_number)
        self._timeline.record_only(
            ScriptStep(
                at=at,
                run=run,
                script=script,
                line=line,
                text=text,
                state=state,
                sentence=sentence,
                details=details,
            )
        )

    def time_of(self, at: int) -> datetime:
        """Return the wall clock at a moment of the events, in UTC."""
        return datetime.now(UTC) - timedelta(microseconds=(self._timeline.now() - at) // 1000)

    def diagnosis(self) -> "Diagnosis":
        """What the child does at this moment, and why nothing happens; its ``sentences`` are for people."""
        if self._run is not None:
            return self._run.diagnosis()
        from tui_ipc.session.diagnosis import Diagnosis  # most sessions are never diagnosed

        return Diagnosis(phase=RunPhase.NOT_BEGUN)

    def events(self) -> Timeline:
        """Everything that happens, in order, from the first event of the first run to the last one's audit.

        One task consumes it. It may stop and go on later: events are kept, and a child that sends or prints
        more than is taken has to wait. The iteration ends once the session was left.
        """
        return self._timeline

    def _current_run(self) -> Run:
        if self._run is None:
            raise NotConnected("the session has not begun: enter it with 'async with'")
        return self._run
