"""What the inspector says about an entry of the log, in words."""

from collections.abc import Iterable, Iterator

from tui_ipc.session import notation
from tui_ipc.session.events import (
    Audit,
    ChildExited,
    ChildSpawned,
    ChildStopped,
    Event,
    Fault,
    HandshakeFailed,
    HelloReceived,
    MessageReceived,
    MessageSent,
    ServerListening,
    SignalSent,
    StepLate,
)
from tui_ipc.session.process import signal_name
from tui_ipc.session.units import clock, count, duration, plural, size
from tui_ipc.tui.content.line import Line, Span, line
from tui_ipc.tui.content.model import Entry
from tui_ipc.tui.content.sanitize import visible
from tui_ipc.tui.content.status import exit_sentence


def title(entry: Entry) -> str:
    """What the inspector shows, in few words of our own."""
    match entry.event:
        case MessageSent(number=number):
            return f"Message #{number} sent"
        case MessageReceived(number=number):
            return f"Message #{number} received"
        case None:
            return f"Run {entry.run}"
        case event:
            return _words(type(event).__name__)


def summary(entry: Entry) -> str | None:
    """A message's size and what it answers, in few words of our own; None for any other event."""
    match entry.event:
        case MessageReceived(answers=int(answers), elapsed=int(elapsed), raw=raw):
            return f"{size(len(raw))} · answers #{answers} after {duration(elapsed)}"
        case MessageSent(raw=raw) | MessageReceived(raw=raw):
            return size(len(raw))
        case _:
            return None


def value_lines(entry: Entry) -> list[Line]:
    """What an event that is no message says: its sentence, its names, or its log line."""
    match entry.event:
        case HandshakeFailed() | Fault() | StepLate():
            return [line(visible(row)) for row in entry.event.sentence.splitlines()]
        case ServerListening():
            return [line(visible(entry.event.name))]
        case ChildSpawned():
            return [line(visible(word)) for word in entry.event.command]
        case None:
            return [line(f"Run {entry.run} begins here.")]
        case _:
            return [line("".join(span.text for span in entry.line.left[2:]).strip())]


def about_lines(entry: Entry, more: Iterable[tuple[str, str]] = ()) -> list[Line]:
    """The facts of an event, one in a line, and what else is known of it."""
    facts = [("run", str(entry.run))]
    if entry.event is not None:
        facts += [("at", f"{clock(entry.event.at).strip()} s"), *_facts(entry.event)]
    facts += more
    width = max(len(name) for name, _ in facts) + 2
    return [line(Span(f"{name:<{width}}", "muted"), Span(visible(fact))) for name, fact in facts]


def answer_facts(answers: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    """What answers a sent message, the first first."""
    for event in sorted((entry.event for entry in answers), key=lambda event: event.at if event else 0):
        if isinstance(event, MessageReceived) and event.elapsed is not None:
            yield "answered by", f"#{count(event.number)} after {duration(event.elapsed)}"


def _facts(event: Event) -> Iterator[tuple[str, str]]:
    match event:
        case MessageSent() | MessageReceived():
            yield from _message_facts(event)
        case HelloReceived():
            yield "name", event.name
            yield "pid", str(event.pid)
            yield "form", "inline: one connection for both directions" if event.inline else "two channels"
            yield "size", _exactly(len(event.raw))
        case ServerListening():
            yield "server name", event.name
        case ChildSpawned():
            yield "pid", str(event.pid)
            yield "command", " ".join(event.command)
        case SignalSent():
            yield "signal", signal_name(event.signal)
            yield "reason", event.reason
        case StepLate():
            yield "step", event.step
            yield "waited", duration(event.waited)
        case ChildStopped():
            yield "signal", signal_name(event.signal)
        case Fault(byte=int(byte)):
            yield "byte", f"{count(byte)}, counted from 0"
        case HandshakeFailed():
            yield "step missed", event.step
            yield "deadline", "passed" if event.timed_out else "not awaited: it failed at once"
        case ChildExited():
            yield from _exit_facts(event)
        case Audit():
            yield from _audit_facts(event)


def _message_facts(event: MessageSent | MessageReceived) -> Iterator[tuple[str, str]]:
    yield "direction", "to the child" if isinstance(event, MessageSent) else "from the child"
    yield "number", f"#{count(event.number)} of this run"
    yield "kind", notation.kind(event.value)
    yield "size", _exactly(len(event.raw))
    if isinstance(event, MessageReceived) and event.answers is not None and event.elapsed is not None:
        yield "answers", f"#{count(event.answers)} after {duration(event.elapsed)}"


def _exit_facts(event: ChildExited) -> Iterator[tuple[str, str]]:
    yield "end", f"the child {exit_sentence(event)}"
    yield "user time", duration(round(event.user_seconds * 1e9))
    yield "system time", duration(round(event.system_seconds * 1e9))
    yield "peak memory", size(event.max_rss)


def _audit_facts(event: Audit) -> Iterator[tuple[str, str]]:
    yield "processes", ", ".join(map(str, event.processes)) or "none left"
    yield "held open", ", ".join(event.held) or "no stream"
    yield "files", ", ".join(event.files) or "none left"
    yield "unread", plural(event.unread, "byte")
    if event.quit_elapsed is not None:
        yield "quit took", duration(event.quit_elapsed)


def _exactly(number: int) -> str:
    return plural(number, "byte") if number < 1024 else f"{size(number)} ({plural(number, 'byte')})"


def _words(name: str) -> str:
    """``ChildExited`` in words: ``Child exited``."""
    return (
        "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip().capitalize()
    )
