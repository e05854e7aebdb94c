"""What one run of the child has shown so far, by its events and nothing else.

The one rule: what is kept is bounded, however long the run and whatever the child does.
"""

import signal
from collections import deque
from itertools import islice
from typing import Final

from tui_ipc.script.running.printed import Printed
from tui_ipc.session.events import (
    ASKED,
    Audit,
    ChannelClosed,
    ChannelsOpen,
    ChildExited,
    ChildOutput,
    ChildSpawned,
    Event,
    Fault,
    HandshakeFailed,
    MessageReceived,
    MessageSent,
    SignalSent,
    Stream,
)
from tui_ipc.session.process import Exit

MAX_MESSAGES: Final = 100_000
MAX_BYTES: Final = 64 * 1024 * 1024
"""Above either, no more messages are kept that no step has taken: messages, and bytes of them."""

_UNANSWERED: Final = 16  # messages of ours, the latest, that are remembered
_TAIL: Final = 4096  # bytes of stderr that are kept
_ENDINGS: Final = (signal.SIGTERM, signal.SIGKILL)  # what the session has if "quit" is not enough


class Untaken(deque[MessageReceived]):
    """Messages that came and that no step took yet, oldest first.

    Args:
        max_messages: See :data:`MAX_MESSAGES`.
        max_bytes: See :data:`MAX_BYTES`.

    Attributes:
        dropped: How many came when there was no room for them any more.
    """

    def __init__(self, max_messages: int = MAX_MESSAGES, max_bytes: int = MAX_BYTES) -> None:
        super().__init__()
        self.dropped = 0
        self._bytes = 0
        self._max_messages = max_messages
        self._max_bytes = max_bytes

    @property
    def full(self) -> bool:
        """Whether there is no room for another one."""
        return len(self) >= self._max_messages or self._bytes >= self._max_bytes

    def add(self, message: MessageReceived) -> None:
        """Keep a message, if there is room."""
        if len(self) < self._max_messages and self._bytes < self._max_bytes:
            self.append(message)
            self._bytes += len(message.raw)
        else:
            self.dropped += 1

    def take(self) -> MessageReceived:
        """The oldest, which is kept no longer."""
        message = self.popleft()
        self._bytes -= len(message.raw)
        return message

    def first(self, count: int) -> tuple[MessageReceived, ...]:
        """The oldest, which are kept."""
        return tuple(islice(self, count))


class Life:
    """One run of the child.

    Args:
        run: Its number.

    Attributes:
        run: As given.
        pid: The child's process id, None before it was spawned.
        open: Whether messages may pass, or might: the child may have closed its channel since.
        failed: Why there was no handshake, None if there was.
        received: Messages that no step took yet.
        unanswered: The latest messages sent that no message answered, by number.
        printed: What it prints on either stream.
        fault: What the child broke, None if nothing.
        closed: Whether no message can come any more.
        ending: Set by whoever begins to end the run.
        forced: The signals that the session had to send to the child to end it.
        exited: How the child ended, None while it lives.
        audit: What the run left behind, None until it is over.
        judged: Set once the way in which the run ended has been found to be in order.
    """

    def __init__(self, run: int) -> None:
        self.run = run
        self.pid: int | None = None
        self.open = False
        self.failed: HandshakeFailed | None = None
        self.received = Untaken()
        self.unanswered: dict[int, MessageSent] = {}
        self.printed: dict[Stream, Printed] = {"stdout": Printed(), "stderr": Printed()}
        self.fault: Fault | None = None
        self.closed = False
        self.ending = False
        self.forced: list[SignalSent] = []
        self.exited: ChildExited | None = None
        self.audit: Audit | None = None
        self.judged = False
        self._errors = b""

    def note(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case MessageSent():
                self.unanswered[event.number] = event
                self.unanswered.pop(event.number - _UNANSWERED, None)
            case MessageReceived():
                self.received.add(event)
                if event.answers is not None:
                    self.unanswered.pop(event.answers, None)
            case ChildOutput():
                self.printed[event.stream].feed(event.data)
                if event.stream == "stderr":
                    self._errors = (self._errors + event.data)[-_TAIL:]
            case _:
                self._note_change(event)

    def _note_change(self, event: Event) -> None:
        match event:
            case ChildSpawned():
                self.pid = event.pid
            case ChannelsOpen():
                self.open = True
            case HandshakeFailed():
                self.failed = event
            case Fault():
                self.fault = event
            case ChannelClosed():
                self.closed = True
            case SignalSent():
                forced = event.reason != ASKED and event.signal in _ENDINGS
                if forced and self.exited is None:  # later ones are for what the child left behind
                    self.forced.append(event)
            case ChildExited():
                self.exited = event
                self.closed = True
            case Audit():
                self.audit = event

    def state(self) -> str:
        """What the child is or became, as the rest of a sentence."""
        if self.exited is not None:
            return str(Exit(self.exited.code, self.exited.signal))
        doing = "closed its channel and lives on" if self.closed else "is alive"
        return f"{doing} (pid {self.pid})"

    def last_errors(self, lines: int) -> list[str]:
        """The last lines that the child wrote to stderr."""
        return self._errors.decode(errors="replace").splitlines()[-lines:]
