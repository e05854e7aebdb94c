"""What the status line and the message box need to know, told by events and by nothing else."""

from os.path import basename
from typing import Literal

from tui_ipc.events import (
    AnyEvent,
    ChannelClosed,
    ChannelsOpen,
    ChildConnected,
    ChildContinued,
    ChildExited,
    ChildSpawned,
    ChildStopped,
    Fault,
    HandshakeFailed,
    HelloReceived,
    MessageReceived,
    MessageSent,
    ServerListening,
    Step,
    StepLate,
)
from tui_ipc.osutil.signals import signal_name
from tui_ipc.session.process import ExitStatus
from tui_ipc.tui.model.metrics import RunMetrics

Phase = Literal["starting", "open", "over"]

_WAITING_FOR: dict[Step, str] = {
    "listening": "waiting for its server",
    "spawned": "waiting for its process",
    "connected": "waiting for it to connect",
    "hello": "waiting for its hello",
    "channels open": "waiting for its channels",
}


def describe_exit(event: ChildExited) -> str:
    """How a child ended: ``exited with code 3``, ``was ended by SIGKILL``."""
    return str(ExitStatus(event.code, event.signal))


class Status:
    """The state of the current run.

    Attributes:
        run: The run that the rest speaks of; 0 before the first.
        name: What the child calls itself, or its program's name until it said so.
        pid: Its process id, None until it is spawned.
        phase: ``starting`` until the channels are open, ``over`` once nobody can be talked to.
        stopped: The number of the signal that stopped the child, None while it is not stopped.
        sent: Messages sent in this run.
        received: Messages received in this run.
        measures: How fast this run talks.
    """

    def __init__(self) -> None:
        self.name = ""
        self._begin(0)

    def _begin(self, run: int) -> None:
        self.run = run
        self.pid: int | None = None
        self.phase: Phase = "starting"
        self.stopped: int | None = None
        self._state = "starting"
        self._end = ""
        self._broken = False
        self._exited = False
        self.sent = 0
        self.received = 0
        self.measures = RunMetrics()

    @property
    def p50(self) -> int | None:
        """The median time from a message to its answer in ns, None before the first answer."""
        percentiles = self.measures.percentiles
        return None if percentiles is None else percentiles.p50

    @property
    def state(self) -> str:
        """The phase in a word or two, for the status line."""
        return self._state if self.stopped is None else f"stopped by {signal_name(self.stopped)}"

    @property
    def lives(self) -> bool:
        """Whether the child's process runs, as far as is known."""
        return self.pid is not None and not self._exited

    @property
    def absence(self) -> str | None:
        """Why nobody listens, None while somebody does or may soon."""
        return f"nobody listens: the child {self._end}" if self.phase == "over" else None

    def apply(self, event: AnyEvent) -> None:
        """Take in what happened."""
        if event.run != self.run:
            self._begin(event.run)
        match event:
            case MessageSent():
                self.sent = event.number
                self.measures.sent(event.at, len(event.raw))
            case MessageReceived():
                self.received = event.number
                self.measures.received(event.at, len(event.raw), event.elapsed)
            case ChildStopped():
                self.stopped = event.signal
            case ChildContinued():
                self.stopped = None
            case _:
                self._apply_step(event)

    def _apply_step(self, event: AnyEvent) -> None:
        match event:
            case ServerListening():
                self._state = "listening"
            case ChildSpawned():
                self.pid = event.pid
                self.name = self.name or basename(event.command[0])
                self._state = _WAITING_FOR["connected"]
            case ChildConnected():
                self._state = _WAITING_FOR["hello"]
            case HelloReceived():
                self.name = event.name
                self._state = "said hello"
            case ChannelsOpen():
                self.phase, self._state = "open", "connected"
            case StepLate():
                self._state = f"late: {_WAITING_FOR[event.step]}"
            case _:
                self._apply_end(event)

    def _apply_end(self, event: AnyEvent) -> None:
        match event:
            case HandshakeFailed():
                self._broken = True
                self._over("handshake failed", "did not shake hands")
            case Fault():
                self._broken = True
                self._over("broke the protocol", "broke the protocol")
            case ChannelClosed():
                self._over("channel closed", "closed its channel")
            case ChildExited():
                self.stopped, self._exited = None, True
                sentence = describe_exit(event)
                self._over(self._state if self._broken else sentence, sentence)

    def _over(self, state: str, end: str) -> None:
        self.phase, self._state, self._end = "over", state, end
