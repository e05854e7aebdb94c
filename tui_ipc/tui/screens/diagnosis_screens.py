"""F3: why nothing happens. F7: the handshake of a run, and how the run ended. Both are kept up to date."""

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_ipc.events import AnyEvent, HandshakeFailed
from tui_ipc.events.sentences import WORD_WIDTH, Tone, describe_event
from tui_ipc.text.safe_text import format_sentence, make_lines_visible, make_visible
from tui_ipc.text.units import format_clock, format_duration
from tui_ipc.tui.model.run_summary import RunSummaries, RunSummary, StepProgress, StepState
from tui_ipc.tui.widgets.line_view import MUTED

WHY_REFRESH_SECONDS = 0.5
"""Seconds between two diagnoses, while the page is shown."""


class WhyScreen(ModalScreen[None]):
    """Explains why nothing happens; Escape or F3 closes it.

    Args:
        diagnose: Returns the explanation, the most important sentence first. Called every
            :data:`WHY_REFRESH_SECONDS`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f3,q,enter", "dismiss", "Close", key_display="esc", id="why.close"),
    ]

    def __init__(self, diagnose: Callable[[], Sequence[str]]) -> None:
        super().__init__()
        self._diagnose = diagnose
        self._sentences: tuple[str, ...] | None = None
        self._page = Static(id="because")

    def compose(self) -> ComposeResult:
        """Make the page."""
        with VerticalScroll(id="why", classes="dialog") as page:
            page.border_title = "Why does nothing happen?"
            page.border_subtitle = "updated twice a second · Esc closes"
            yield self._page

    def on_mount(self) -> None:
        """Diagnose now, and again at intervals."""
        self._refresh_page()
        self.set_interval(WHY_REFRESH_SECONDS, self._refresh_page)

    def _refresh_page(self) -> None:
        sentences = tuple(self._diagnose())
        if sentences == self._sentences:
            return
        self._sentences = sentences
        self._page.update(Content("\n\n").join(_render_sentences(sentences)))


def _render_sentences(sentences: Sequence[str]) -> list[Content]:
    if not sentences:
        return [Content("Nothing is known yet.")]
    first, *others = map(format_sentence, sentences)
    return [Content.styled(first, "bold"), *map(Content, others)]


RUN_REFRESH_SECONDS = 0.25
"""Seconds between two updates of the page, while it is shown."""

MIN_COLUMNS = 50
"""The least width of a row in cells; a narrower screen wraps the rows once more."""

_TONE_STYLES: dict[Tone, str] = {
    "plain": "",
    "muted": MUTED,
    "good": "$text-success",
    "warn": "$text-warning",
    "bad": "$text-error",
}
_STEP_MARKS: dict[StepState, tuple[str, str]] = {
    "reached": ("●", "$text-success"),
    "awaited": ("◌", "bold $text-warning"),
    "failed": ("✕", "bold $text-error"),
    "missing": ("·", MUTED),
}
_STEP_WIDTH = 14
_DURATION_WIDTH = 9


class RunScreen(ModalScreen[None]):
    """Shows the handshake of a run and how the run ended; Escape or F7 closes it.

    Args:
        summaries: The summaries of the runs.
        get_waited: Returns for how many nanoseconds the handshake has waited for its next step, None if there
            is none. Called every :data:`RUN_REFRESH_SECONDS`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f7,q,enter", "dismiss", "Close", key_display="esc", id="run.close"),
        Binding("left", "turn(-1)", "Earlier run", show=False, id="run.earlier"),
        Binding("right", "turn(1)", "Later run", show=False, id="run.later"),
    ]

    def __init__(self, summaries: RunSummaries, get_waited: Callable[[], int | None]) -> None:
        super().__init__()
        self._summaries = summaries
        self._get_waited = get_waited
        self._run: int | None = None  # None for the newest, also after a restart
        self._page = Static(id="story")
        self._scroll = VerticalScroll(self._page, id="run", classes="dialog")

    def compose(self) -> ComposeResult:
        """Make the page."""
        yield self._scroll

    def on_mount(self) -> None:
        """Show the page now, again once its width is known, and then at intervals."""
        self._refresh_page()
        self.call_after_refresh(self._refresh_page)
        self.set_interval(RUN_REFRESH_SECONDS, self._refresh_page)

    def action_turn(self, direction: int) -> None:
        """Show an earlier or a later run."""
        runs = self._summaries.runs
        if runs:
            run = self._run if self._run in runs else runs[-1]
            index = max(0, min(runs.index(run) + direction, len(runs) - 1))
            self._run = None if index == len(runs) - 1 else runs[index]
            self._refresh_page()

    def _refresh_page(self) -> None:
        runs = self._summaries.runs
        if not runs:
            self._scroll.border_title = "Run"
            self._page.update(
                Content("No run has begun yet. Its handshake will be shown here, step by step.")
            )
            return
        run = self._run if self._run in runs else runs[-1]
        turn = "←→ other runs · " if len(runs) > 1 else ""
        self._scroll.border_title = f"Run {run} of {runs[-1]}"
        self._scroll.border_subtitle = f"{turn}Esc closes"
        waited = self._get_waited() if run == runs[-1] else None
        content = render_run(self._summaries[run], waited, self._page.size.width or MIN_COLUMNS)
        if content != self._page.content:
            self._page.update(content)


def render_run(summary: RunSummary, waited: int | None, width: int = MIN_COLUMNS) -> Content:
    """Return the page about a run.

    Args:
        summary: The summary of the run.
        waited: For how many nanoseconds the handshake has waited for its next step, None if unknown.
        width: The most cells in a row; a longer text goes on in its own column below.
    """
    room = max(MIN_COLUMNS, width)
    parts = [
        _render_heading("Handshake"),
        *(_render_step(progress, waited, room) for progress in summary.handshake_steps),
    ]
    failures = [event for event in summary.events if isinstance(event, HandshakeFailed)]
    for failure in failures:
        parts += [Content(""), _render_heading("Why it failed"), Content(format_sentence(failure.sentence))]
    rest = [event for event in summary.other_events if not isinstance(event, HandshakeFailed)]
    if rest:
        parts += [
            Content(""),
            _render_heading("Outcome"),
            *(_render_event(event, room) for event in rest),
        ]
    return Content("\n").join(parts)


def _render_heading(text: str) -> Content:
    return Content.styled(text, "bold underline")


def _render_step(progress: StepProgress, waited: int | None, room: int) -> Content:
    mark, style = _STEP_MARKS[progress.state]
    took = ""
    detail = make_visible(progress.detail)
    if progress.took is not None:
        took = f"+{format_duration(progress.took)}"
    elif progress.state == "awaited":
        took = format_duration(waited) if waited is not None else ""
        detail = "waiting"
    elif progress.state == "failed":
        detail = "not reached"
    line = Content.assemble(
        (mark, style),
        f" {progress.step:<{_STEP_WIDTH}}",
        (f"{took:>{_DURATION_WIDTH}}  ", MUTED),
        (
            _indent_wrapped(detail, room, _STEP_WIDTH + _DURATION_WIDTH + 4),
            style if progress.state in ("awaited", "failed") else MUTED,
        ),
    )
    if progress.late is None or progress.state == "failed":
        return line
    late = _indent_wrapped(make_lines_visible(progress.late.sentence), room, 10)
    return Content.assemble(line, "\n  ", (f"▲ late: {late}", "$text-warning"))


def _indent_wrapped(text: str, width: int, indent: int) -> str:
    """Wrap a text; the rows after the first are indented to where the first begins."""
    rows = [
        piece
        for row in text.splitlines()
        for piece in wrap(row, width - indent, break_on_hyphens=False) or [""]
    ]
    return f"\n{' ' * indent}".join(rows)


def _render_event(event: AnyEvent, room: int) -> Content:
    text = describe_event(event)
    style = _TONE_STYLES[text.tone]
    rows = _indent_wrapped(make_lines_visible(text.detail), room, WORD_WIDTH + 13)
    return Content.assemble(
        (f"{format_clock(event.at)}  ", MUTED), (f"{text.mark} {text.word:<{WORD_WIDTH}}  ", style), rows
    )
