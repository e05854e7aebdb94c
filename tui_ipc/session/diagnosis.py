"""Why nothing happens: facts of a session at one moment, and what follows from them in plain English.

The one rule: a sentence says what a fact proves and no more; what the kernel does not say is said to be
unknown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from tui_ipc.events import Step
from tui_ipc.osutil.procfs import ProcessState, SystemCall, UnreadBytes, parse_socket_inode
from tui_ipc.osutil.signals import signal_name

SessionPhase = Literal["not begun", "handshake", "failed", "open", "ended", "replay"]
"""Where a session is: no run yet, a handshake that goes on or has failed, channels that are open, a child
that has ended; or no session but a recording of one."""

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
        sent: How many messages were sent.
        waiting: The oldest that wait for an answer, :data:`SHOWN` at most.
        count: How many wait; None if there were too many to keep account of.
        sending: True if a message waits to be sent, because the channel to the child is full.
        to_child: What lies in the channel to the child and was not read by it.
        full: How full the channel to the child is, 1 if a sender has to wait; None if that is unknown.
        to_us: Bytes in the channel from the child that we have not read, None if the kernel does not say.
        writer: The inode of the socket that the child writes to, None if the kernel does not say.
        closed: Nanoseconds since the channel from the child ended, None while it is open.
        quit: Nanoseconds since ``"quit"`` was sent, None if it was not.
        fault: How the child broke the wire, None if it did not.
    """

    sent: int = 0
    waiting: tuple[PendingMessage, ...] = ()
    count: int | None = 0
    sending: bool = False
    to_child: UnreadBytes = field(default_factory=UnreadBytes)
    full: float | None = None
    to_us: int | None = None
    writer: int | None = None
    closed: int | None = None
    quit: int | None = None
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
        phase: Where the session is.
        step: In a handshake, the step to be reached next, or the one that was not reached.
        waited: Nanoseconds since the step before it.
        failure: Why the handshake failed, None if it did not.
        ended: How the child ended (``exited with code 3``), None while it lives.
        stopped: The signal that the child is stopped by, as far as is known.
        child: What the child does, None if there is none.
        traffic: The channels, None unless they were opened.
        output: Bytes that the child printed on either stream and we have not read, None if unknown.
        activity: When each stream last was active.
        consumer_stalled: True if the events are not taken, so that nothing more is read from the child.
    """

    phase: SessionPhase
    step: Step | None = None
    waited: int = 0
    failure: str | None = None
    ended: str | None = None
    stopped: int | None = None
    child: ProcessState | None = None
    traffic: ChannelState | None = None
    output: int | None = None
    activity: LastActivity = field(default_factory=LastActivity)
    consumer_stalled: bool = False

    @property
    def sentences(self) -> tuple[str, ...]:
        """What follows from the facts: the most telling conclusion first, then the evidence."""
        return tuple(_describe(self))


_MULTIPLEX_CALLS: Final = frozenset(
    ("poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2", "io_uring_enter")
)
_READ_CALLS: Final = frozenset(("read", "readv", "recvfrom", "recvmsg", "recvmmsg"))
_WRITE_CALLS: Final = frozenset(("write", "writev", "sendto", "sendmsg", "sendmmsg"))
_SLEEP_CALLS: Final = frozenset(("nanosleep", "clock_nanosleep", "hrtimer_nanosleep"))

_CALL_PURPOSES: Final = {
    **dict.fromkeys(_MULTIPLEX_CALLS, "for one of the descriptors that it watches, or for time to pass"),
    **dict.fromkeys(_SLEEP_CALLS, "for time to pass"),
    **dict.fromkeys(_WRITE_CALLS, "for somebody to read"),
    **dict.fromkeys(("futex", "futex_wait", "futex_waitv"), "for a lock, or for another of its threads"),
    **dict.fromkeys(("wait4", "waitid"), "for a process that it started"),
    **dict.fromkeys(("pause", "rt_sigsuspend", "rt_sigtimedwait"), "for a signal"),
    **dict.fromkeys(("fcntl", "flock"), "for a lock on a file"),
    **dict.fromkeys(("fsync", "fdatasync"), "for the disk"),
    **dict.fromkeys(("semop", "semtimedop"), "for a semaphore"),
    **dict.fromkeys(("accept", "accept4"), "for somebody to connect"),
    **dict.fromkeys(("open", "openat"), "for a file to open, as a named pipe does with nobody at its end"),
    "connect": "for a connection to be accepted",
}
"""What a process that is in a call waits."""

_MISSING_STEP_TEXTS: Final[dict[Step, str]] = {
    "connected": "The child has not connected",
    "hello": "The child connected and has not said hello",
    "channels open": "The child said hello and the channels have not opened",
}

_STALLED_TEXT: Final = (
    "The session holds the child up: its events are not taken, so nothing more is read from the child."
)


def _describe(facts: Diagnosis) -> Iterator[str]:
    match facts.phase:
        case "not begun":
            yield "The session has not begun: no child runs."
        case "replay":
            yield "This is a recording: no child runs."
        case "failed":
            yield _end_sentence(f"The handshake failed: {facts.failure}")
            yield from _describe_present(facts)
        case "ended":
            yield f"The child {facts.ended or 'has ended'}; nobody listens."
            yield from _describe_unanswered(facts)
        case "handshake":
            yield from _describe_handshake(facts)
            yield from _describe_unread_here(facts)
        case "open":
            yield from _describe_conclusions(facts)
            yield from _describe_present(facts)
            yield from _describe_unread_here(facts)
            yield _describe_activity(facts.activity)


def _end_sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _describe_handshake(facts: Diagnosis) -> Iterator[str]:
    if facts.step not in _MISSING_STEP_TEXTS:
        yield "The child has not been started yet."
        return
    missing = f"{_MISSING_STEP_TEXTS[facts.step]} for {_format_duration(facts.waited)}"
    stopped = _describe_stop(facts)
    does = _describe_child(facts)
    if stopped is not None:
        yield stopped
        yield f"{missing}."
    else:
        yield f"{missing}; {does}." if does else f"{missing}."
    if facts.consumer_stalled:
        yield _STALLED_TEXT


def _describe_unanswered(facts: Diagnosis) -> Iterator[str]:
    """What will never be answered, after the child's end."""
    traffic = facts.traffic
    if traffic is None or not traffic.count or not traffic.waiting:
        return
    first = traffic.waiting[0]
    if traffic.count == 1:
        yield f"It did not answer message #{first.number}, sent {_format_duration(first.waited)} ago."
    else:
        yield f"It did not answer {traffic.count} messages, the first of which is #{first.number}."


def _describe_conclusions(facts: Diagnosis) -> Iterator[str]:
    traffic = facts.traffic or ChannelState()
    problems = [*_describe_obstacles(facts, traffic), *_describe_unread(traffic), *_describe_pending(traffic)]
    if problems:
        yield from problems
        if traffic.count and _is_reading_channel(facts, traffic):
            yield "It waits for the next message, as if nothing were left to answer."
    elif facts.child is not None and facts.child.state == "R":
        yield "No message waits for an answer, and the child is at work."
    elif _is_awaiting_message(facts, traffic):
        yield "Nothing is wrong: no message waits for an answer, and the child waits for the next."
    else:
        yield "Nothing is wrong: no message waits for an answer."


def _describe_obstacles(facts: Diagnosis, traffic: ChannelState) -> Iterator[str]:
    """What keeps messages from passing, whether or not one waits."""
    stopped = _describe_stop(facts)
    if stopped is not None:
        yield stopped
    if traffic.fault is not None:
        yield _end_sentence(f"The child broke the wire: {traffic.fault}")
    if traffic.closed is not None:
        yield f"The channel from the child ended {_format_duration(traffic.closed)} ago: no answer can come."
    if traffic.quit is not None:
        since = _format_duration(traffic.quit)
        yield f'The child was asked to end {since} ago, by "quit", and has not ended.'
    if facts.consumer_stalled:
        yield _STALLED_TEXT
    if traffic.sending:
        yield "A message waits to be sent: the channel to the child is full, and the child does not read."


def _describe_unread(traffic: ChannelState) -> Iterator[str]:
    """What the child has not read. Whatever lies unread, the latest message is part of it."""
    unread = traffic.to_child
    if not unread.some:
        return
    lie = "bytes lie" if unread.size is None else _format_unread_bytes(unread.size)
    unknown = "; the kernel does not say how many" if unread.size is None else ""
    only = _single_pending(traffic)
    if only is not None and only.number == traffic.sent:
        which = f"message #{only.number}, sent {_format_duration(only.waited)} ago"
    else:
        which = f"the latest message, #{traffic.sent}"
    yield f"The child has not read {which}: {lie} unread in its channel{unknown}."


def _describe_pending(traffic: ChannelState) -> Iterator[str]:
    """What the child has not answered, and whether it has read that."""
    unread, only = traffic.to_child, _single_pending(traffic)
    if traffic.count is None:
        yield "The child owed so many answers that nothing is matched any more."
        return
    if not traffic.waiting:
        return
    first, waited = traffic.waiting[0].number, _format_duration(traffic.waiting[0].waited)
    if only is None:
        read = " The child has read all of them." if unread.some is False else ""
        yield f"{traffic.count} messages wait for an answer, the first, #{first}, for {waited}.{read}"
    elif unread.some is False:
        yield f"The child read message #{first}, which was sent {waited} ago, and has not answered it."
    elif unread.some is None or only.number != traffic.sent:
        yield f"Message #{first} has waited {waited} for an answer."
    if unread.some is None:
        yield "The kernel does not say whether the child has read all that was sent."


def _single_pending(traffic: ChannelState) -> PendingMessage | None:
    """The one message that waits, None if several do or none."""
    return traffic.waiting[0] if traffic.count == 1 else None


def _describe_stop(facts: Diagnosis) -> str | None:
    state = None if facts.child is None else facts.child.state
    if state == "t":
        return "The child is held by a debugger and does nothing."
    if state != "T" and (state is not None or facts.stopped is None):
        return None
    by = "" if facts.stopped is None else f" by {signal_name(facts.stopped)}"
    return f"The child is stopped{by} and does nothing; SIGCONT lets it go on."


def _describe_present(facts: Diagnosis) -> Iterator[str]:
    """What the child does, as a sentence of its own."""
    does = _describe_child(facts)
    if does is not None and _describe_stop(facts) is None:
        yield f"{does[0].upper()}{does[1:]}."


def _describe_child(facts: Diagnosis) -> str | None:
    """What the child does, to follow a semicolon; None if there is no child."""
    child = facts.child
    if child is None:
        return None
    several = child.threads is not None and child.threads > 1
    it = f"the first of its {child.threads} threads" if several else "it"
    used = "" if child.cpu_seconds is None else f"; it has used {child.cpu_seconds:.1f} s of processor time"
    match child.state:
        case None:
            return "the kernel does not say what the child does"
        case "R":
            return f"{it} runs{used}"
        case "Z" | "X":
            return "it has ended, and is about to be collected"
        case "S" | "D" as state:
            sleeps = "sleeps" if state == "S" else "is stuck in the kernel"
            if child.call is None:
                return f"{it} {sleeps}; the kernel does not say in what"
            return f"{it} {sleeps} in {_describe_call(child.call, facts.traffic)}"
        case other:
            return f"{it} is in state {other}"


def _describe_call(call: SystemCall, traffic: ChannelState | None) -> str:
    on = "" if call.descriptor is None else f" on descriptor {call.descriptor}"
    what = "" if call.file is None else f" ({_describe_file(call.file, traffic)})"
    hint = f", waiting {_CALL_PURPOSES[call.name]}" if call.name in _CALL_PURPOSES else ""
    return f"{call.name}{on}{what}{hint}"


def _describe_file(file: str, traffic: ChannelState | None) -> str:
    inode = parse_socket_inode(file)
    if inode is not None and traffic is not None:
        if inode == traffic.to_child.reader:
            return "its channel from us"
        if inode == traffic.writer:
            return "its channel to us"
    if file.startswith(("socket:", "pipe:")):
        return f"a {file.partition(':')[0]}"
    return file


def _is_awaiting_message(facts: Diagnosis, traffic: ChannelState) -> bool:
    call = None if facts.child is None else facts.child.call
    if call is None:
        return False
    return call.name in _MULTIPLEX_CALLS or _is_reading_channel(facts, traffic)


def _is_reading_channel(facts: Diagnosis, traffic: ChannelState) -> bool:
    """Whether the child sleeps until something comes from us, and has read all that came."""
    call = None if facts.child is None else facts.child.call
    if call is None or call.name not in _READ_CALLS or traffic.to_child.some is not False:
        return False
    inode = parse_socket_inode(call.file)
    return inode is not None and inode == traffic.to_child.reader


def _describe_unread_here(facts: Diagnosis) -> Iterator[str]:
    if facts.traffic is not None and facts.traffic.to_us:
        yield f"{_format_unread_bytes(facts.traffic.to_us)} unread at our end of the channel."
    if facts.output:
        yield f"{_format_unread_bytes(facts.output)} unread in its output."


def _describe_activity(last: LastActivity) -> str:
    sent = (
        "Nothing was sent so far" if last.sent is None else f"We last sent {_format_duration(last.sent)} ago"
    )
    said = (
        "said nothing"
        if last.received is None
        else f"last said something {_format_duration(last.received)} ago"
    )
    printed = [
        f"on {stream} {_format_duration(ago)} ago"
        for stream, ago in (("stdout", last.stdout), ("stderr", last.stderr))
        if ago is not None
    ]
    return f"{sent}; the child {said}, and printed {' and '.join(printed) or 'nothing'}."


def _format_unread_bytes(size: int) -> str:
    return "1 byte lies" if size == 1 else f"{size} bytes lie"


def _format_duration(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e6:.0f} ms" if nanoseconds < 1e9 else f"{nanoseconds / 1e9:.1f} s"
