"""Everything that can happen in a session, as facts.

Events are the spine of the project: the explorer's panes, the script runner, statistics and recordings all
read these and nothing else. They are immutable, hold no reference to anything alive, and say nothing about
how they are shown. This module does no I/O and imports nothing of the project.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

Stream = Literal["stdout", "stderr"]
Step = Literal["listening", "spawned", "connected", "hello", "channels open"]

USER_REQUESTED: Final = "the user asked for it"
"""The reason of a :class:`SignalSent` that a person or a script wanted; all others end the child."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBase:
    """One thing that happened.

    Attributes:
        at: Nanoseconds since the session began, on one monotonic clock.
        run: The life of the child that it belongs to, counted from 1.
    """

    at: int
    run: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerListening(EventBase):
    """The one-shot server waits for the child under ``name``, the path of its socket."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpawned(EventBase):
    """The child's process runs; ``command`` is what was executed, the channel name included."""

    pid: int
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildConnected(EventBase):
    """A process of our user connected to the one-shot server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloReceived(EventBase):
    """The child's first message was a hello.

    Attributes:
        name: What the child calls itself.
        pid: The process id that it states (in another pid namespace it differs from the spawned one).
        inline: True if the connection itself carries both directions, False if the child sent two channels.
        raw: The hello as it came, msgpack.
    """

    name: str
    pid: int
    inline: bool
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelsOpen(EventBase):
    """The handshake is complete: messages may pass in both directions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLate(EventBase):
    """A step of the handshake takes long; it may still succeed.

    Attributes:
        step: The step that is waited for.
        waited: Nanoseconds since the step before it.
        sentence: What is waited for, the evidence and the likely cure, for people.
    """

    step: Step
    waited: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSent(EventBase):
    """A message left for the child.

    Attributes:
        number: Counts the messages sent in this run, from 1.
        value: The message.
        raw: Its bytes on the wire, msgpack.
    """

    number: int
    value: Any
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived(EventBase):
    """A message came from the child.

    Attributes:
        number: Counts the messages received in this run, from 1.
        value: The message. Handles in it are shown as text; the session closes them.
        raw: Its bytes on the wire, msgpack.
        answers: The ``number`` of the sent message that it answers, None if unasked: the oldest that waits,
            or the one with the same value under a key path, where the session was asked for that.
        elapsed: Nanoseconds between that message and this one, None if unasked.
    """

    number: int
    value: Any
    raw: bytes
    answers: int | None = None
    elapsed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildOutput(EventBase):
    """The child printed ``data``: any piece of its output, not a line."""

    stream: Stream
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelClosed(EventBase):
    """The channel from the child ended: the child closed it, its process ended, or a Fault came before.

    The child may still listen: whether it does is found out by sending.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSent(EventBase):
    """We sent ``signal`` to the child's process group; ``reason`` is a sentence for people."""

    signal: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildStopped(EventBase):
    """The child was stopped by ``signal`` and does nothing until it is continued; whoever sent it."""

    signal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildContinued(EventBase):
    """A stopped child goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildExited(EventBase):
    """The child ended and was reaped.

    Attributes:
        code: Its exit code, None if a signal ended it.
        signal: The number of the signal that ended it, None if it exited. Both are None if somebody else
            collected the exit status.
        user_seconds: CPU time that it and its reaped children spent in user mode.
        system_seconds: CPU time that they spent in the kernel.
        max_rss: The largest resident memory of any one of them, in bytes. On Linux no less than our own was
            when we started it: execve(2) keeps the peak of what ran before.
    """

    code: int | None
    signal: int | None
    user_seconds: float
    system_seconds: float
    max_rss: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeFailed(EventBase):
    """The handshake ended without channels.

    Attributes:
        step: The step that was not reached.
        sentence: What happened, the evidence and the likely cure, for people.
        timed_out: True if the deadline passed, False if the handshake failed at once.
    """

    step: Step
    sentence: str
    timed_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(EventBase):
    """The child broke the wire. The channel is of no more use.

    Attributes:
        sentence: What it did, and at which byte.
        byte: That byte, counted from 0 in the stream; None where no byte can be named.
    """

    sentence: str
    byte: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit(EventBase):
    """What a run left behind, taken when it is over.

    Attributes:
        processes: Pids that were still alive after the child's end, of the session that it led, or the
            child's own if nothing ended it. What could be ended was ended.
        files: Paths of the one-shot server that still existed.
        held: Streams (``stdout``, ``stderr``, ``channel``) whose other end a process still held open when we
            stopped waiting for it: descriptors that the child handed on.
        unread: Bytes that the child sent and nobody received.
        quit_elapsed: Nanoseconds from sending ``"quit"`` to the exit, None if it was not sent.
    """

    processes: tuple[int, ...]
    files: tuple[str, ...]
    unread: int
    quit_elapsed: int | None
    held: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """True if nothing was left behind."""
        return not (self.processes or self.files or self.unread or self.held)


HandshakeEvent: TypeAlias = ServerListening | ChildSpawned | ChildConnected | HelloReceived | ChannelsOpen
"""An event that completes a step of the handshake."""

HANDSHAKE_STEPS: Final[dict[type[HandshakeEvent], Step]] = {
    ServerListening: "listening",
    ChildSpawned: "spawned",
    ChildConnected: "connected",
    HelloReceived: "hello",
    ChannelsOpen: "channels open",
}
"""The step that each of them completes, in their order."""

AnyEvent: TypeAlias = (
    HandshakeEvent
    | StepLate
    | MessageSent
    | MessageReceived
    | ChildOutput
    | ChannelClosed
    | SignalSent
    | ChildStopped
    | ChildContinued
    | ChildExited
    | HandshakeFailed
    | Fault
    | Audit
)
"""Every kind of event. What tells kinds apart matches all of them and ends in ``assert_never``."""
