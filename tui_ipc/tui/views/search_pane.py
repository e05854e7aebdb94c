"""A view with a place under it for the bar in which one types what to search for, or another question."""

from typing import TYPE_CHECKING, Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from tui_ipc.tui.views.searchable_view import SearchableView

if TYPE_CHECKING:
    from tui_ipc.tui.views.query_bar import QueryBar

SEARCH_HINT: Final = "text, or /regular expression/"


class SearchPane(Vertical):
    """Holds a view, and under it a :class:`QueryBar` while something is asked.

    To make a view searchable: derive it from :class:`SearchableView`, bind a key of it to the action
    ``search`` (that opens the bar), and compose ``SearchPane(view, id=…)`` in the view's place. The rest is
    done: ``n`` and ``N``, the arrows in the bar, the light on what is found, the count at the title. In the
    style sheet the pane takes the view's size among its neighbours; the view fills the pane.

    Args:
        view: The view.
        id: The pane's own.
    """

    def __init__(self, view: SearchableView, *, id: str) -> None:
        super().__init__(id=id)
        self.view = view
        self.bar: QueryBar | None = None
        self._text = ""

    def compose(self) -> ComposeResult:
        """Make the view."""
        yield self.view

    def open(self, bar: "QueryBar") -> None:
        """Ask a question; one that is being asked is taken to be answered."""
        if self.bar is not None:
            self.bar.remove()
        self.bar = bar
        bar.ready = self.view.hand_over
        self.mount(bar)

    @on(SearchableView.Asked)
    def _on_asked(self) -> None:
        from tui_ipc.tui.views.query_bar import QueryBar  # only who asks for it pays for it

        self.open(QueryBar("find", self._text if self.view.needle else "", SEARCH_HINT))
        self._on_told()

    @on(SearchableView.Told)
    def _on_told(self) -> None:
        if self.bar is not None and not self.bar.wrong:
            self.bar.say(self.news)

    @property
    def news(self) -> str:
        """The answer to what is asked, as far as it is known."""
        return self.view.news

    def on_query_bar_changed(self, changed: "QueryBar.Changed") -> None:
        """Answer what is asked now."""
        if changed.bar is self.bar:
            self.answer(changed.text)

    def answer(self, text: str) -> None:
        """Search for what was typed; what cannot be searched for leaves the search as it was."""
        from tui_ipc.tui.content.needle import NeedleError, needle

        assert self.bar is not None
        try:
            wanted = needle(text) if text else None
        except NeedleError as error:
            self.bar.say(str(error), wrong=True)
            return
        self._text = text
        self.view.search(wanted, text)
        self.bar.say(self.news)

    def on_query_bar_stepped(self, stepped: "QueryBar.Stepped") -> None:
        """Go on to another answer."""
        self.step(stepped.direction)

    def step(self, direction: int) -> None:
        """Go to the next (1) or the previous (-1) line found."""
        self.view.action_found(direction)

    def on_query_bar_left(self) -> None:
        """Go back to the view."""
        if self.bar is not None:
            self.bar.remove()
            self.bar = None
        self.view.focus()
