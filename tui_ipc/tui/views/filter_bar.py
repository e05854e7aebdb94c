"""The bar in which a filter of the log is typed."""

from typing import Final

from textual.binding import Binding

from tui_ipc.tui.views.log_view import LogView
from tui_ipc.tui.views.query_bar import QueryBar

FILTER_HINT: Final = "text  /regex/  sent  received  slower 5ms  run 2  faults  !not  (all must pass)"


class FilterBar(QueryBar):
    """Where a filter is typed.

    Args:
        prompt: What becomes of the lines that pass.
        text: The filter so far.
    """

    BINDINGS = [
        Binding("ctrl+n", "invert", "Invert", id="query.invert"),
    ]

    def __init__(self, prompt: str, text: str) -> None:
        super().__init__(prompt, text, FILTER_HINT)

    def action_invert(self) -> None:
        """Show what the filter hides."""
        self.post_message(LogView.InvertAsked())
