"""Describes each event in words: a mark, a word, the detail. No colours, no columns, no escapes.

The explorer and scripts use these texts, and each decides how they look.
"""

from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, Literal, assert_never

from tui_ipc import events as ev
from tui_ipc.osutil.signals import describe_exit, signal_name
from tui_ipc.text.notation import render_value
from tui_ipc.text.safe_text import decode_output
from tui_ipc.text.units import format_duration, format_plural

Tone = Literal["plain", "muted", "good", "warn", "bad"]

WORD_WIDTH: Final = 9
"""Characters of the longest word."""


@dataclass(frozen=True, slots=True)
class EventText:
    """The description of an event.

    Attributes:
        mark: One character.
        word: Its name in the language of people.
        detail: The rest. It may hold text of the child's: make control characters visible before it is shown.
        tone: How it is meant.
    """

    mark: str
    word: str
    detail: str
    tone: Tone = "plain"


def name_channel(event: ev.MessageSent | ev.MessageReceived) -> str:
    """What precedes a message that did not take the main channel."""
    return f"channel {event.channel} · " if event.channel else ""


def describe_event(  # noqa: PLR0911, PLR0912 - one case for each kind of event
    event: ev.AnyEvent, limit: int | None = None
) -> EventText:
    """Describe an event; ``limit`` is how many characters of a message's value, None for all."""
    match event:
        case ev.MessageSent():
            return EventText("→", "sent", name_channel(event) + render_value(event.value, limit))
        case ev.MessageReceived():
            return EventText("←", "received", name_channel(event) + render_value(event.value, limit))
        case ev.ChildOutput():
            return EventText("│", event.stream, decode_output(event.data))
        case ev.ServerListening():
            return EventText("●", "listening", event.name, "muted")
        case ev.ChildSpawned():
            return EventText("●", "spawned", f"pid {event.pid} · {' '.join(event.command)}", "muted")
        case ev.ChildConnected():
            return EventText("●", "connected", _describe_connection(event), "muted")
        case ev.HelloReceived():
            form = "inline" if event.inline else "two channels"
            return EventText("●", "hello", f"{event.name} · {form}", "muted")
        case ev.ChannelsOpen():
            return EventText("●", "open", "messages may pass", "good")
        case ev.StepLate():
            return EventText("▲", "late", event.sentence, "warn")
        case ev.HandshakeFailed():
            return EventText("✕", "failed", event.sentence, "bad")
        case ev.Fault():
            return EventText("✕", "fault" if event.ends_channel else "skipped", event.sentence, "bad")
        case ev.SignalSent():
            return EventText("▲", "signal", f"{signal_name(event.signal)} · {event.reason}", "warn")
        case ev.ChildStopped():
            detail = f"by {signal_name(event.signal)}, until it is continued"
            return EventText("▲", "stopped", detail, "warn")
        case ev.ChildContinued():
            return EventText("●", "continued", "the child goes on", "good")
        case ev.ChannelClosed():
            return EventText("○", "closed", "the channel from the child ended", "muted")
        case ev.ChildExited():
            tone: Tone = "good" if event.code == 0 else "bad"
            return EventText("■", "exited", f"the child {describe_exit(event.code, event.signal)}", tone)
        case ev.Audit():
            return _describe_audit(event)
        case ev.ScriptStep():
            return _describe_script_step(event)
        case ev.Note():
            return EventText("✎", "note", event.text, "good")
        case _:
            assert_never(event)


def _describe_connection(event: ev.ChildConnected) -> str:
    if not event.lineage:
        return "to the one-shot server"
    *before, last = event.lineage
    return f"{last}, started by {' → '.join(before)}" if before else f"{last}, not started by the child"


def _describe_script_step(event: ev.ScriptStep) -> EventText:
    detail = f"{event.script}:{event.line}: {event.text}" if event.line else f"{event.script}: {event.text}"
    match event.state:
        case "begun":
            return EventText("▸", "step", detail, "muted")
        case "passed":
            return EventText("✓", "passed", detail, "good")
        case "failed":
            return EventText("✕", "failed", " · ".join((detail, event.sentence, *event.details)), "bad")
        case _:
            assert_never(event.state)


def describe_leftovers(audit: ev.Audit) -> list[str]:
    """What a run left behind, a few words each; empty if it is clean."""
    facts = []
    if audit.processes:
        commands = [f": {command}" for command in audit.commands]
        names = zip_longest(audit.processes, commands[: len(audit.processes)], fillvalue="")
        pids = ", ".join(f"{pid}{command}" for pid, command in names)
        facts.append(f"{format_plural(len(audit.processes), 'process', 'processes')} (pid {pids})")
    facts += [f"{stream} held open" for stream in audit.held]
    if audit.files:
        facts.append(f"{format_plural(len(audit.files), 'file')} ({', '.join(audit.files)})")
    if audit.unfinished:
        facts.append(f"{format_plural(audit.unfinished, 'unread byte')} of an unfinished message")
    if audit.unread > audit.unfinished:
        facts.append(format_plural(audit.unread - audit.unfinished, "unread byte"))
    return facts


def _describe_audit(event: ev.Audit) -> EventText:
    facts = describe_leftovers(event) or ["nothing was left behind"]
    if event.quit_elapsed is not None:
        facts.append(f'ended {format_duration(event.quit_elapsed)} after "quit"')
    if event.unmatched:
        facts.append(event.unmatched)
    mark, word, tone = _CLEAN if event.clean else _LEFT
    return EventText(mark, word, " · ".join(facts), tone)


_CLEAN: Final[tuple[str, str, Tone]] = ("✓", "clean", "good")
_LEFT: Final[tuple[str, str, Tone]] = ("!", "left", "warn")
