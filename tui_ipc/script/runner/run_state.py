"""What a child printed on one stream, to be searched as it grows. Pure.

The one rule: memory and time are bounded however much is printed. Of what was printed behind the last match,
the latest :data:`KEPT` characters at least are kept, and twice as many at most. Nothing is decoded before
somebody looks for something.
"""

import codecs
import re
import signal
from collections import deque
from itertools import islice
from typing import Final

from tui_ipc.events import (
    USER_REQUESTED,
    AnyEvent,
    Audit,
    ChannelClosed,
    ChannelsOpen,
    ChildExited,
    ChildOutput,
    ChildSpawned,
    Fault,
    HandshakeFailed,
    MessageReceived,
    MessageSent,
    SignalSent,
    Stream,
)
from tui_ipc.session.process import ExitStatus

KEEP_AT_LEAST: Final = 1024 * 1024
"""Characters, or bytes that were not looked at yet, of which none is forgotten."""

_LOOKBACK: Final = 64 * 1024
"""How far back a match may begin, in characters before the news, to be found at once. One that is longer is
found once the text has grown by an eighth, or nothing more can come."""

_SHOWN: Final = 4096  # characters in which the last lines are sought


class SearchableOutput:
    """One stream of one run. Its bytes are UTF-8; those that are not become U+FFFD."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._news: deque[bytes] = deque()
        self._news_size = 0
        self._text = ""
        self._begin = 0  # in the text: behind the last match
        self._searched = 0  # how long the text was when all of it was searched, and for what
        self._sought: str | None = None

    def feed(self, data: bytes) -> None:
        """Take what was printed."""
        self._news.append(data)
        self._news_size += len(data)
        while self._news_size - len(self._news[0]) >= KEEP_AT_LEAST:
            self._news_size -= len(self._news.popleft())

    def find(self, expression: str, *, final: bool = False) -> bool:
        """Whether a regular expression is found behind the last match; if so, that is the last match now.

        ``^`` and ``$`` stand for the beginning and the end of a line.

        Args:
            expression: What to look for, as :mod:`re` has it.
            final: Nothing more comes: look everywhere.
        """
        if expression != self._sought:
            self._sought, self._searched = expression, 0
        elif not self._news and not final:
            return False
        before = len(self._text)
        self._read()
        start = max(self._begin, before - _LOOKBACK)
        if final or len(self._text) - self._begin <= _LOOKBACK or len(self._text) > self._searched * 9 // 8:
            start, self._searched = self._begin, len(self._text)
        match = re.compile(expression, re.MULTILINE).search(self._text, start)
        if match is not None:
            self._begin, self._sought = match.end(), None
        return match is not None

    def last_lines(self, count: int) -> list[str]:
        """The last lines behind the last match; of the line that this ended, the rest if there is one."""
        self._read()
        text = self._text[max(self._begin, len(self._text) - _SHOWN) :]
        return text.lstrip("\r\n").splitlines()[-count:]

    def _read(self) -> None:
        """Decode the news, and forget what is too old."""
        if not self._news:
            return
        self._text += self._decoder.decode(b"".join(self._news))
        self._news.clear()
        self._news_size = 0
        behind = len(self._text) - self._begin
        surplus = self._begin - _LOOKBACK  # what stands before a match may decide whether it is one
        if behind > 2 * KEEP_AT_LEAST:
            surplus = len(self._text) - KEEP_AT_LEAST
        if surplus > _LOOKBACK:
            self._text = self._text[surplus:]
            self._begin = max(self._begin - surplus, 0)
            self._searched = max(self._searched - surplus, 0)


MAX_MESSAGES: Final = 100_000
MAX_BYTES: Final = 64 * 1024 * 1024
"""Above either, no more messages are kept that no step has taken: messages, and bytes of them."""

_UNANSWERED: Final = 16  # messages of ours, the latest, that are remembered
_STDERR_KEPT: Final = 4096  # bytes of stderr that are kept
_ENDING_SIGNALS: Final = (signal.SIGTERM, signal.SIGKILL)  # what the session has if "quit" is not enough


class UnclaimedMessages(deque[MessageReceived]):
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


class RunState:
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
        self.received = UnclaimedMessages()
        self.unanswered: dict[int, MessageSent] = {}
        self.printed: dict[Stream, SearchableOutput] = {
            "stdout": SearchableOutput(),
            "stderr": SearchableOutput(),
        }
        self.fault: Fault | None = None
        self.closed = False
        self.ending = False
        self.forced: list[SignalSent] = []
        self.exited: ChildExited | None = None
        self.audit: Audit | None = None
        self.judged = False
        self._errors = b""

    def note(self, event: AnyEvent) -> None:
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
                    self._errors = (self._errors + event.data)[-_STDERR_KEPT:]
            case _:
                self._note_change(event)

    def _note_change(self, event: AnyEvent) -> None:
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
                forced = event.reason != USER_REQUESTED and event.signal in _ENDING_SIGNALS
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
            return str(ExitStatus(self.exited.code, self.exited.signal))
        doing = "closed its channel and lives on" if self.closed else "is alive"
        return f"{doing} (pid {self.pid})"

    def last_errors(self, lines: int) -> list[str]:
        """The last lines that the child wrote to stderr."""
        return self._errors.decode(errors="replace").splitlines()[-lines:]
