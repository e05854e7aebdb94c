"""F7: the handshake of a run as a ladder, step by step, and below it how the run ended."""

from collections.abc import Callable
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_ipc.session.events import Event, HandshakeFailed
from tui_ipc.session.telling import WORD_WIDTH, Tone, told
from tui_ipc.session.units import clock, duration
from tui_ipc.tui.content.sanitize import visible
from tui_ipc.tui.content.sentences import sentence
from tui_ipc.tui.content.story import Rung, State, Stories, Story

PERIOD = 0.25
"""Seconds after which the page is made anew, while it is shown."""

LEAST = 50
"""How many cells a row has at least; on a screen that has fewer they are broken once more."""

MUTED = "$foreground 60%"

_TONES: dict[Tone, str] = {
    "plain": "",
    "muted": MUTED,
    "good": "$text-success",
    "warn": "$text-warning",
    "bad": "$text-error",
}
_MARKS: dict[State, tuple[str, str]] = {
    "reached": ("●", "$text-success"),
    "awaited": ("◌", "bold $text-warning"),
    "failed": ("✕", "bold $text-error"),
    "missing": ("·", MUTED),
}
_STEP_WIDTH = 14
_TOOK_WIDTH = 9


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

    def __init__(self, stories: Stories, waited: Callable[[], int | None]) -> None:
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
        self.set_interval(PERIOD, self._tell)

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
        content = page(self._stories[run], waited, self._page.size.width or LEAST)
        if content != self._page.content:
            self._page.update(content)


def page(story: Story, waited: int | None, width: int = LEAST) -> Content:
    """The story of a run.

    Args:
        story: It.
        waited: Nanoseconds for which the next step has been awaited, None if that is not known.
        width: How many cells a row may have; what is said goes on below itself.
    """
    room = max(LEAST, width)
    parts = [_heading("The handshake"), *(_rung(rung, waited, room) for rung in story.ladder)]
    failures = [event for event in story.events if isinstance(event, HandshakeFailed)]
    for failure in failures:
        parts += [Content(""), _heading("Why it failed"), _sentence(failure.sentence)]
    rest = [event for event in story.rest if not isinstance(event, HandshakeFailed)]
    if rest:
        parts += [Content(""), _heading("What came of it"), *(_said(event, room) for event in rest)]
    return Content("\n").join(parts)


def _heading(text: str) -> Content:
    return Content.styled(text, "bold underline")


def _rung(rung: Rung, waited: int | None, room: int) -> Content:
    mark, style = _MARKS[rung.state]
    took = ""
    detail = visible(rung.detail)
    if rung.took is not None:
        took = f"+{duration(rung.took)}"
    elif rung.state == "awaited":
        took = duration(waited) if waited is not None else ""
        detail = "is awaited"
    elif rung.state == "failed":
        detail = "was not reached"
    line = Content.assemble(
        (mark, style),
        f" {rung.step:<{_STEP_WIDTH}}",
        (f"{took:>{_TOOK_WIDTH}}  ", MUTED),
        (
            _hanging(detail, room, _STEP_WIDTH + _TOOK_WIDTH + 4),
            style if rung.state in ("awaited", "failed") else MUTED,
        ),
    )
    if rung.late is None or rung.state == "failed":
        return line
    late = _hanging(_rows(rung.late.sentence), room, 10)
    return Content.assemble(line, "\n  ", (f"▲ late: {late}", "$text-warning"))


def _sentence(text: str) -> Content:
    return Content(sentence(text))


def _rows(text: str) -> str:
    """The same text, made harmless row by row."""
    return "\n".join(visible(row) for row in text.splitlines())


def _hanging(text: str, width: int, indent: int) -> str:
    """Break a text so that it goes on below its first row, which begins behind an indent."""
    rows = [
        piece
        for row in text.splitlines()
        for piece in wrap(row, width - indent, break_on_hyphens=False) or [""]
    ]
    return f"\n{' ' * indent}".join(rows)


def _said(event: Event, room: int) -> Content:
    said = told(event)
    style = _TONES[said.tone]
    rows = _hanging(_rows(said.detail), room, WORD_WIDTH + 13)
    return Content.assemble(
        (f"{clock(event.at)}  ", MUTED), (f"{said.mark} {said.word:<{WORD_WIDTH}}  ", style), rows
    )
