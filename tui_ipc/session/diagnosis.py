"""Why nothing happens: the facts of a session at one moment, and the sentences that follow from them.

A sentence says what the facts prove and no more; what the kernel does not tell is said to be unknown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, assert_never

from tui_ipc.events import Step
from tui_ipc.osutil.descriptors import UnreadBytes
from tui_ipc.osutil.procfs import ProcessState
from tui_ipc.session.handshake import HANDSHAKE_STEPS, RunPhase
from tui_ipc.session.process_text import describe_process, describe_stop, is_reading, is_watching, is_writing
from tui_ipc.session.unfinished import SendProgress, UnfinishedMessage
from tui_ipc.text.units import format_count, format_plural

MAX_PENDING_SHOWN: Final = 100
"""Messages that wait, in a diagnosis, at most; there may be many more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingMessage:
    """A message without an answer: its number, and the nanoseconds since it left."""

    number: int
    waited: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """The channels of a run.

    Attributes:
        sent_count: How many messages were sent.
        pending: The oldest that wait for an answer, :data:`MAX_PENDING_SHOWN` at most.
        pending_count: How many wait; None if there were too many to count on.
        is_send_blocked: True if a message waits to be sent, because the channel to the child is full.
        unread_by_child: What the child has not read of the channel to it.
        progress: How it gets on with reading.
        latest_size: Bytes of the latest message in the channel, None if it went on a stream of its own.
        unfinished: The messages from the child that have only begun.
        send_buffer_usage: How full the channel to the child is, 1 if a sender has to wait; None if unknown.
        unread_from_child: Bytes in the channel from the child that we have not read, None if the kernel does
            not say.
        child_writer_inode: The inode of the socket that the child writes to, None if the kernel does not say.
        misses: That no answer was ever matched by its key path, with why; empty if that is not so.
        closed_for: Nanoseconds since the channel from the child ended, None while it is open.
        quit_for: Nanoseconds since ``"quit"`` was sent, None if it was not.
        fault: What was wrong with what the child sent, None if nothing was.
    """

    sent_count: int = 0
    pending: tuple[PendingMessage, ...] = ()
    pending_count: int | None = 0
    is_send_blocked: bool = False
    unread_by_child: UnreadBytes = field(default_factory=UnreadBytes)
    progress: SendProgress = field(default_factory=SendProgress)
    latest_size: int | None = None
    unfinished: tuple[UnfinishedMessage, ...] = ()
    send_buffer_usage: float | None = None
    unread_from_child: int | None = None
    child_writer_inode: int | None = None
    misses: str = ""
    closed_for: int | None = None
    quit_for: int | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastActivity:
    """Nanoseconds since the last message each way and the last output; None where there was none."""

    sent: int | None = None
    received: int | None = None
    stdout: int | None = None
    stderr: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What a session and its child do at one moment.

    Attributes:
        phase: How far the run has come.
        step: In a handshake, the step to be reached next, or the one that was not reached.
        waited: Nanoseconds since the step before it.
        unfinished_hello: What has come of the child's first message, None if nothing has, or all of it.
        failure: Why the handshake failed, None if it did not.
        exit_text: How the child ended (``exited with code 3``), None while it lives.
        stopped_by: The signal that the child is stopped by, as far as is known.
        child: What the child does, or the process that connected in its place; None if there is none.
        lineage: Where another process than the child connected: those from the child to it.
        has_talker_ended: Whether that process has ended, so that the child itself was looked at.
        channels: The channels, None unless they were opened.
        unread_output: Bytes that the child printed on either stream and we have not read, None if unknown.
        last_activity: When each stream was last active.
        consumer_stalled: True if the events are not taken, so that nothing more is read from the child.
    """

    phase: RunPhase
    step: Step | None = None
    waited: int = 0
    unfinished_hello: UnfinishedMessage | None = None
    failure: str | None = None
    exit_text: str | None = None
    stopped_by: int | None = None
    child: ProcessState | None = None
    lineage: tuple[str, ...] = ()
    has_talker_ended: bool = False
    channels: ChannelState | None = None
    unread_output: int | None = None
    last_activity: LastActivity = field(default_factory=LastActivity)
    consumer_stalled: bool = False

    @property
    def sentences(self) -> tuple[str, ...]:
        """What follows from the facts: first what explains most, then the evidence."""
        return tuple(_describe(self))


_MIN_PAUSE: Final = 100_000_000
"""Nanoseconds from which on it is worth saying that the child has read nothing."""

_STALLED_TEXT: Final = (
    "The session stalls the child: its events are not taken, so nothing more is read from the child."
)


def _describe(facts: Diagnosis) -> Iterator[str]:
    match facts.phase:
        case RunPhase.NOT_BEGUN:
            yield "The session has not begun: no child runs."
        case RunPhase.REPLAY:
            yield "This is a recording: no child runs."
        case RunPhase.FAILED:
            yield _end_sentence(f"The handshake failed: {facts.failure}")
            yield from _describe_present(facts)
        case RunPhase.ENDED:
            yield f"The child {facts.exit_text or 'has ended'}."
            yield from _describe_unanswered(facts)
        case RunPhase.HANDSHAKE:
            yield from _describe_handshake(facts)
            yield from _describe_unread_here(facts)
        case RunPhase.OPEN:
            yield from _describe_conclusions(facts)
            yield from _describe_present(facts)
            yield from _describe_unread_here(facts)
            yield _describe_activity(facts.last_activity)
        case phase:
            assert_never(phase)


def _end_sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _describe_handshake(facts: Diagnosis) -> Iterator[str]:
    step = HANDSHAKE_STEPS[facts.step or "spawned"]
    if step.needs_child:
        missing = f"{step.missing} for {_format_duration(facts.waited)}"
    else:
        yield f"{step.missing}."
        return
    stopped = describe_stop(facts.child, facts.stopped_by)
    does = _describe_child(facts)
    if stopped is not None:
        yield stopped
        yield f"{missing}."
    else:
        yield f"{missing}; {does}." if does else f"{missing}."
    if facts.unfinished_hello is not None:
        yield f"{facts.unfinished_hello}."
    yield from _describe_lineage(facts)
    if facts.consumer_stalled:
        yield _STALLED_TEXT


def _describe_unanswered(facts: Diagnosis) -> Iterator[str]:
    """What will never be answered, after the child's end."""
    channels = facts.channels
    if channels is None or not channels.pending_count or not channels.pending:
        return
    first = channels.pending[0]
    if channels.pending_count == 1:
        yield f"It did not answer message #{first.number}, sent {_format_duration(first.waited)} ago."
    else:
        yield f"It did not answer {channels.pending_count} messages, the first of which is #{first.number}."


def _describe_conclusions(facts: Diagnosis) -> Iterator[str]:
    channels = facts.channels or ChannelState()
    problems = [
        *_describe_obstacles(facts, channels),
        *(f"{message}." for message in channels.unfinished),
        *_describe_unread(channels),
        *_describe_pending(channels),
        *([f"{channels.misses[0].upper()}{channels.misses[1:]}."] if channels.misses else []),
    ]
    if problems:
        yield from problems
        if channels.unfinished and (is_watching(facts.child) or _is_reading_channel(facts, channels)):
            yield (
                "The child waits for the next message, so it takes what it sent for whole; "
                "check the lengths and counts that it writes."
            )
        elif channels.pending_count and _is_reading_channel(facts, channels):
            yield "It waits for the next message, as if nothing were left to answer."
    elif facts.child is not None and facts.child.state == "R":
        yield "No message waits for an answer, and the child is at work."
    elif is_watching(facts.child) or _is_reading_channel(facts, channels):
        yield "The child is idle: no message waits for an answer, and it waits for the next."
    else:
        yield "Nothing is overdue: no message waits for an answer."


def _describe_obstacles(facts: Diagnosis, channels: ChannelState) -> Iterator[str]:
    """What keeps messages from passing, whether or not one waits."""
    stopped = describe_stop(facts.child, facts.stopped_by)
    if stopped is not None:
        yield stopped
    if channels.fault is not None:
        yield _end_sentence(f"The child broke the protocol: {channels.fault}")
    if channels.closed_for is not None:
        since = _format_duration(channels.closed_for)
        yield f"The channel from the child ended {since} ago: no answer can come."
    if channels.quit_for is not None:
        since = _format_duration(channels.quit_for)
        yield f'The child was asked to end {since} ago, by "quit", and has not ended.'
    if facts.consumer_stalled:
        yield _STALLED_TEXT
    if channels.is_send_blocked:
        yield f"A message waits to be sent: the channel to the child is full{_describe_reading(channels)}."


def _describe_reading(channels: ChannelState) -> str:
    """How the child gets on with a message that waits to be sent, to follow a clause."""
    progress = channels.progress
    if progress.nothing_for is not None and progress.nothing_for >= _MIN_PAUSE:
        reads = f"has read nothing for {_format_duration(progress.nothing_for)}"
    elif progress.read_within is not None:
        reads = f"has read something within the last {_format_duration(progress.read_within)}"
    else:
        reads = ""
    if not progress.taken or progress.size is None:
        return reads and f", and the child {reads}"
    taken = f"{format_count(progress.taken)} of its {format_plural(progress.size, 'byte')}"
    return f"; the child has taken {taken}{reads and f', and {reads}'}"


def _describe_unread(channels: ChannelState) -> Iterator[str]:
    # Channels are read in order: whatever is unread, the latest message is part of it.
    unread = channels.unread_by_child
    begun_since = channels.is_send_blocked and (channels.progress.taken or not channels.sent_count)
    if not unread.any or begun_since:  # what is unread is then of the message that waits to be sent
        return
    size = "bytes" if unread.size is None else format_plural(unread.size, "byte")
    are = "is" if unread.size == 1 else "are"
    unknown = "; the kernel does not say how many" if unread.size is None else ""
    only = _single_pending(channels)
    if only is not None and only.number == channels.sent_count:
        which = f"message #{only.number}, sent {_format_duration(only.waited)} ago"
    else:
        which = f"the latest message, #{channels.sent_count}"
    pace = "" if channels.is_send_blocked else _describe_pace(channels.progress)
    rest = f"{pace}: {size} {are} unread in its channel{unknown}."
    latest = channels.latest_size or 0
    if unread.size is None or channels.is_send_blocked or latest <= unread.size:
        yield f"The child has not read {which}{rest}"
    else:
        read = f"{format_count(latest - unread.size)} of the {format_plural(latest, 'byte')}"
        yield f"The child has read {read} of {which}{rest}"


def _describe_pace(progress: SendProgress) -> str:
    if progress.read_within is None:
        return ""
    return f", and reads slowly, the last time within {_format_duration(progress.read_within)}"


def _describe_pending(channels: ChannelState) -> Iterator[str]:
    """What the child has not answered, and whether it has read that."""
    unread, only = channels.unread_by_child, _single_pending(channels)
    if channels.pending_count is None:
        yield "So many messages have no answer that none is matched any more."
        return
    if not channels.pending:
        return
    first, waited = channels.pending[0].number, _format_duration(channels.pending[0].waited)
    if only is None:
        read = " The child has read all of them." if unread.any is False else ""
        count = channels.pending_count
        yield f"{count} messages wait for an answer, the first, #{first}, for {waited}.{read}"
    elif unread.any is False:
        yield f"The child read message #{first}, which was sent {waited} ago, and has not answered it."
    elif unread.any is None or only.number != channels.sent_count:
        yield f"Message #{first} has waited {waited} for an answer."
    if unread.any is None:
        yield "The kernel does not say whether the child has read all that was sent."


def _single_pending(channels: ChannelState) -> PendingMessage | None:
    """The one message that waits, None if several do or none."""
    return channels.pending[0] if channels.pending_count == 1 else None


def _describe_present(facts: Diagnosis) -> Iterator[str]:
    """What the child does, as a sentence of its own."""
    yield from _describe_lineage(facts)
    does = _describe_child(facts)
    if does is not None and describe_stop(facts.child, facts.stopped_by) is None:
        yield f"{does[0].upper()}{does[1:]}."


def _describe_lineage(facts: Diagnosis) -> Iterator[str]:
    """Which process talks, where it is not the child itself."""
    if not facts.lineage or facts.child is None:
        return
    *before, talker = facts.lineage
    started = f"started by {' → '.join(before)}" if before else "which the child did not start"
    if facts.has_talker_ended:
        rest = before[0] if before else "the child"
        yield f"The process that talked, {talker}, has ended; {rest} lives on."
    else:
        yield f"The process that talks is {talker}, {started}."


def _describe_child(facts: Diagnosis) -> str | None:
    """What the child does, to follow a semicolon; None if there is no child."""
    if facts.child is None:
        return None
    channels = facts.channels or ChannelState()
    sockets = {channels.unread_by_child.reader_inode: "its channel from us"}
    if channels.child_writer_inode not in sockets or is_writing(facts.child):  # inline, they are one
        sockets[channels.child_writer_inode] = "its channel to us"
    return describe_process(facts.child, {inode: name for inode, name in sockets.items() if inode})


def _is_reading_channel(facts: Diagnosis, channels: ChannelState) -> bool:
    """Whether the child sleeps until something comes from us, and has read all that came."""
    unread = channels.unread_by_child
    return unread.any is False and is_reading(facts.child, unread.reader_inode)


def _describe_unread_here(facts: Diagnosis) -> Iterator[str]:
    if facts.channels is not None and facts.channels.unread_from_child:
        yield f"Unread at our end of the channel: {format_plural(facts.channels.unread_from_child, 'byte')}."
    if facts.unread_output:
        yield f"Unread in its output: {format_plural(facts.unread_output, 'byte')}."


def _describe_activity(last: LastActivity) -> str:
    sent = "Nothing was sent so far"
    if last.sent is not None:
        sent = f"We last sent a message {_format_duration(last.sent)} ago"
    received = "sent nothing"
    if last.received is not None:
        received = f"last sent one {_format_duration(last.received)} ago"
    printed = [
        f"on {stream} {_format_duration(ago)} ago"
        for stream, ago in (("stdout", last.stdout), ("stderr", last.stderr))
        if ago is not None
    ]
    return f"{sent}; the child {received}, and printed {' and '.join(printed) or 'nothing'}."


def _format_duration(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e6:.0f} ms" if nanoseconds < 1e9 else f"{nanoseconds / 1e9:.1f} s"
