"""A recording that can be switched on and off while the session goes on.

The one rule: whenever it is switched on, what it writes can be replayed by itself. One that begins midway
begins with the steps of the run so far, moved together to its beginning.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from tui_ipc.session.events import Event
from tui_ipc.session.recorder import Recorder
from tui_ipc.tui.content.story import Story, moved

State = Literal["off", "on", "failed"]


class Tape:
    """Give it to a session as ``record``; it passes events on while it is on.

    Args:
        command: What is recorded, as it was asked for.

    Attributes:
        on_failure: Called with a sentence should a recording end early.
        failures: What was said of those that did.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.on_failure: Callable[[str], None] | None = None
        self.failures: list[str] = []
        self._command = tuple(command)
        self._recorder: Recorder | None = None
        self._story = Story(0)
        self._latest = 0

    @property
    def state(self) -> State:
        """Whether it writes; ``failed`` if it should and cannot."""
        if self._recorder is None:
            return "off"
        return "on" if self._recorder.failure is None else "failed"

    @property
    def path(self) -> str:
        """The file of the recording that is on; empty while none is."""
        return "" if self._recorder is None else self._recorder.path

    @property
    def size(self) -> int:
        """Bytes in that file, with those about to be written."""
        return 0 if self._recorder is None else self._recorder.size

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        if event.run != self._story.run:
            self._story = Story(event.run)
        self._story.note(event)
        self._latest = event.at
        if self._recorder is not None:
            self._recorder(event)

    def start(self, path: str) -> None:
        """Record from now on.

        Raises:
            RecordingError: The file cannot be made, or is not ours to replace.
        """
        self.stop()
        self._recorder = Recorder(path, command=self._command, on_failure=self._on_failure)
        for event in moved(self._story.events, self._latest):
            self._recorder(event)

    def stop(self) -> None:
        """Record no more. Stopping twice is harmless."""
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None

    def _on_failure(self, sentence: str) -> None:
        self.failures.append(sentence)
        if self.on_failure is not None:
            self.on_failure(sentence)
