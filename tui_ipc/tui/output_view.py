"""The child's stdout and stderr, live: finished lines, then the line that each stream has begun."""

from tui_ipc.tui.line import Line, Span, line
from tui_ipc.tui.model import Model
from tui_ipc.tui.ring_view import RingView


class OutputView(RingView):
    """Shows what the child prints, as it prints it."""

    BORDER_TITLE = "Child output"

    def __init__(self, model: Model) -> None:
        super().__init__(id="output")
        self._model = model
        self._partial: list[Line] = []

    @property
    def first(self) -> int:
        """The index of the oldest line that is held."""
        return self._model.output.first

    @property
    def end(self) -> int:
        """The index after the last line, begun ones included."""
        return self._model.output.end + len(self._partial)

    def line(self, index: int) -> Line:
        """A line by its index."""
        begun = index - self._model.output.end
        return self._partial[begun] if begun >= 0 else self._model.output[index]

    def placeholder(self) -> list[Line]:
        """Say what will come here."""
        return [
            line(Span("The child has printed nothing yet.", "muted")),
            line(
                Span("Its stdout and its stderr (marked ", "muted"),
                Span("▌", "bad"),
                Span(") appear here live.", "muted"),
            ),
        ]

    def version(self) -> object:
        """Changes with each finished line and with what is begun."""
        self._partial = self._model.partial_output()
        return super().version(), self._partial
