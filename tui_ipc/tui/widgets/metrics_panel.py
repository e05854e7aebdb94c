"""F6: how fast the child answers, what passes in each second, and what waits in each direction."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from tui_ipc.session.handshake import RunPhase
from tui_ipc.text.units import format_count, format_duration, format_plural, format_size
from tui_ipc.tui.model.status import RunMetrics, TrafficSecond, draw_sparkline

if TYPE_CHECKING:
    from tui_ipc.session.diagnosis import Diagnosis

REFRESH_SECONDS: Final = 0.4
"""Seconds after which the panel is made anew, while it is shown."""

NEARLY_FULL: Final = 0.75
"""From which share on a channel is said to be nearly full."""

MUTED: Final = "$foreground 60%"

_LABEL_WIDTH: Final = 10
_MIN_SECONDS: Final = 12  # seconds, below which no line of bars is drawn
_MAX_SECONDS: Final = 120

MetricsRow = tuple[str, list[tuple[str, str]], str, str]
"""A label, facts, bars, and the colour of the bars."""


class MetricsPanel(Static):
    """Shows measures, above the panes, while it is asked for.

    Args:
        measures: Gives those of the current run.
        now: Gives the moment of the session.
        diagnose: Says what lies unread.
    """

    BORDER_TITLE = "Measures"

    def __init__(
        self,
        measures: Callable[[], RunMetrics],
        now: Callable[[], int],
        diagnose: Callable[[], "Diagnosis"],
    ) -> None:
        super().__init__(id="measures")
        self._measures = measures
        self._now = now
        self._diagnose = diagnose
        self._timer: Timer | None = None
        self.display = False

    def on_mount(self) -> None:
        """Be ready to be shown."""
        self._timer = self.set_interval(REFRESH_SECONDS, self.sync, pause=True)

    def toggle(self, hint: str) -> None:
        """Be there, or be gone; the hint says how to change that."""
        self.display = not self.display
        self.border_subtitle = f"each bar is a second · {hint} hides"
        if self._timer is not None and self.display:
            self._timer.resume()
            self.call_after_refresh(self.sync)
        elif self._timer is not None:
            self._timer.pause()

    def on_resize(self) -> None:
        """Have as many bars as there is room for."""
        self.sync()

    def sync(self) -> None:
        """Show the measures as they are now."""
        if self.display and self.content_size.width:
            content = render_metrics(self._measures(), self._now(), self._diagnose(), self.content_size.width)
            if content != self.content:
                self.update(content, layout=False)


def render_metrics(measures: RunMetrics, now: int, facts: "Diagnosis", width: int) -> Content:
    """Four rows: latency, what is sent, what is received, what waits."""
    seconds = measures.list_seconds(now, _MAX_SECONDS)
    seconds = [each for each in seconds if each.number >= 0] or [TrafficSecond(0)]
    rows = [
        _latency_row(measures, seconds),
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


def _latency_row(measures: RunMetrics, seconds: list[TrafficSecond]) -> MetricsRow:
    found = measures.percentiles
    if found is None or measures.slowest is None:
        return "latency", [("no message was answered yet", MUTED)], "", ""
    facts: list[tuple[str, str]] = []
    for name, value in (
        ("p50", found.p50),
        ("p95", found.p95),
        ("p99", found.p99),
        ("max", measures.slowest),
    ):
        facts += [(f"{name} ", MUTED), (f"{format_duration(value):<8}", "bold")]
    facts.append((format_plural(measures.answers, "answer"), MUTED))
    return "latency", facts, draw_sparkline([each.slowest for each in seconds]), "$text-accent"


def _rate_row(label: str, colour: str, passed: list[tuple[int, int]]) -> MetricsRow:
    messages, volume = passed[-1]
    most = max(each for each, _ in passed)
    facts = [
        (f"{format_count(messages):>6}", "bold"),
        ("/s  ", MUTED),
        (f"{format_size(volume):>8}", "bold"),
        ("/s  ", MUTED),
        (f"at most {format_count(most)}/s", MUTED),
    ]
    return label, facts, draw_sparkline([each for each, _ in passed], top=8), colour


def _unread_facts(facts: "Diagnosis") -> list[tuple[str, str]]:
    traffic = facts.channels
    if traffic is None:
        return [("no channel is open", MUTED)]
    said: list[tuple[str, str]] = [
        ("to the child ", MUTED),
        (_format_bytes(traffic.unread_by_child.size), "bold"),
    ]
    if traffic.send_buffer_usage is not None:
        style = "bold $text-warning" if traffic.send_buffer_usage >= NEARLY_FULL else MUTED
        said.append((f" ({traffic.send_buffer_usage:.0%} full)", style))
    said += [("   from it ", MUTED), (_format_bytes(traffic.unread_from_child), "bold")]
    said += [("   its output ", MUTED), (_format_bytes(facts.unread_output), "bold")]
    return said


def _format_bytes(number: int | None) -> str:
    return "?" if number is None else format_size(number)


def describe_backlog(facts: "Diagnosis") -> str:
    """What is said aloud of a stream that nears full; empty if none does."""
    traffic = facts.channels
    if facts.phase is not RunPhase.OPEN or traffic is None:
        return ""
    if traffic.is_send_blocked:
        return "its channel is full: a message waits"
    if traffic.send_buffer_usage is not None and traffic.send_buffer_usage >= NEARLY_FULL:
        return f"its channel is {traffic.send_buffer_usage:.0%} full"
    return ""
