"""What is said of an event, whoever shows it: a mark, a word, the detail. No colours, no columns, no escapes.

The one rule: each event has one sentence, and it stands here; a face decides how it looks.
"""

from dataclasses import dataclass
from typing import Final, Literal

from tui_ipc.session.events import (
    Audit,
    ChannelClosed,
    ChannelsOpen,
    ChildConnected,
    ChildContinued,
    ChildExited,
    ChildOutput,
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
from tui_ipc.session.notation import render
from tui_ipc.session.process import Exit, signal_name
from tui_ipc.session.units import duration, plural

Tone = Literal["plain", "muted", "good", "warn", "bad"]

WORD_WIDTH: Final = 9
"""Characters of the longest word."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What is said of an event.

    Attributes:
        mark: One character.
        word: Its name in the language of people.
        detail: The rest. It may hold what a child said: make control characters visible before it is shown.
        tone: How it is meant.
    """

    mark: str
    word: str
    detail: str
    tone: Tone = "plain"


def told(event: Event, limit: int | None = None) -> Telling:
    """What to say of an event; ``limit`` is how many characters of a message's value, None for all."""
    match event:
        case MessageSent():
            return Telling("→", "sent", render(event.value, limit))
        case MessageReceived():
            return Telling("←", "received", render(event.value, limit))
        case ChildOutput():
            return Telling("│", event.stream, event.data.decode(errors="backslashreplace"))
        case ServerListening():
            return Telling("●", "listening", event.name, "muted")
        case ChildSpawned():
            return Telling("●", "spawned", f"pid {event.pid} · {' '.join(event.command)}", "muted")
        case ChildConnected():
            return Telling("●", "connected", "to the one-shot server", "muted")
        case HelloReceived():
            form = "inline" if event.inline else "two channels"
            return Telling("●", "hello", f"{event.name} · {form}", "muted")
        case ChannelsOpen():
            return Telling("●", "open", "messages may pass", "good")
        case _:
            return _trouble_or_end(event)


def _trouble_or_end(event: Event) -> Telling:
    match event:
        case StepLate():
            return Telling("▲", "late", event.sentence, "warn")
        case HandshakeFailed():
            return Telling("✕", "failed", event.sentence, "bad")
        case Fault():
            return Telling("✕", "fault", event.sentence, "bad")
        case SignalSent():
            return Telling("▲", "signal", f"{signal_name(event.signal)} · {event.reason}", "warn")
        case ChildStopped():
            detail = f"by {signal_name(event.signal)}, until it is continued"
            return Telling("▲", "stopped", detail, "warn")
        case ChildContinued():
            return Telling("●", "continued", "the child goes on", "good")
        case ChannelClosed():
            return Telling("○", "closed", "the channel from the child ended", "muted")
        case ChildExited():
            tone: Tone = "good" if event.code == 0 else "bad"
            return Telling("■", "exited", f"the child {Exit(event.code, event.signal)}", tone)
        case Audit():
            return _audit(event)
        case _:
            raise TypeError(f"nothing is said of {type(event).__name__}")


def left_behind(audit: Audit) -> list[str]:
    """What a run left behind, each a few words; nothing if it is clean."""
    facts = []
    if audit.processes:
        pids = ", ".join(map(str, audit.processes))
        facts.append(f"{plural(len(audit.processes), 'process', 'processes')} (pid {pids})")
    facts += [f"{stream} held open" for stream in audit.held]
    if audit.files:
        facts.append(f"{plural(len(audit.files), 'file')} ({', '.join(audit.files)})")
    if audit.unread:
        facts.append(plural(audit.unread, "unread byte"))
    return facts


def _audit(event: Audit) -> Telling:
    facts = left_behind(event) or ["nothing was left behind"]
    if event.quit_elapsed is not None:
        facts.append(f'ended {duration(event.quit_elapsed)} after "quit"')
    mark, word, tone = _CLEAN if event.clean else _LEFT
    return Telling(mark, word, " · ".join(facts), tone)


_CLEAN: Final[tuple[str, str, Tone]] = ("✓", "clean", "good")
_LEFT: Final[tuple[str, str, Tone]] = ("!", "left", "warn")
