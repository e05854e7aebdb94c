"""A message as value and as bytes, where there is room for both side by side, and what is selected in them.

The one rule: there is one selection. Moving over the value marks its bytes; moving over the bytes goes to the
value that they belong to.
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
"""From how many columns on the value and the bytes stand beside each other."""

STACKED_ROWS = 20
"""From how many rows on they stand one over the other."""

STEPS_PER_CHECK: Final = 8
"""How many steps are walked between two looks at whether they led far enough."""

NAME_CHARS: Final = 40
"""How many characters of the name of a place are shown."""

Known = TypeVar("Known")


class MessageView(Vertical):
    """Shows one message."""

    tab: reactive[Literal["value", "bytes"]] = reactive[Literal["value", "bytes"]]("value")
    """What is shown where there is room for one, and has the keys where there is room for both."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="-value")  # as it begins: no change of looks before the first picture
        self.subject = ByteMap(None, b"\xc0")
        self.tree_view = TreeView(id="value")
        self.bytes_view = BytesView(id="bytes")
        self._part = Static(id="part")
        self._background = BackgroundSteps(self)
        self._told: tuple[str, ...] = ()
        self._said: list[str] = []
        self._percent = 0

    def compose(self) -> ComposeResult:
        """Make both views, and the line that says what is selected."""
        with Container(id="both"):
            yield self.tree_view
            yield self.bytes_view
        yield self._part

    @property
    def main(self) -> TreeView | BytesView:
        """The view that has the keys."""
        return self.tree_view if self.tab == "value" else self.bytes_view

    @property
    def shows_both(self) -> bool:
        """Whether there is room for both views."""
        return self.has_class("-split")

    @property
    def selected(self) -> ValueNode:
        """What is selected, the whole message if nothing is."""
        return self.tree_view.node or self.tree_view.tree_model.root

    @property
    def selected_bytes(self) -> bytes | None:
        """The bytes of what is selected; None if it is not known yet which they are, or it has none."""
        node = self.selected
        if node is self.tree_view.tree_model.root:
            return self.subject.raw
        byte_range = self.subject.byte_range(node)
        return None if byte_range is None else self.subject.raw[byte_range.start : byte_range.end]

    def show(self, subject: ByteMap) -> None:
        """Show another message, nothing of which is selected."""
        self._background.cancel_all()
        self.subject = subject
        self.tree_view.show(subject.value)
        self.bytes_view.show(subject.index)
        self._tell()

    def watch_tab(self, tab: str) -> None:
        """Show the other view, or give it the keys."""
        had_keys = self.has_focus_within
        self.set_class(tab == "value", "-value")
        self.set_class(tab == "bytes", "-bytes")
        if had_keys:
            self.main.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Show both views where there is room."""
        beside = event.size.width >= SIDE_BY_SIDE_COLUMNS
        self.set_class(beside, "-beside")
        self.set_class(beside or event.size.height >= STACKED_ROWS, "-split")

    def on_descendant_focus(self) -> None:
        """The view that was gone to has the keys."""
        self.tab = "bytes" if self.bytes_view.has_focus else "value"

    # The one selection

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
        self._background.begin("sight", self._walk_to(reached.offset))

    def _mark(self, node: ValueNode) -> Iterator[None]:
        """Mark the bytes of what was selected in the value, once they are walked to."""
        subject = self.subject
        byte_range = yield from self._until(lambda: subject.byte_range(node))
        if byte_range is None:
            self._tell(_keep_end(subject.name(node.position)))
        else:
            self.bytes_view.mark(byte_range.start, byte_range.end, follow=True)
            self._tell(
                _keep_end(subject.name(node.position)), *_describe_selection(byte_range, node, subject.raw)
            )

    def _go_to_value(self, offset: int) -> Iterator[None]:
        """Select the value that a byte belongs to, once that is walked to."""
        subject = self.subject
        place = yield from self._until(lambda: subject.index.token_at(offset))
        if place is None:
            self.bytes_view.mark(0, 0, follow=False)
            self._tell()
            return
        location = subject.location(place)
        self._follow(location, place)
        name = "" if location is None else _keep_end(subject.name(location.position))
        words = describe_token(place.token, subject.raw)
        self._tell(
            f"key of {name}" if location and location.is_key else name,
            words,
            describe_byte(place.token, offset),
        )

    def _follow(self, location: Location | None, place: PlacedToken) -> None:
        part = place.token
        if location is not None:
            self.tree_view.reveal(location.position)
        if (
            location is not None
            and not location.is_key
            and (byte_range := self.subject.byte_range(self.selected)) is not None
        ):
            self.bytes_view.mark(byte_range.start, byte_range.end, follow=False)
        else:
            self.bytes_view.mark(part.start, part.end, follow=False)

    def _walk_to(self, offset: int) -> Iterator[None]:
        """Walk until bytes that are in sight are known."""
        anatomy = self.subject.index
        while anatomy.indexed_size < offset and not anatomy.is_finished:
            self._walk_on()
            yield
        self._tell(*self._told)
        self.bytes_view.refresh()

    def _until(self, known: Callable[[], Known | None]) -> Generator[None, None, Known | None]:
        """Walk until something is known, or there is nothing more to walk. Asking costs as much as a step."""
        while (found := known()) is None and not self.subject.index.is_finished:
            for _ in range(STEPS_PER_CHECK):
                self._walk_on()
                yield
        return found

    def _walk_on(self) -> None:
        anatomy = self.subject.index
        self.subject.advance()
        percent = 100 * anatomy.indexed_size // max(1, len(anatomy.data))
        if percent != self._percent and not anatomy.is_finished:
            self._percent = percent
            self._say([f"reading the structure: {percent} %"])

    def _tell(self, *words: str) -> None:
        """Say what is selected, until something else is."""
        self._told = words
        self._say([make_visible(each) for each in words if each] or self._flaw())

    def _say(self, words: list[str]) -> None:
        if words == self._said:  # laying a line out anew costs more than all else of a message that passes by
            return
        self._said = words
        first, *others = words
        rest = "".join(f" · {each}" for each in others)
        self._part.update(Content.assemble((first, "bold"), rest))
        self._part.set_class(not first, "-empty")

    def _flaw(self) -> list[str]:
        """Where the bytes stop making sense, if they do."""
        flaw = self.subject.index.error
        return [""] if flaw is None else [f"byte {format_count(flaw.offset)}", flaw.message]


def _keep_end(name: str) -> str:
    """The name of a place; of a long one the end, and so there is room for what is there."""
    return name if len(name) <= NAME_CHARS else f"…{name[1 - NAME_CHARS :]}"


def _describe_selection(byte_range: ByteRange, node: ValueNode, raw: bytes) -> Iterator[str]:
    """What is marked of a message."""
    part: Token = byte_range.token
    if node.kind == "value":
        yield describe_token(part, raw)
        if part.items:
            yield f"{format_plural(byte_range.end - byte_range.start, 'byte')} with all in it"
    else:
        yield f"{format_plural(byte_range.end - byte_range.start, 'byte')} of {part.kind}"
    yield f"at 0x{byte_range.start:02x}"
