"""The line at the top: who is explored, how it is, and how much has passed."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tui_ipc.session.units import count, duration, size
from tui_ipc.tui.content.measures import Measures, sparkline
from tui_ipc.tui.content.sanitize import visible
from tui_ipc.tui.content.status import Phase, Status
from tui_ipc.tui.tape import Tape

MUTED = "$foreground 60%"

WIDEST = 160
"""From how many columns on it is shown, too, what passes in each second."""

NAME_ROOM = 32
"""How many characters of a child's name are shown."""

_BARS = 20  # seconds

_LAMPS: dict[Phase, str] = {"starting": "$text-warning", "open": "$text-success", "over": "$text-error"}


class StatusBar(Horizontal):
    """Shows a status in one line; its left part gives way where room is short.

    Args:
        source: Where the events come from, if not from a living child: it stands in the place of the pid.
    """

    def __init__(self, source: str = "") -> None:
        super().__init__(id="status")
        self._source = source
        self._left = Static(id="who")
        self._right = Static(id="counts")

    def compose(self) -> ComposeResult:
        """Make the parts."""
        yield Static(Content("tui-ipc"), id="brand")
        yield self._left
        yield self._right

    def show(
        self, status: Status, now: int, *, doing: str | None, tape: Tape | None = None, warning: str = ""
    ) -> None:
        """Show a status.

        Args:
            status: It.
            now: The moment of the session.
            doing: What the explorer is about to do, None if nothing.
            tape: What records, if anything does.
            warning: What must be said aloud; empty if nothing.
        """
        _update(self._left, _who(self._source, status, doing, warning))
        _update(self._right, _counts(status, tape, now if self.app.size.width >= WIDEST else None))


def _update(part: Static, content: Content) -> None:
    """Show other content; the screen is laid out anew only if the width changes."""
    old = part.content
    if content != old:
        part.update(content, layout=not isinstance(old, Content) or old.cell_length != content.cell_length)


def _who(source: str, status: Status, doing: str | None, warning: str) -> Content:
    lamp = "$text-warning" if doing or status.stopped is not None else _LAMPS[status.phase]
    facts = [Content.styled(source, "$text-warning")] if source else []
    facts += [Content.styled(_cut(visible(status.name)), "bold")] if status.name else []
    facts += [Content(f"pid {status.pid}")] if status.pid is not None and not source else []
    facts += [Content(f"run {status.run}")] if status.run > 1 else []
    facts.append(Content.styled(f"● {doing or status.state}", lamp))
    if warning:
        facts.append(Content.styled(f"▲ {warning}", "bold $text-warning"))
    return Content.styled(" · ", MUTED).join(facts)


def _cut(name: str) -> str:
    """A name, as long as it leaves room for what is more important."""
    return name if len(name) <= NAME_ROOM else name[: NAME_ROOM - 1] + "…"


def _passing(measures: Measures, now: int) -> list[tuple[str, str]]:
    parts: list[tuple[str, str]] = []
    if measures.percentiles is not None:
        parts += [("   p99 ", MUTED), (duration(measures.percentiles.p99), "bold")]
    passed = [second.sent + second.received for second in measures.seconds(now, _BARS)]
    return [
        *parts,
        (f"   {count(passed[-1])}", "bold"),
        ("/s ", MUTED),
        (sparkline(passed, top=8), "$text-accent"),
    ]


def _recorded(tape: Tape | None) -> list[tuple[str, str]]:
    match None if tape is None else (tape.state, tape.size):
        case "on", length:
            return [(f"● rec {size(length)}", "$text-error"), ("   ", "")]
        case "failed", _:
            return [("✕ rec", "bold $text-error"), ("   ", "")]
        case _:
            return []


def _counts(status: Status, tape: Tape | None, now: int | None) -> Content:
    """What has passed; with a moment, also what passes."""
    parts: list[tuple[str, str]] = [
        *_recorded(tape),
        (count(status.sent), "bold"),
        (" sent   ", MUTED),
        (count(status.received), "bold"),
        (" received", MUTED),
    ]
    if status.p50 is not None:
        parts += [("   p50 ", MUTED), (duration(status.p50), "bold")]
    if now is not None:
        parts += _passing(status.measures, now)
    return Content.assemble(*parts)
