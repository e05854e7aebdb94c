"""F3: why nothing happens, in the session's own sentences, kept up to date while one looks."""

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
"""Seconds after which the session is asked again."""


class WhyScreen(ModalScreen[None]):
    """What the session knows of itself, over the explorer; it goes with Escape or F3.

    Args:
        diagnose: Says why nothing happens, the most telling sentence first. Called every :data:`PERIOD`
            seconds.
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
            page.border_subtitle = "looks again twice a second · esc closes"
            yield self._page

    def on_mount(self) -> None:
        """Look now, and again and again."""
        self._look()
        self.set_interval(WHY_REFRESH_SECONDS, self._look)

    def _look(self) -> None:
        sentences = tuple(self._diagnose())
        if sentences == self._sentences:
            return
        self._sentences = sentences
        self._page.update(Content("\n\n").join(_render_sentences(sentences)))


def _render_sentences(sentences: Sequence[str]) -> list[Content]:
    """The most telling sentence stands out; each begins with a capital letter."""
    if not sentences:
        return [Content("Nothing is known yet.")]
    first, *others = map(format_sentence, sentences)
    return [Content.styled(first, "bold"), *map(Content, others)]


RUN_REFRESH_SECONDS = 0.25
"""Seconds after which the page is made anew, while it is shown."""

MIN_COLUMNS = 50
"""How many cells a row has at least; on a screen that has fewer they are broken once more."""

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
    """The story of a run, over the explorer; it goes with Escape or F7.

    Args:
        stories: The runs.
        waited: Nanoseconds for which the next step of the current handshake has been awaited, None if that is
            not known. Called every :data:`PERIOD` seconds.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f7,q,enter", "dismiss", "Close", key_display="esc", id="run.close"),
        Binding("left", "turn(-1)", "Earlier run", show=False, id="run.earlier"),
        Binding("right", "turn(1)", "Later run", show=False, id="run.later"),
    ]

    def __init__(self, stories: RunSummaries, waited: Callable[[], int | None]) -> None:
        super().__init__()
        self._stories = stories
        self._waited = waited
        self._run: int | None = None  # None: the current one, whichever that comes to be
        self._page = Static(id="story")
        self._scroll = VerticalScroll(self._page, id="run", classes="dialog")

    def compose(self) -> ComposeResult:
        """Make the page."""
        yield self._scroll

    def on_mount(self) -> None:
        """Tell the story now, again once it is known how wide the page is, and go on telling."""
        self._tell()
        self.call_after_refresh(self._tell)
        self.set_interval(RUN_REFRESH_SECONDS, self._tell)

    def action_turn(self, direction: int) -> None:
        """Show an earlier or a later run."""
        runs = self._stories.runs
        if runs:
            run = self._run if self._run in runs else runs[-1]
            place = max(0, min(runs.index(run) + direction, len(runs) - 1))
            self._run = None if place == len(runs) - 1 else runs[place]
            self._tell()

    def _tell(self) -> None:
        runs = self._stories.runs
        if not runs:
            self._scroll.border_title = "The run"
            self._page.update(Content("No run has begun: its handshake will be shown here, step by step."))
            return
        run = self._run if self._run in runs else runs[-1]
        turn = "←→ other runs · " if len(runs) > 1 else ""
        self._scroll.border_title = f"Run {run} of {runs[-1]}"
        self._scroll.border_subtitle = f"{turn}esc closes"
        waited = self._waited() if run == runs[-1] else None
        content = render_run(self._stories[run], waited, self._page.size.width or MIN_COLUMNS)
        if content != self._page.content:
            self._page.update(content)


def render_run(story: RunSummary, waited: int | None, width: int = MIN_COLUMNS) -> Content:
    """The story of a run.

    Args:
        story: It.
        waited: Nanoseconds for which the next step has been awaited, None if that is not known.
        width: How many cells a row may have; what is said goes on below itself.
    """
    room = max(MIN_COLUMNS, width)
    parts = [
        _render_heading("The handshake"),
        *(_render_step(rung, waited, room) for rung in story.handshake_steps),
    ]
    failures = [event for event in story.events if isinstance(event, HandshakeFailed)]
    for failure in failures:
        parts += [Content(""), _render_heading("Why it failed"), _render_sentence(failure.sentence)]
    rest = [event for event in story.other_events if not isinstance(event, HandshakeFailed)]
    if rest:
        parts += [
            Content(""),
            _render_heading("What came of it"),
            *(_render_event(event, room) for event in rest),
        ]
    return Content("\n").join(parts)


def _render_heading(text: str) -> Content:
    return Content.styled(text, "bold underline")


def _render_step(rung: StepProgress, waited: int | None, room: int) -> Content:
    mark, style = _STEP_MARKS[rung.state]
    took = ""
    detail = make_visible(rung.detail)
    if rung.took is not None:
        took = f"+{format_duration(rung.took)}"
    elif rung.state == "awaited":
        took = format_duration(waited) if waited is not None else ""
        detail = "is awaited"
    elif rung.state == "failed":
        detail = "was not reached"
    line = Content.assemble(
        (mark, style),
        f" {rung.step:<{_STEP_WIDTH}}",
        (f"{took:>{_DURATION_WIDTH}}  ", MUTED),
        (
            _indent_wrapped(detail, room, _STEP_WIDTH + _DURATION_WIDTH + 4),
            style if rung.state in ("awaited", "failed") else MUTED,
        ),
    )
    if rung.late is None or rung.state == "failed":
        return line
    late = _indent_wrapped(make_lines_visible(rung.late.sentence), room, 10)
    return Content.assemble(line, "\n  ", (f"▲ late: {late}", "$text-warning"))


def _render_sentence(text: str) -> Content:
    return Content(format_sentence(text))


def _indent_wrapped(text: str, width: int, indent: int) -> str:
    """Break a text so that it goes on below its first row, which begins behind an indent."""
    rows = [
        piece
        for row in text.splitlines()
        for piece in wrap(row, width - indent, break_on_hyphens=False) or [""]
    ]
    return f"\n{' ' * indent}".join(rows)


def _render_event(event: AnyEvent, room: int) -> Content:
    said = describe_event(event)
    style = _TONE_STYLES[said.tone]
    rows = _indent_wrapped(make_lines_visible(said.detail), room, WORD_WIDTH + 13)
    return Content.assemble(
        (f"{format_clock(event.at)}  ", MUTED), (f"{said.mark} {said.word:<{WORD_WIDTH}}  ", style), rows
    )
