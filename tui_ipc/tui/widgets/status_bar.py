"""What is above the panes: the status bar, a notice of what went wrong, and the metrics."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, assert_never

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from tui_ipc.events import Fault, HandshakeFailed, StepLate
from tui_ipc.session.handshake import RunPhase
from tui_ipc.text.safe_text import format_sentence, make_visible
from tui_ipc.text.units import format_count, format_duration, format_plural, format_size
from tui_ipc.tui.model.session_model import Problem
from tui_ipc.tui.model.status import RunMetrics, Status, StatusPhase, TrafficSecond, draw_sparkline
from tui_ipc.tui.session_controller import SessionRecorder
from tui_ipc.tui.widgets.line_view import MUTED

if TYPE_CHECKING:
    from tui_ipc.session.diagnosis import Diagnosis

WIDEST_COLUMNS = 160
"""The least number of columns at which the rates of the last seconds are shown, too."""

WIDE_COLUMNS = 100
"""The least number of columns at which the inspector has a pane of its own, and the status bar shows all."""

NAME_CHARS = 32
"""The most characters of a child's name that are shown."""

_SPARKLINE_SECONDS = 20


class StatusBar(Horizontal):
    """Shows the child, its state, what waits, and the counts; where room is short the left part is cropped.

    In a narrow terminal the pid and the counts make room for what waits.

    Args:
        why_key: Returns the key that explains why nothing happens.
        source: Where the events come from, if not from a running child; shown in place of the pid.
    """

    def __init__(self, why_key: Callable[[], str], source: str = "") -> None:
        super().__init__(id="status")
        self._why_key = why_key
        self._source = source
        self._left = Static(id="who")
        self._waiting = Static(Content(), id="waiting")
        self._right = Static(id="counts")

    def compose(self) -> ComposeResult:
        """Make the parts."""
        yield Static(Content("tui-ipc"), id="brand")
        yield self._left
        yield self._waiting
        yield self._right

    def show(
        self,
        status: Status,
        now: int,
        *,
        pending: str | None,
        waiting: tuple[int, int] | None = None,
        recorder: SessionRecorder | None = None,
        warning: str = "",
    ) -> None:
        """Show a status.

        Args:
            status: The state of the current run.
            now: The current time of the session in ns.
            pending: What is under way and waits for the child, None if nothing is.
            waiting: How many messages wait for an answer, and since how many ns; None if that is normal.
            recorder: What records, if anything does.
            warning: A warning about a channel; empty for none.
        """
        width = self.app.size.width
        has_room = waiting is None or width >= WIDE_COLUMNS
        pid = status.pid if has_room and not self._source else None
        _update_static(self._left, _render_child(self._source, status, pid, pending, warning))
        _update_static(self._waiting, _render_waiting(waiting, self._why_key()))
        if has_room:
            counts = _render_counts(status, recorder, now if width >= WIDEST_COLUMNS else None)
        else:
            counts = Content.assemble(*_render_recording(recorder))
        _update_static(self._right, counts)


def _update_static(part: Static, content: Content) -> None:
    """Show other content; the screen is laid out anew only if the width changes."""
    old = part.content
    if content != old:
        part.update(content, layout=not isinstance(old, Content) or old.cell_length != content.cell_length)


def _render_child(source: str, status: Status, pid: int | None, pending: str | None, warning: str) -> Content:
    waits = pending or status.stopped is not None
    colour = "$text-warning" if waits else _phase_colour(status.phase)
    facts = [Content.styled(source, "$text-warning")] if source else []
    facts += [Content.styled(_shorten_name(make_visible(status.name)), "bold")] if status.name else []
    facts += [Content(f"pid {pid}")] if pid is not None else []
    facts += [Content(f"run {status.run}")] if status.run > 1 else []
    facts.append(Content.styled(f"● {pending or status.state}", colour))
    if warning:
        facts.append(Content.styled(f"▲ {warning}", "bold $text-warning"))
    return Content.styled(" · ", MUTED).join(facts)


def _render_waiting(waiting: tuple[int, int] | None, why_key: str) -> Content:
    if waiting is None:
        return Content()
    count, longest = waiting
    text = f"  ⧗ {format_count(count)} waiting · {format_duration(longest)} "
    return Content.assemble((text, "$text-warning"), (f"({why_key})", MUTED))


def _phase_colour(phase: StatusPhase) -> str:
    match phase:
        case "starting":
            return "$text-warning"
        case "open":
            return "$text-success"
        case "over":
            return "$text-error"
        case _:
            assert_never(phase)


def _shorten_name(name: str) -> str:
    return name if len(name) <= NAME_CHARS else name[: NAME_CHARS - 1] + "…"


def _render_rates(metrics: RunMetrics, now: int) -> list[tuple[str, str]]:
    parts: list[tuple[str, str]] = []
    if metrics.percentiles is not None:
        parts += [("   p99 ", MUTED), (format_duration(metrics.percentiles.p99), "bold")]
    passed = [second.sent + second.received for second in metrics.list_seconds(now, _SPARKLINE_SECONDS)]
    return [
        *parts,
        (f"   {format_count(passed[-1])}", "bold"),
        ("/s ", MUTED),
        (draw_sparkline(passed, top=8), "$text-accent"),
    ]


def _render_recording(recorder: SessionRecorder | None) -> list[tuple[str, str]]:
    if recorder is None:
        return []
    match recorder.state:
        case "on":
            return [(f"● rec {format_size(recorder.size)}", "$text-error"), ("   ", "")]
        case "failed":
            return [("✕ rec", "bold $text-error"), ("   ", "")]
        case "off":
            return []
        case _:
            assert_never(recorder.state)


def _render_counts(status: Status, recorder: SessionRecorder | None, now: int | None) -> Content:
    """Return the counts; with a time, also the rates of the last seconds."""
    parts: list[tuple[str, str]] = [
        *_render_recording(recorder),
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
    """A box above the panes that is shown while something is late or failed.

    Args:
        remedy: Returns what the user can do about it.
    """

    def __init__(self, remedy: Callable[[], str]) -> None:
        super().__init__(id="notice")
        self._remedy = remedy
        self._trouble: Problem | None = None

    def show(self, problem: Problem | None) -> None:
        """Show what is late or failed; None hides the box."""
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
        case StepLate(step="message"):
            return "Message unfinished"
        case StepLate():
            return "Handshake is slow"
        case HandshakeFailed():
            return "Handshake failed"
        case Fault():
            return "Protocol broken" if problem.ends_channel else "Message skipped"
        case _:
            assert_never(problem)


METRICS_REFRESH_SECONDS: Final = 0.4
"""Seconds between two updates of the metrics, while they are shown."""

NEARLY_FULL: Final = 0.75
"""The share of its capacity from which on a channel counts as nearly full."""

_LABEL_WIDTH: Final = 10
_MIN_SECONDS: Final = 12  # no bars are drawn for fewer seconds
_MAX_SECONDS: Final = 120

MetricsRow = tuple[str, list[tuple[str, str]], str, str]
"""A label, facts, bars, and the colour of the bars."""


class MetricsPanel(Static):
    """Shows latencies, rates and what is unread, above the panes, while it is switched on.

    Args:
        get_metrics: Returns those of the current run.
        now: Returns the current time of the session in ns.
        diagnose: Returns what the session knows of its channels.
    """

    BORDER_TITLE = "Metrics"

    def __init__(
        self,
        get_metrics: Callable[[], RunMetrics],
        now: Callable[[], int],
        diagnose: Callable[[], "Diagnosis"],
    ) -> None:
        super().__init__(id="metrics")
        self._get_metrics = get_metrics
        self._now = now
        self._diagnose = diagnose
        self._timer: Timer | None = None
        self.display = False

    def on_mount(self) -> None:
        """Make the timer, which runs while the panel is shown."""
        self._timer = self.set_interval(METRICS_REFRESH_SECONDS, self.sync, pause=True)

    def toggle(self, hint: str) -> None:
        """Show the panel, or hide it; the hint names the key."""
        self.display = not self.display
        self.border_subtitle = f"each bar is one second · {hint} hides"
        if self._timer is not None and self.display:
            self._timer.resume()
            self.call_after_refresh(self.sync)
        elif self._timer is not None:
            self._timer.pause()

    def on_resize(self) -> None:
        """Draw as many bars as there is room for."""
        self.sync()

    def sync(self) -> None:
        """Show the metrics as they are now."""
        if self.display and self.content_size.width:
            content = render_metrics(
                self._get_metrics(), self._now(), self._diagnose(), self.content_size.width
            )
            if content != self.content:
                self.update(content, layout=False)


def render_metrics(metrics: RunMetrics, now: int, facts: "Diagnosis", width: int) -> Content:
    """Return four rows: latency, sent, received, unread."""
    seconds = metrics.list_seconds(now, _MAX_SECONDS)
    seconds = [each for each in seconds if each.number >= 0] or [TrafficSecond(0)]
    rows = [
        _latency_row(metrics, seconds),
        _rate_row("sent", "$text-primary", [(each.sent, each.sent_bytes) for each in seconds]),
        _rate_row("received", "$text-success", [(each.received, each.received_bytes) for each in seconds]),
        ("unread", _unread_facts(facts), "", ""),
    ]
    return Content("\n").join(_render_row(row, width) for row in rows)


def _render_row(row: MetricsRow, width: int) -> Content:
    label, facts, bars, colour = row
    left = Content.assemble((f"{label:<{_LABEL_WIDTH}}", MUTED), *facts)
    room = width - left.cell_length - 3
    if not bars or room < _MIN_SECONDS:
        return left.truncate(width, ellipsis=True)
    shown = bars[-room:]
    return Content.assemble(left, " " * (width - left.cell_length - len(shown)), (shown, colour))


def _latency_row(metrics: RunMetrics, seconds: list[TrafficSecond]) -> MetricsRow:
    found = metrics.percentiles
    if found is None or metrics.slowest is None:
        return "latency", [("no answers yet", MUTED)], "", ""
    facts: list[tuple[str, str]] = []
    for name, value in (
        ("p50", found.p50),
        ("p95", found.p95),
        ("p99", found.p99),
        ("max", metrics.slowest),
    ):
        facts += [(f"{name} ", MUTED), (f"{format_duration(value):<8}", "bold")]
    facts.append((format_plural(metrics.answers, "answer"), MUTED))
    return "latency", facts, draw_sparkline([each.slowest for each in seconds]), "$text-accent"


def _rate_row(label: str, colour: str, passed: list[tuple[int, int]]) -> MetricsRow:
    messages, volume = passed[-1]
    most = max(each for each, _ in passed)
    facts = [
        (f"{format_count(messages):>6}", "bold"),
        ("/s  ", MUTED),
        (f"{format_size(volume):>8}", "bold"),
        ("/s  ", MUTED),
        (f"peak {format_count(most)}/s", MUTED),
    ]
    return label, facts, draw_sparkline([each for each, _ in passed], top=8), colour


def _unread_facts(facts: "Diagnosis") -> list[tuple[str, str]]:
    channels = facts.channels
    if channels is None:
        return [("no open channel", MUTED)]
    parts: list[tuple[str, str]] = [
        ("to the child ", MUTED),
        (_format_bytes(channels.unread_by_child.size), "bold"),
    ]
    if channels.send_buffer_usage is not None:
        style = "bold $text-warning" if channels.send_buffer_usage >= NEARLY_FULL else MUTED
        parts.append((f" ({channels.send_buffer_usage:.0%} full)", style))
    parts += [("   from the child ", MUTED), (_format_bytes(channels.unread_from_child), "bold")]
    parts += [("   child output ", MUTED), (_format_bytes(facts.unread_output), "bold")]
    return parts


def _format_bytes(number: int | None) -> str:
    return "?" if number is None else format_size(number)


def describe_backlog(facts: "Diagnosis") -> str:
    """Return a warning for the status bar if a channel is nearly full, else an empty string."""
    channels = facts.channels
    if facts.phase is not RunPhase.OPEN or channels is None:
        return ""
    if channels.is_send_blocked:
        return "channel full: a message is waiting"
    if channels.send_buffer_usage is not None and channels.send_buffer_usage >= NEARLY_FULL:
        return f"channel {channels.send_buffer_usage:.0%} full"
    return ""
