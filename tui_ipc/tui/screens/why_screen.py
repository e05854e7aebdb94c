"""F3: why nothing happens, in the session's own sentences, kept up to date while one looks."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_ipc.tui.content.sentences import sentence

PERIOD = 0.5
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
        self.set_interval(PERIOD, self._look)

    def _look(self) -> None:
        sentences = tuple(self._diagnose())
        if sentences == self._sentences:
            return
        self._sentences = sentences
        self._page.update(Content("\n\n").join(_paragraphs(sentences)))


def _paragraphs(sentences: Sequence[str]) -> list[Content]:
    """The most telling sentence stands out; each begins with a capital letter."""
    if not sentences:
        return [Content("Nothing is known yet.")]
    first, *others = map(sentence, sentences)
    return [Content.styled(first, "bold"), *map(Content, others)]
