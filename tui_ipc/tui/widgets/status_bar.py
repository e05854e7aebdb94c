"""The line at the top: who is explored, how it is, and how much has passed."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tui_ipc.events import Fault, HandshakeFailed, StepLate
from tui_ipc.text.safe_text import format_sentence, make_visible
from tui_ipc.text.units import format_count, format_duration, format_size
from tui_ipc.tui.model.session_model import Problem
from tui_ipc.tui.model.status import RunMetrics, RunPhase, Status, draw_sparkline
from tui_ipc.tui.session_controller import SessionRecorder

MUTED = "$foreground 60%"

WIDEST_COLUMNS = 160
"""From how many columns on it is shown, too, what passes in each second."""

NAME_CHARS = 32
"""How many characters of a child's name are shown."""

_SPARKLINE_SECONDS = 20  # seconds

_PHASE_COLOURS: dict[RunPhase, str] = {
    "starting": "$text-warning",
    "open": "$text-success",
    "over": "$text-error",
}


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
        self,
        status: Status,
        now: int,
        *,
        doing: str | None,
        tape: SessionRecorder | None = None,
        warning: str = "",
    ) -> None:
        """Show a status.

        Args:
            status: It.
            now: The moment of the session.
            doing: What the explorer is about to do, None if nothing.
            tape: What records, if anything does.
            warning: What must be said aloud; empty if nothing.
        """
        _update_static(self._left, _render_child(self._source, status, doing, warning))
        _update_static(
            self._right, _render_counts(status, tape, now if self.app.size.width >= WIDEST_COLUMNS else None)
        )


def _update_static(part: Static, content: Content) -> None:
    """Show other content; the screen is laid out anew only if the width changes."""
    old = part.content
    if content != old:
        part.update(content, layout=not isinstance(old, Content) or old.cell_length != content.cell_length)


def _render_child(source: str, status: Status, doing: str | None, warning: str) -> Content:
    lamp = "$text-warning" if doing or status.stopped is not None else _PHASE_COLOURS[status.phase]
    facts = [Content.styled(source, "$text-warning")] if source else []
    facts += [Content.styled(_shorten_name(make_visible(status.name)), "bold")] if status.name else []
    facts += [Content(f"pid {status.pid}")] if status.pid is not None and not source else []
    facts += [Content(f"run {status.run}")] if status.run > 1 else []
    facts.append(Content.styled(f"● {doing or status.state}", lamp))
    if warning:
        facts.append(Content.styled(f"▲ {warning}", "bold $text-warning"))
    return Content.styled(" · ", MUTED).join(facts)


def _shorten_name(name: str) -> str:
    """A name, as long as it leaves room for what is more important."""
    return name if len(name) <= NAME_CHARS else name[: NAME_CHARS - 1] + "…"


def _render_rates(measures: RunMetrics, now: int) -> list[tuple[str, str]]:
    parts: list[tuple[str, str]] = []
    if measures.percentiles is not None:
        parts += [("   p99 ", MUTED), (format_duration(measures.percentiles.p99), "bold")]
    passed = [second.sent + second.received for second in measures.list_seconds(now, _SPARKLINE_SECONDS)]
    return [
        *parts,
        (f"   {format_count(passed[-1])}", "bold"),
        ("/s ", MUTED),
        (draw_sparkline(passed, top=8), "$text-accent"),
    ]


def _render_recording(tape: SessionRecorder | None) -> list[tuple[str, str]]:
    match None if tape is None else (tape.state, tape.size):
        case "on", length:
            return [(f"● rec {format_size(length)}", "$text-error"), ("   ", "")]
        case "failed", _:
            return [("✕ rec", "bold $text-error"), ("   ", "")]
        case _:
            return []


def _render_counts(status: Status, tape: SessionRecorder | None, now: int | None) -> Content:
    """What has passed; with a moment, also what passes."""
    parts: list[tuple[str, str]] = [
        *_render_recording(tape),
        (format_count(status.sent), "bold"),
        (" sent   ", MUTED),
        (format_count(status.received), "bold"),
        (" received", MUTED),
    ]
    if status.p50 is not None:
        parts += [("   p50 ", MUTED), (format_duration(status.p50), "bold")]
    if now is not None:
        parts += _render_rates(status.metrics, now)
    return Content.assemble(*parts)


class TroubleNotice(Static):
    """A box above the panes that is there only while there is something to say.

    Args:
        remedy: Says what the user can do about it.
    """

    def __init__(self, remedy: Callable[[], str]) -> None:
        super().__init__(id="notice")
        self._remedy = remedy
        self._trouble: Problem | None = None

    def show(self, problem: Problem | None) -> None:
        """Say what goes or went wrong; None if nothing does."""
        if problem is self._trouble:
            return
        self._trouble = problem
        self.set_class(problem is not None, "-shown")
        self.set_class(isinstance(problem, StepLate), "-late")
        if problem is None:
            return
        self.border_title = _trouble_title(problem)
        self.border_subtitle = self._remedy()
        self.update(Content(format_sentence(problem.sentence)))


def _trouble_title(problem: Problem) -> str:
    match problem:
        case StepLate():
            return "The handshake takes long"
        case HandshakeFailed():
            return "Handshake failed"
        case Fault():
            return "Protocol broken"
