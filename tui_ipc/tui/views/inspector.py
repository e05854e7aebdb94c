"""The inspector: one entry of the log under three faces, the newest message until a line is selected."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.dom import DOMNode
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from tui_ipc.session import jsonl
from tui_ipc.session.units import plural
from tui_ipc.tui.chores import Chores
from tui_ipc.tui.content.answers import partners, why_no_partner
from tui_ipc.tui.content.census import Census
from tui_ipc.tui.content.copying import Copied, Form, NotCopied, in_hex, in_json, in_notation
from tui_ipc.tui.content.dissection import Dissection, dissected
from tui_ipc.tui.content.inspection import about_lines, answer_facts, summary, title, value_lines
from tui_ipc.tui.content.line import Line, Span, line
from tui_ipc.tui.content.model import Entry
from tui_ipc.tui.content.ring import Ring
from tui_ipc.tui.content.sanitize import visible
from tui_ipc.tui.keys import key_of
from tui_ipc.tui.views.document_view import DocumentView
from tui_ipc.tui.views.line_view import LineView
from tui_ipc.tui.views.message_view import MessageView

Face = Literal["value", "bytes", "about"]
FACES: tuple[Face, ...] = ("value", "bytes", "about")

_BETWEEN = " │ "
_EMPTY = (
    "The newest message is shown here: value, bytes, facts. Tab goes to the log; ↑ ↓ select another there."
)


class Inspector(Vertical):
    """Explains one entry of the log.

    Args:
        log: Where what answers what is found.
    """

    BORDER_TITLE = "Inspector"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "v",
            "app.face('value')",
            "Value",
            id="inspector.value",
            tooltip="Inspector: show the value",
        ),
        Binding(
            "b",
            "app.face('bytes')",
            "Bytes",
            id="inspector.bytes",
            tooltip="Inspector: show the bytes on the wire, and their structure",
        ),
        Binding(
            "a",
            "app.face('about')",
            "About",
            id="inspector.about",
            tooltip="Inspector: show time, size, latency, what it answers, what it holds",
        ),
        Binding(
            "g",
            "partner",
            "Go to answer",
            id="inspector.partner",
            tooltip="Go to the message that answers this one, or that this one answers",
        ),
        Binding(
            "c",
            "copy('notation')",
            "Copy",
            id="inspector.copy",
            tooltip="Copy the inspected value, or the part selected in it, as text that you could type",
        ),
        Binding(
            "j",
            "copy('JSON')",
            "Copy JSON",
            show=False,
            id="inspector.copy_json",
            tooltip="Copy the inspected value, or the part selected in it, as JSON",
        ),
        Binding(
            "x",
            "copy('hex')",
            "Copy hex",
            show=False,
            id="inspector.copy_hex",
            tooltip="Copy the bytes of the inspected value, or of the part selected in it",
        ),
    ]

    entry: reactive[Entry | None] = reactive(None)
    """What is shown, None before the first message."""

    face: reactive[Face] = reactive[Face]("value")
    """Under which face it is shown."""

    @dataclass
    class Sought(Message):
        """Another entry of the log is to be selected."""

        index: int

    def __init__(self, log: Ring[Entry], *, id: str | None = None) -> None:
        super().__init__(id=id, classes="-words")  # as it begins: no change of looks before the first picture
        self._log = log
        self._subject: Dissection | None = None
        self._census: Census | None = None
        self._chores = Chores(self)
        self.message_view = MessageView(id="message-view")
        self.document = DocumentView(id="document")

    def compose(self) -> ComposeResult:
        """Make the row of faces and what stands under it."""
        yield Static(id="faces")
        yield self.message_view
        yield self.document

    @property
    def page(self) -> LineView:
        """The view that shows the face, and has its keys."""
        return self.message_view.main if self._shows_message else self.document

    @property
    def key_holders(self) -> tuple[DOMNode, ...]:
        """Whatever here has bindings: the palette offers them."""
        return self, self.message_view.outline_view, self.message_view.bytes_view

    @property
    def _shows_message(self) -> bool:
        """Whether value or bytes are to be seen, and not words."""
        if self.entry is None or self._subject is None or self.face == "about":
            return False
        return self.face == "bytes" or self.entry.is_message or self._subject.is_value

    def on_mount(self) -> None:
        """Begin with what the inspector is for."""
        self._redraw()

    def watch_entry(self) -> None:
        """Show another entry."""
        entry = self.entry
        self.border_title = "Inspector" if entry is None else title(entry)
        self.border_subtitle = None if entry is None else summary(entry)
        self._chores.drop()
        self._census = None
        self._subject = None if entry is None else dissected(entry.event)
        if self._subject is not None:
            self.message_view.show(self._subject)
        self._redraw()

    def watch_face(self) -> None:
        """Show another face."""
        if self.face != "about":
            self.message_view.face = self.face
        self._redraw()

    def on_descendant_focus(self) -> None:
        """Where value and bytes are both to be seen, going to one is turning to it."""
        if self._shows_message:
            self.face = self.message_view.face

    # What is shown

    def _redraw(self) -> None:
        if not self.children:  # not composed yet
            return
        had_keys = self.has_focus_within
        self._show_tabs()
        self.set_class(self._shows_message, "-message")
        self.set_class(not self._shows_message, "-words")
        if had_keys:
            self.page.focus()
        if not self._shows_message:
            self.document.show(self._words(), self._placeholder())
        if self.face == "about" and self._subject is not None and self._census is None:
            self._census = Census(self._subject)
            self._chores.begin("census", self._counting(self._census))

    def _show_tabs(self) -> None:
        faces, tabs = self.query_one("#faces", Static), self._tabs()
        shown = faces.content
        if not (isinstance(shown, Content) and tabs.is_same(shown)):  # == would compare the words only
            faces.update(tabs, layout=False)  # a row, whatever it holds: nothing has to move for it

    def _tabs(self) -> Content:
        seen = ("value", "bytes") if self._shows_message and self.message_view.shows_both else (self.face,)
        names = [
            Content.styled(face, "bold $text-primary" if face in seen else "$foreground 60%")
            for face in FACES
        ]
        return Content.styled(_BETWEEN, "$foreground 30%").join(names)

    @on(events.Click, "#faces")
    def _turn(self, click: events.Click) -> None:
        """Show the face whose name was clicked, or the line behind it."""
        ends = accumulate(len(face) + len(_BETWEEN) for face in FACES)
        self.face = next((face for face, end in zip(FACES, ends, strict=True) if click.x < end), self.face)

    def _words(self) -> list[Line]:
        if self.entry is None:
            return []
        if self.face == "value":
            return value_lines(self.entry)
        return self._about(self.entry) if self.face == "about" else []

    def _placeholder(self) -> list[Line]:
        words = (
            f"No bytes passed on the wire here. Press {key_of(self, 'inspector.about')} to see what is known."
        )
        return [line(Span(_EMPTY if self.entry is None else words, "muted"))]

    def _about(self, entry: Entry) -> list[Line]:
        answers = answer_facts(self._log[index] for index in partners(self._log, entry))
        return about_lines(entry, [*answers, *(self._census.facts() if self._census is not None else ())])

    def _counting(self, census: Census) -> Iterator[None]:
        yield from census.steps()
        if self.face == "about" and self.entry is not None:
            self.document.replace(self._about(self.entry))

    # Going to what answers, and copying

    def action_partner(self) -> None:
        """Select the message that answers this one, or that this one answers."""
        if self.entry is None:
            return
        found = min(partners(self._log, self.entry), default=None)
        if found is None:
            self.notify(visible(why_no_partner(self.entry)), severity="warning", markup=False)
        else:
            self.post_message(self.Sought(found))

    def action_copy(self, form: Form) -> None:
        """Copy what is selected in the value, or else all of it; of what is no message, its words."""
        try:
            text, changes = self._copied(form)
        except NotCopied as refusal:
            self.notify(str(refusal), title="Not copied", severity="warning", markup=False)
            return
        self.app.copy_to_clipboard(text)
        said = f"Copied {plural(len(text), 'character')}."
        self.notify(f"{said} {', '.join(changes).capitalize()}." if changes else said, markup=False)

    def _copied(self, form: Form) -> Copied:
        """What is to be copied.

        Raises:
            NotCopied: There is nothing of that form, or too much.
        """
        if self.entry is None:
            raise NotCopied("There is no message yet to copy.")
        if form == "hex":
            if self._subject is None:
                raise NotCopied("No bytes passed on the wire here.")
            data = self.message_view.selected_bytes
            if data is None:
                raise NotCopied("Which bytes these are is not known: the structure was not read up to there.")
            return in_hex(data)
        if self._subject is not None and (self.entry.is_message or self._subject.is_value):
            value = self.message_view.selected.content
            return in_json(value) if form == "JSON" else in_notation(value)
        if form == "JSON" and self.entry.event is not None:
            return Copied(jsonl.line(self.entry.event))
        return Copied(self.entry.line.text)
