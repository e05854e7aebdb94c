"""The events: everything that can happen in a session, as immutable facts.

The explorer's panes, the script runner, statistics and recordings read events and nothing else. An event
holds no reference to anything that is open or running, and says nothing about how it is shown.

What an event class states here is all that recordings, their reader and JSON know of it: the number of its
kind (``KIND``), its fields in the order of the file, their types and bounds, and which of them may be absent
(those that have a default). So a kind keeps its number, and its fields their order; new kinds and fields go
to the end, and new fields have a default.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple, TypeAlias, get_args


class Between(NamedTuple):
    """The bounds of a number, both included."""

    least: int
    most: int


class NotEmpty(NamedTuple):
    """A tuple has at least one item, and its first one is not empty."""


Count: TypeAlias = Annotated[int, Between(0, 2**63 - 1)]
Ordinal: TypeAlias = Annotated[int, Between(1, 2**63 - 1)]
Nanoseconds: TypeAlias = Annotated[int, Between(0, 2**63 - 1)]
Seconds: TypeAlias = Annotated[float, Between(0, 10**12)]
Pid: TypeAlias = Annotated[int, Between(1, 2**31 - 1)]
StatedPid: TypeAlias = Annotated[int, Between(1, 2**64 - 1)]  # a child may state any
SignalNumber: TypeAlias = Annotated[int, Between(1, 64)]
ExitCode: TypeAlias = Annotated[int, Between(0, 255)]

Stream = Literal["stdout", "stderr"]
Step = Literal["listening", "spawned", "connected", "hello", "channels open"]
LateStep = Literal[Step, "message"]
ScriptStepState = Literal["begun", "passed", "failed"]
Origin = str
"""Who sent a message: ``user``, ``script`` or ``parent``; programs may add others."""

USER_REQUESTED: Final = "the user asked for it"
"""The reason of a :class:`SignalSent` that a person or a script wanted; all others end the child."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBase:
    """What all events have.

    Attributes:
        at: Nanoseconds since the session began, on one monotonic clock.
        run: The run that it belongs to (one life of a child), counted from 1.
    """

    ONCE_A_RUN: ClassVar = False
    """Whether a run has at most one event of the kind."""

    at: Nanoseconds
    run: Ordinal


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerListening(EventBase):
    """The one-shot server waits for the child under ``name``, the path of its socket."""

    KIND: ClassVar = 1
    ONCE_A_RUN: ClassVar = True

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpawned(EventBase):
    """The child's process runs; ``command`` is what was executed, the channel name included."""

    KIND: ClassVar = 2
    ONCE_A_RUN: ClassVar = True

    pid: Pid
    command: Annotated[tuple[str, ...], NotEmpty()]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildConnected(EventBase):
    """A process of our user, or of root, connected to the one-shot server.

    Attributes:
        lineage: Where that is not the child itself: the processes from the child to it, each as
            ``command (pid N)``; it alone where it does not descend from the child.
    """

    KIND: ClassVar = 3
    ONCE_A_RUN: ClassVar = True

    lineage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloReceived(EventBase):
    """The child's first message was a hello.

    Attributes:
        name: What the child calls itself.
        pid: The process id that it states (in another pid namespace it differs from the spawned one).
        inline: True if the connection itself carries both directions, False if the child sent two channels.
        raw: The hello as it came, msgpack.
    """

    KIND: ClassVar = 4
    ONCE_A_RUN: ClassVar = True

    name: str
    pid: StatedPid
    inline: bool
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelsOpen(EventBase):
    """The handshake is complete: messages may pass in both directions."""

    KIND: ClassVar = 5
    ONCE_A_RUN: ClassVar = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLate(EventBase):
    """A step of the handshake, or the rest of a message from the child, takes long; it may still come.

    Attributes:
        step: The step that is waited for; ``message`` for the rest of a message that has begun.
        waited: Nanoseconds since the step before it, or since the last byte.
        sentence: What is waited for, the evidence and the likely cure, for people.
    """

    KIND: ClassVar = 6

    step: LateStep
    waited: Nanoseconds
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSent(EventBase):
    """A message left for the child.

    Attributes:
        number: Counts the messages sent in this run, from 1.
        value: The message.
        raw: Its bytes on the wire, msgpack.
        origin: Who sent it.
        channel: The channel that it took: 0 is the main one, others are counted from 1.
    """

    KIND: ClassVar = 7

    number: Ordinal
    value: Any
    raw: bytes
    origin: Origin = "user"
    channel: Count = 0


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
        channel: The channel that it took, see :class:`MessageSent`.
    """

    KIND: ClassVar = 8

    number: Ordinal
    answers: Ordinal | None = None
    elapsed: Nanoseconds | None = None
    value: Any
    raw: bytes
    channel: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildOutput(EventBase):
    """The child printed ``data``: any piece of its output, not a line."""

    KIND: ClassVar = 9

    stream: Stream
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelClosed(EventBase):
    """The channel from the child ended; the child may still listen, which is found out by sending."""

    KIND: ClassVar = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSent(EventBase):
    """We sent ``signal`` to the child's process group; ``reason`` is a sentence for people."""

    KIND: ClassVar = 11

    signal: SignalNumber
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildStopped(EventBase):
    """The child was stopped by ``signal`` and does nothing until it is continued, by any process."""

    KIND: ClassVar = 12

    signal: SignalNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildContinued(EventBase):
    """A stopped child goes on."""

    KIND: ClassVar = 13


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

    KIND: ClassVar = 14
    ONCE_A_RUN: ClassVar = True

    code: ExitCode | None
    signal: SignalNumber | None
    user_seconds: Seconds
    system_seconds: Seconds
    max_rss: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeFailed(EventBase):
    """The handshake ended without channels.

    Attributes:
        step: The step that was not reached.
        sentence: What happened, the evidence and the likely cure, for people.
        timed_out: True if the deadline passed, False if the handshake failed at once.
    """

    KIND: ClassVar = 15
    ONCE_A_RUN: ClassVar = True

    step: Step
    sentence: str
    timed_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(EventBase):
    """Something that the child sent could not be received: it broke the protocol, or a limit.

    Attributes:
        sentence: What it did, and at which byte.
        byte: That byte, counted from 0 in the stream; None where no byte can be named.
        ends_channel: Whether the channel is of no more use. Otherwise one message was skipped.
        received: What had come of the message, from its first byte on, at most 64 KiB.
        around: The bytes around that byte, up to 32 before it and 32 from it on.
        around_offset: Where those begin, counted as ``byte`` is.
        channel: The channel that it happened on, see :class:`MessageSent`.
        message_byte: That byte again, counted from 0 in its message.
    """

    KIND: ClassVar = 16

    sentence: str
    byte: Count | None = None
    ends_channel: bool = True
    received: bytes = b""
    around: bytes = b""
    around_offset: Count | None = None
    channel: Count = 0
    message_byte: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit(EventBase):
    """What a run left behind, taken when it is over.

    Attributes:
        processes: Pids that were still alive after the child's end, of the session that it led, or the
            child's own if nothing ended it. What could be ended was ended.
        files: Paths of the one-shot server that still existed.
        held: Streams (``stdout``, ``stderr``, ``channel``) whose other end a process still held open when we
            stopped waiting for it: descriptors that the child handed on.
        unread: Bytes that the child sent and that were not received.
        quit_elapsed: Nanoseconds from sending ``"quit"`` to the exit, None if it was not sent.
        unfinished: How many of the unread bytes are of messages that had only begun.
        unmatched: That answers were to be matched by a key path and none ever was, with why; else empty.
        commands: The command lines of those processes, shortened, in the same order; as many as are known.
    """

    KIND: ClassVar = 17
    ONCE_A_RUN: ClassVar = True

    processes: tuple[Pid, ...]
    files: tuple[str, ...]
    unread: Count
    quit_elapsed: Nanoseconds | None
    held: tuple[str, ...] = ()
    unfinished: Count = 0
    commands: tuple[str, ...] = ()
    unmatched: str = ""

    @property
    def clean(self) -> bool:
        """True if nothing was left behind."""
        return not (self.processes or self.files or self.unread or self.held)


HandshakeEvent: TypeAlias = ServerListening | ChildSpawned | ChildConnected | HelloReceived | ChannelsOpen
"""An event that completes a step of the handshake."""

HANDSHAKE_STEPS: Final[dict[type[HandshakeEvent], Step]] = dict(
    zip(get_args(HandshakeEvent), get_args(Step), strict=True)
)
"""The step that each of them completes, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptStep(EventBase):
    """A script that drives the session begins or ends a step.

    Attributes:
        script: The name of the script, as a rule its file.
        line: The line of the step, from 1; 0 for what no line is about, such as the end after the last step.
        text: The step as a script has it.
        state: ``begun``, then ``passed`` or ``failed``.
        sentence: Why it failed, for people; empty otherwise.
        details: What there is to say beside, such as ``expected: 8``, ``received: 7``.
    """

    KIND: ClassVar = 18

    script: str
    line: Count
    text: str
    state: ScriptStepState
    sentence: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(EventBase):
    """A person wrote a line of text about what happened.

    Attributes:
        text: The line.
        about: The ``at`` of the event that it is about, None if it is about none in particular.
    """

    KIND: ClassVar = 19

    text: str
    about: Nanoseconds | None = None


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
    | ScriptStep
    | Note
)
"""Every kind of event. What tells kinds apart matches all of them and ends in ``assert_never``."""
