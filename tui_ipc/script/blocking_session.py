"""A session for code that is not asynchronous, such as a test: each call returns when it is done.

The event loop runs during the calls only. In between, what the child sends and prints waits in the kernel,
and is read by the next call.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from tui_ipc.events import AnyEvent, ChildOutput, Stream
from tui_ipc.recording.writer import RecordingWriter
from tui_ipc.script.report.passthrough import OutputTails
from tui_ipc.script.runner.run_state import RunState
from tui_ipc.session.conversation import NotConnected
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import Session

T = TypeVar("T")

_MAX_PRINTED: Final = 1024 * 1024  # bytes of each stream that are kept
_MAX_SENTENCES: Final = 3  # of a diagnosis


class SessionFailure(AssertionError):
    """The child did not do what a test waits for; the text says what, and what it does instead."""


class BlockingSession:
    """A child that a test talks to; :meth:`start` it first, and :meth:`close` it in the end.

    Args:
        command: The child's.
        options: How to run it; ``timeout`` holds for each call as well.
        recorder: Records it, if it is to be recorded.

    Attributes:
        tails: The end of what it printed.
    """

    def __init__(
        self, command: Sequence[str], options: SessionOptions, recorder: RecordingWriter | None = None
    ) -> None:
        self.tails = OutputTails()
        self._timeout = options.timeout
        self._recorder = recorder
        self._loop = asyncio.Runner()
        self._session = Session(command, options, record=recorder)
        self._events = self._session.events()
        self._state = RunState(1)
        self._printed: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}
        self._is_open = False

    def start(self) -> None:
        """Start the child, and return once the channels are open.

        Raises:
            SessionFailure: The child could not be started, or the handshake failed.
        """
        __tracebackhide__ = True  # pytest shows the test's line
        self._is_open = True
        self._run(self._session.__aenter__())
        self._read_until(lambda: self._state.is_open or self._state.handshake_failure is not None, None)
        if self._state.handshake_failure is not None:
            raise SessionFailure(self._state.handshake_failure.sentence)

    def send(self, message: Any) -> None:
        """Send a message.

        Raises:
            SessionFailure: No child can be sent to, or it does not read.
            TypeError: A message cannot hold such a value.
            ValueError: A message cannot hold this value, or it is too large.
        """
        __tracebackhide__ = True
        try:
            is_sent = self._run(self._read_while(self._session.send(message), self._timeout))
        except NotConnected as error:
            raise self._make_failure(str(error)) from None
        if not is_sent:
            raise self._make_failure(f"the child did not take the message within {self._timeout:g} s")

    def receive(self, timeout: float | None = None) -> Any:
        """Receive the next message.

        Args:
            timeout: Seconds to wait at most; None for the session's.

        Raises:
            SessionFailure: None came.
        """
        __tracebackhide__ = True
        state, seconds = self._state, self._timeout if timeout is None else timeout
        self._read_until(lambda: state.received or state.is_closed, seconds)
        if state.received:
            return state.received.take().value
        if state.is_closed:
            raise self._make_failure("no message came, and none can: the channel is closed")
        raise self._make_failure(f"no message came within {seconds:g} s")

    def wait_for_output(
        self, expression: str, stream: Stream = "stdout", timeout: float | None = None
    ) -> re.Match[str]:
        """Wait until the child has printed what a regular expression finds.

        Args:
            expression: For :func:`re.search`, in all that was printed so far.
            stream: ``stdout`` or ``stderr``.
            timeout: Seconds to wait at most; None for the session's.

        Raises:
            SessionFailure: It did not.
        """
        __tracebackhide__ = True
        pattern, seconds = re.compile(expression, re.MULTILINE), self._timeout if timeout is None else timeout
        state = self._state
        self._read_until(lambda: pattern.search(self._text(stream)) or state.exited is not None, seconds)
        match = pattern.search(self._text(stream))
        if match is None:
            raise self._make_failure(f"the child printed nothing on {stream} that /{expression}/ finds")
        return match

    @property
    def stdout(self) -> str:
        """What the child has printed on standard output so far, the last MiB of it."""
        self._read_until(lambda: False, 0)
        return self._text("stdout")

    @property
    def stderr(self) -> str:
        """Likewise on standard error."""
        self._read_until(lambda: False, 0)
        return self._text("stderr")

    def quit(self) -> int:
        """Have the child end, and wait for it.

        Returns:
            Its exit code; the negative number of the signal that ended it.

        Raises:
            SessionFailure: It was not started.
        """
        __tracebackhide__ = True
        self._run(self._read_while(self._session.quit(), None))
        self._read_until(lambda: self._state.audit is not None, self._timeout)
        exited = self._state.exited
        if exited is None or (exited.code is None and exited.signal is None):
            raise SessionFailure("the child was not started, or its exit status was lost")
        return -(exited.signal or 0) if exited.code is None else exited.code

    def close(self) -> None:
        """End the child, however it is, and all that belongs to the session. Closing twice is harmless."""
        if self._is_open:
            self._is_open = False
            self._run(self._read_while(self._session.__aexit__(None, None, None), None))
        self._loop.close()
        if self._recorder is not None:
            self._recorder.close()

    def describe_present(self) -> tuple[str, ...]:
        """What the child does at this moment, in sentences."""
        return self._session.diagnosis().sentences[:_MAX_SENTENCES] if self._is_open else ()

    def _make_failure(self, sentence: str) -> SessionFailure:
        return SessionFailure("\n".join((sentence, *self.describe_present())))

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(coroutine)

    def _read_until(self, condition: Callable[[], object], timeout: float | None) -> None:
        async def read() -> None:
            try:
                async with asyncio.timeout(timeout):
                    while not condition() and await self._read_event():
                        pass
            except TimeoutError:  # what had arrived by then counts
                while not condition() and (event := self._events.take()) is not None:
                    self._apply(event)

        self._run(read())

    async def _read_event(self) -> bool:
        """Read the next event; returns False once there are no more."""
        event = self._events.take()
        if event is not None:
            self._apply(event)
            return True
        return await self._events.wait()

    async def _read_while(self, coroutine: Coroutine[Any, Any, Any], timeout: float | None) -> bool:
        """Read events while a coroutine runs, which may wait for that; False if it was not done in time."""

        async def read_all() -> None:
            while await self._read_event():
                pass

        running, reading = asyncio.create_task(coroutine), asyncio.create_task(read_all())
        try:
            await asyncio.wait([running], timeout=timeout)
        finally:
            for task in (running, reading):
                task.cancel()
            await asyncio.wait([running, reading])
        if running.cancelled():
            return False
        running.result()
        return True

    def _apply(self, event: AnyEvent) -> None:
        self._state.apply(event)
        if isinstance(event, ChildOutput):
            self.tails.add(event)
            self._printed[event.stream] = (self._printed[event.stream] + event.data)[-_MAX_PRINTED:]

    def _text(self, stream: Stream) -> str:
        return self._printed[stream].decode("utf-8", "replace")
