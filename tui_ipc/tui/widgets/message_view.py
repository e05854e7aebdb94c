"""A message as value and as bytes, both at once where there is room.

Both views share one selection: moving in the value marks its bytes, and moving in the bytes selects the value
that they belong to. The structure of the bytes is read in background steps, so that a selection may have to
wait until the reader has come that far: the step "selection" (a new one replaces it) waits for what was
selected, the step "sight" for the bytes that are shown.
"""

from collections.abc import Callable, Generator, Iterator
from typing import Final, Literal, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from tui_ipc.text.msgpack_index import PlacedToken, Token
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_count, format_plural
from tui_ipc.tui.model.byte_map import ByteMap, ByteRange, Location
from tui_ipc.tui.model.hex_dump import describe_byte, describe_token
from tui_ipc.tui.model.tree_model import ValueNode
from tui_ipc.tui.scheduling import BackgroundSteps
from tui_ipc.tui.widgets.bytes_view import BytesView
from tui_ipc.tui.widgets.tree_view import TreeView

SIDE_BY_SIDE_COLUMNS = 110
"""The least number of columns at which value and bytes are side by side."""

STACKED_ROWS = 20
"""The least number of rows at which one is above the other."""

STEPS_PER_CHECK: Final = 8
"""Steps between two checks whether the structure is known up to the wanted place."""

NAME_CHARS: Final = 40
"""The most characters of a key path that are shown."""

Known = TypeVar("Known")


class MessageView(Vertical):
    """Shows one message."""

    tab: reactive[Literal["value", "bytes"]] = reactive[Literal["value", "bytes"]]("value")
    """The view that is shown where there is room for one, and has the focus where there is room for both."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="-value")  # set here, so that no style changes before the first frame
        self.byte_map = ByteMap(None, b"\xc0")
        self.tree_view = TreeView(id="value")
        self.bytes_view = BytesView(id="bytes")
        self._part = Static(id="part")
        self._background = BackgroundSteps(self)
        self._selection_text: tuple[str, ...] = ()
        self._shown_text: list[str] = []
        self._percent = 0

    def compose(self) -> ComposeResult:
        """Make both views, and the line that describes the selection."""
        with Container(id="both"):
            yield self.tree_view
            yield self.bytes_view
        yield self._part

    @property
    def main(self) -> TreeView | BytesView:
        """The view that takes the keys."""
        return self.tree_view if self.tab == "value" else self.bytes_view

    @property
    def shows_both(self) -> bool:
        """True if there is room for both views."""
        return self.has_class("-split")

    @property
    def selected(self) -> ValueNode:
        """What is selected, the whole message if nothing is."""
        return self.tree_view.node or self.tree_view.tree_model.root

    @property
    def selected_bytes(self) -> bytes | None:
        """The bytes of the selection; None if they are not known yet, or it has none."""
        node = self.selected
        if node is self.tree_view.tree_model.root:
            return self.byte_map.raw
        byte_range = self.byte_map.byte_range(node)
        return None if byte_range is None else self.byte_map.raw[byte_range.start : byte_range.end]

    def show(self, byte_map: ByteMap) -> None:
        """Show another message, with nothing selected."""
        self._background.cancel_all()
        self.byte_map = byte_map
        self.tree_view.show(byte_map.value)
        self.bytes_view.show(byte_map.index)
        self._show_selection()

    def watch_tab(self, tab: str) -> None:
        """Show the other view, or give it the focus."""
        had_keys = self.has_focus_within
        self.set_class(tab == "value", "-value")
        self.set_class(tab == "bytes", "-bytes")
        if had_keys:
            self.main.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Show both views if there is room."""
        beside = event.size.width >= SIDE_BY_SIDE_COLUMNS
        self.set_class(beside, "-beside")
        self.set_class(beside or event.size.height >= STACKED_ROWS, "-split")

    def on_descendant_focus(self) -> None:
        """Select the tab of the view that got the focus."""
        self.tab = "bytes" if self.bytes_view.has_focus else "value"

    # The selection

    @on(TreeView.CursorMoved)
    def _on_value(self, moved: TreeView.CursorMoved) -> None:
        moved.stop()
        if moved.node is self.tree_view.node:
            self._background.begin("selection", self._mark(moved.node))

    @on(BytesView.CursorMoved)
    def _on_byte(self, moved: BytesView.CursorMoved) -> None:
        moved.stop()
        if moved.offset == self.bytes_view.cursor_byte:
            self._background.begin("selection", self._go_to_value(moved.offset))

    @on(BytesView.StructureNeeded)
    def _on_reached(self, reached: BytesView.StructureNeeded) -> None:
        reached.stop()
        self._background.begin("sight", self._read_to(reached.offset))

    def _mark(self, node: ValueNode) -> Iterator[None]:
        """Mark the bytes of what was selected in the value, once they are known."""
        byte_map = self.byte_map
        byte_range = yield from self._read_until(lambda: byte_map.byte_range(node))
        if byte_range is None:
            self._show_selection(_keep_end(byte_map.name(node.position)))
        else:
            self.bytes_view.mark(byte_range.start, byte_range.end, follow=True)
            self._show_selection(
                _keep_end(byte_map.name(node.position)), *_describe_selection(byte_range, node, byte_map.raw)
            )

    def _go_to_value(self, offset: int) -> Iterator[None]:
        """Select the value that a byte belongs to, once it is known."""
        byte_map = self.byte_map
        place = yield from self._read_until(lambda: byte_map.index.token_at(offset))
        if place is None:
            self.bytes_view.mark(0, 0, follow=False)
            self._show_selection()
            return
        location = byte_map.location(place)
        self._select_token(location, place)
        name = "" if location is None else _keep_end(byte_map.name(location.position))
        words = describe_token(place.token, byte_map.raw)
        self._show_selection(
            f"key of {name}" if location and location.is_key else name,
            words,
            describe_byte(place.token, offset),
        )

    def _select_token(self, location: Location | None, place: PlacedToken) -> None:
        part = place.token
        if location is not None:
            self.tree_view.reveal(location.position)
        if (
            location is not None
            and not location.is_key
            and (byte_range := self.byte_map.byte_range(self.selected)) is not None
        ):
            self.bytes_view.mark(byte_range.start, byte_range.end, follow=False)
        else:
            self.bytes_view.mark(part.start, part.end, follow=False)

    def _read_to(self, offset: int) -> Iterator[None]:
        """Read the structure of the bytes that are shown."""
        index = self.byte_map.index
        while index.indexed_size < offset and not index.is_finished:
            self._read_on()
            yield
        self._show_selection(*self._selection_text)
        self.bytes_view.refresh()

    def _read_until(self, known: Callable[[], Known | None]) -> Generator[None, None, Known | None]:
        """Read on until something is known or the bytes end. Asking costs as much as a step: do it rarely."""
        while (found := known()) is None and not self.byte_map.index.is_finished:
            for _ in range(STEPS_PER_CHECK):
                self._read_on()
                yield
        return found

    def _read_on(self) -> None:
        index = self.byte_map.index
        self.byte_map.advance()
        percent = 100 * index.indexed_size // max(1, len(index.data))
        if percent != self._percent and not index.is_finished:
            self._percent = percent
            self._show_text([f"reading the structure: {percent} %"])

    def _show_selection(self, *words: str) -> None:
        """Describe the selection; without one, what is wrong with the bytes."""
        self._selection_text = words
        self._show_text([make_visible(each) for each in words if each] or self._decode_error_text())

    def _show_text(self, words: list[str]) -> None:
        if words == self._shown_text:  # to lay this line out costs more than all else about a message
            return
        self._shown_text = words
        first, *others = words
        rest = "".join(f" · {each}" for each in others)
        self._part.update(Content.assemble((first, "bold"), rest))
        self._part.set_class(not first, "-empty")

    def _decode_error_text(self) -> list[str]:
        """Return where and why the bytes cannot be decoded, if so."""
        flaw = self.byte_map.index.error
        return [""] if flaw is None else [f"byte {format_count(flaw.offset)}", flaw.message]


def _keep_end(name: str) -> str:
    """Return a key path; of a long one its end, so that what follows has room."""
    return name if len(name) <= NAME_CHARS else f"…{name[1 - NAME_CHARS :]}"


def _describe_selection(byte_range: ByteRange, node: ValueNode, raw: bytes) -> Iterator[str]:
    """Describe the marked bytes of a message."""
    part: Token = byte_range.token
    if node.kind == "value":
        yield describe_token(part, raw)
        if part.items:
            yield f"{format_plural(byte_range.end - byte_range.start, 'byte')} with its contents"
    else:
        yield f"{format_plural(byte_range.end - byte_range.start, 'byte')} of {part.kind}"
    yield f"at 0x{byte_range.start:02x}"
