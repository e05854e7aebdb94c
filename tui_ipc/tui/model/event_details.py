"""What the inspector shows of an event besides its value: a title, its facts, and statistics of a message."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, assert_never

from tui_ipc import events as ev
from tui_ipc.osutil.signals import describe_exit, signal_name
from tui_ipc.text import notation
from tui_ipc.text.safe_text import make_lines_visible, make_visible
from tui_ipc.text.units import (
    format_clock,
    format_count,
    format_date_and_time,
    format_duration,
    format_plural,
    format_size,
)
from tui_ipc.tui.model.byte_map import ByteMap
from tui_ipc.tui.model.log_entry import LogEntry
from tui_ipc.tui.model.ring_buffer import RingBuffer
from tui_ipc.tui.model.styled_line import Line, Span, line

COUNT_LIMIT: Final = 100_000
"""How many values are counted: more of them would look alike."""

_COUNT_CHUNK: Final = 500  # values in a step, which takes about a millisecond

_SINGLE_BYTE_FAMILIES: Final = ("nil", "bool", "int")  # one byte may be both the kind and the content

_NOUNS: Final = {
    "map": ("map", "maps"),
    "array": ("array", "arrays"),
    "str": ("string", "strings"),
    "bin": ("binary", "binaries"),
    "int": ("integer", "integers"),
    "float": ("float", "floats"),
    "bool": ("boolean", "booleans"),
    "nil": ("null", "nulls"),
    "ext": ("extension", "extensions"),
}


class MessageStats:
    """Counts the values of a message by kind, its depth, and how many of its bytes are headers, step by step.

    Args:
        byte_map: The message and its bytes.
    """

    def __init__(self, byte_map: ByteMap) -> None:
        self._byte_map = byte_map
        self._kinds: Counter[str] = Counter()
        self._headers = 0
        self._depth = 0
        self._counted = 0  # bytes so far

    def steps(self) -> Iterator[None]:
        """Count; each step takes about a millisecond."""
        index = self._byte_map.index
        while self._kinds.total() < COUNT_LIMIT:
            chunk = list(islice(index.tokens(self._counted), _COUNT_CHUNK))
            for part, path in chunk:
                self._kinds[part.family] += 1
                if part.end - part.start > 1 or part.family not in _SINGLE_BYTE_FAMILIES:
                    self._headers += part.payload_start - part.start
                self._depth = max(self._depth, len(path))
                self._counted = part.end
            if not chunk and not self._byte_map.advance() and index.indexed_size == self._counted:
                return
            yield

    def facts(self) -> Iterator[tuple[str, str]]:
        """What was counted so far, as pairs of a name and a fact."""
        if not self._counted:
            return
        kinds = ((self._kinds[kind], nouns) for kind, nouns in _NOUNS.items())
        held = ", ".join(format_plural(number, *nouns) for number, nouns in kinds if number)
        whole = self._counted == len(self._byte_map.raw)
        yield "holds", held if whole else f"{held}, in its first {format_plural(self._counted, 'byte')}"
        if self._depth > 1:
            yield "depth", str(self._depth)
        share = 100 * self._headers / self._counted
        yield (
            "headers",
            f"{format_count(self._headers)} of {format_plural(self._counted, 'byte')}, {share:.0f} %",
        )


def entry_title(entry: LogEntry) -> str:
    """The inspector's title for a line of the log; no part of it comes from the child."""
    match entry.event:
        case ev.MessageSent(number=number):
            return f"Message #{number} sent"
        case ev.MessageReceived(number=number):
            return f"Message #{number} received"
        case None:
            return f"Run {entry.run}"
        case event:
            return _split_words(type(event).__name__)


def entry_summary(entry: LogEntry) -> str | None:
    """A message's size and what it answers, without anything from the child; None for any other event."""
    match entry.event:
        case ev.MessageReceived(answers=int(answers), elapsed=int(elapsed), raw=raw):
            return f"{format_size(len(raw))} · answers #{answers} after {format_duration(elapsed)}"
        case ev.MessageSent(raw=raw) | ev.MessageReceived(raw=raw):
            return format_size(len(raw))
        case _:
            return None


def value_lines(entry: LogEntry) -> list[Line]:
    """The inspector's value of an event: its sentence, its names, or the text of its line in the log."""
    match entry.event:
        case ev.HandshakeFailed() | ev.Fault() | ev.StepLate():
            return [line(row) for row in make_lines_visible(entry.event.sentence).split("\n")]
        case ev.ServerListening():
            return [line(make_visible(entry.event.name))]
        case ev.Note():
            return [line(make_visible(entry.event.text))]
        case ev.ChildSpawned():
            return [line(make_visible(word)) for word in entry.event.command]
        case None:
            return [line(f"Run {entry.run} begins here.")]
        case (
            ev.ChildConnected()
            | ev.HelloReceived()
            | ev.ChannelsOpen()
            | ev.MessageSent()
            | ev.MessageReceived()
            | ev.ChildOutput()
            | ev.ChannelClosed()
            | ev.SignalSent()
            | ev.ChildStopped()
            | ev.ChildContinued()
            | ev.ChildExited()
            | ev.Audit()
            | ev.ScriptStep()
        ):
            return [line("".join(span.text for span in entry.line.left[2:]).strip())]  # without time and mark
        case _:
            assert_never(entry.event)


def about_lines(entry: LogEntry, more: Iterable[tuple[str, str]] = ()) -> list[Line]:
    """The facts of an event, one a line, and then the facts of ``more``."""
    facts = [("run", str(entry.run))]
    if entry.event is not None:
        time = "not recorded" if entry.time is None else format_date_and_time(entry.time)
        facts += [("at", f"{format_clock(entry.event.at).strip()} s"), ("time", time)]
        facts += _list_facts(entry.event)
    facts += more
    width = max(len(name) for name, _ in facts) + 2
    return [line(Span(f"{name:<{width}}", "muted"), Span(make_visible(fact))) for name, fact in facts]


def find_partners(log: RingBuffer[LogEntry], entry: LogEntry) -> Iterator[int]:
    """Yield the indexes of the answers to a sent message, the newest first, or of what a reply answers.

    The search begins at the newest entry, since what is inspected is mostly near. What the log has forgotten
    is not found.
    """
    match entry.held:
        case ev.MessageSent() as sent:
            yield from _find_answers(log, sent)
        case ev.MessageReceived(answers=int(number), run=run):
            for index, other in log.newest_first():
                event = other.held
                if isinstance(event, ev.MessageSent) and event.number == number and event.run == run:
                    yield index
                    return
        case _:
            return  # only messages have answers


def _find_answers(log: RingBuffer[LogEntry], sent: ev.MessageSent) -> Iterator[int]:
    for index, other in log.newest_first():
        event = other.held
        if event is sent:
            return
        if isinstance(event, ev.MessageReceived) and event.answers == sent.number and event.run == sent.run:
            yield index


def explain_no_partner(entry: LogEntry) -> str:
    """Say why an entry has no partner."""
    match entry.held:
        case ev.MessageSent(number=number):
            return f"No answer to #{format_count(number)} has come."
        case ev.MessageReceived(answers=int(number)):
            return f"#{format_count(number)}, which this answers, is no longer in the log."
        case ev.MessageReceived(number=number):
            return f"#{format_count(number)} answers no message."
        case _:
            return "Only messages have answers."


def list_answers(answers: Iterable[LogEntry]) -> Iterator[tuple[str, str]]:
    """The answers to a sent message as facts, in the order in which they came."""
    for event in sorted((entry.held for entry in answers), key=lambda event: event.at if event else 0):
        if isinstance(event, ev.MessageReceived) and event.elapsed is not None:
            yield "answered by", f"#{format_count(event.number)} after {format_duration(event.elapsed)}"


def describe_wait(entry: LogEntry, now: int) -> Iterator[tuple[str, str]]:
    """Say of a message without an answer how long it has waited, or why it waits in vain."""
    exchange = entry.exchange
    if exchange is None or exchange.elapsed is not None:
        return
    if exchange.pending.ending:
        yield "answer", exchange.pending.ending
    elif exchange.is_waiting(now):
        yield "answer", f"none yet, after {format_duration(now - exchange.sent_at)}"


def _list_facts(  # noqa: PLR0912, PLR0915 - one case for each kind of event
    event: ev.AnyEvent,
) -> Iterator[tuple[str, str]]:
    match event:
        case ev.MessageSent() | ev.MessageReceived():
            yield from _message_facts(event)
        case ev.HelloReceived():
            yield "name", event.name
            yield "pid", str(event.pid)
            yield "form", "inline: one connection for both directions" if event.inline else "two channels"
            yield "size", _format_size(len(event.raw))
        case ev.ServerListening():
            yield "server name", event.name
        case ev.ChildSpawned():
            yield "pid", str(event.pid)
            yield "command", " ".join(event.command)
        case ev.SignalSent():
            yield "signal", signal_name(event.signal)
            yield "reason", event.reason
        case ev.StepLate():
            yield "step", event.step
            yield "waited", format_duration(event.waited)
        case ev.ChildStopped():
            yield "signal", signal_name(event.signal)
        case ev.Fault():
            yield "channel", "of no more use" if event.ends_channel else "goes on; one message was skipped"
            if event.byte is not None:
                yield "byte", f"{format_count(event.byte)}, counted from 0"
            if event.message_byte is not None:
                yield "in message", f"byte {format_count(event.message_byte)}, counted from 0"
            if event.received:
                yield "received", _format_size(len(event.received))
            if event.around_offset is not None:
                yield "around", f"{event.around.hex(' ')}, from byte {format_count(event.around_offset)} on"
        case ev.HandshakeFailed():
            yield "step missed", event.step
            yield "deadline", "passed" if event.timed_out else "not reached: it failed earlier"
        case ev.ChildExited():
            yield from _exit_facts(event)
        case ev.Audit():
            yield from _audit_facts(event)
        case ev.ScriptStep():
            yield "script", event.script
            yield from [("line", format_count(event.line))] if event.line else []
            yield "step", event.text
            for detail in event.details:
                label, _, text = detail.partition(": ")
                yield label, text
        case ev.Note():
            if event.about is not None:
                yield "about", f"{format_clock(event.about).strip()} s"
        case ev.ChildConnected():
            for process in event.lineage:
                yield "process", process
        case ev.ChannelsOpen() | ev.ChildContinued() | ev.ChannelClosed() | ev.ChildOutput():
            pass  # their line in the log says all
        case _:
            assert_never(event)


def _message_facts(event: ev.MessageSent | ev.MessageReceived) -> Iterator[tuple[str, str]]:
    yield "direction", "to the child" if isinstance(event, ev.MessageSent) else "from the child"
    if isinstance(event, ev.MessageSent) and event.origin != "user":  # which old recordings say of all
        yield "sent by", event.origin
    yield from [("channel", format_count(event.channel))] if event.channel else []
    yield "number", f"#{format_count(event.number)} of this run"
    yield "kind", notation.name_kind(event.value)
    yield "size", _format_size(len(event.raw))
    if isinstance(event, ev.MessageReceived) and event.answers is not None and event.elapsed is not None:
        yield "answers", f"#{format_count(event.answers)} after {format_duration(event.elapsed)}"


def _exit_facts(event: ev.ChildExited) -> Iterator[tuple[str, str]]:
    yield "end", f"the child {describe_exit(event.code, event.signal)}"
    yield "user time", format_duration(round(event.user_seconds * 1e9))
    yield "system time", format_duration(round(event.system_seconds * 1e9))
    yield "peak memory", format_size(event.max_rss)


def _audit_facts(event: ev.Audit) -> Iterator[tuple[str, str]]:
    yield "processes", ", ".join(map(str, event.processes)) or "none left"
    yield "held open", ", ".join(event.held) or "no stream"
    yield "files", ", ".join(event.files) or "none left"
    yield "unread", format_plural(event.unread, "byte")
    if event.quit_elapsed is not None:
        yield "quit took", format_duration(event.quit_elapsed)


def _format_size(number: int) -> str:
    return (
        format_plural(number, "byte")
        if number < 1024
        else f"{format_size(number)} ({format_plural(number, 'byte')})"
    )


def _split_words(name: str) -> str:
    """Turn ``ChildExited`` into ``Child exited``."""
    return (
        "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip().capitalize()
    )
