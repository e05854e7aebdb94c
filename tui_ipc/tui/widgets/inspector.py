"""The inspector: explains one entry of the log as a value, in bytes, and in words."""

from collections.abc import Callable, Iterator, Sequence
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

from tui_ipc.events import json_form
from tui_ipc.text.units import format_plural
from tui_ipc.tui.keys import format_key
from tui_ipc.tui.model.byte_map import ByteMap, map_event_bytes
from tui_ipc.tui.model.clipboard import (
    ClipboardText,
    CopyError,
    CopyFormat,
    copy_as_hex,
    copy_as_json,
    copy_as_notation,
)
from tui_ipc.tui.model.event_details import (
    MessageStats,
    about_lines,
    describe_wait,
    entry_summary,
    entry_title,
    explain_no_partner,
    find_partners,
    list_answers,
    value_lines,
)
from tui_ipc.tui.model.log_entry import LogEntry
from tui_ipc.tui.model.ring_buffer import RingBuffer
from tui_ipc.tui.model.styled_line import Line, Span, line, wrap
from tui_ipc.tui.scheduling import BackgroundSteps
from tui_ipc.tui.widgets.line_view import MUTED, LineView
from tui_ipc.tui.widgets.message_view import MessageView


class DocumentView(LineView):
    """Shows lines of text, wrapped to its width."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "Scroll up", show=False, id="document.up"),
        Binding("down", "scroll_down", "Scroll down", show=False, id="document.down"),
        Binding("home", "scroll_home", "First line", show=False, id="document.home"),
        Binding("end", "scroll_end", "Last line", show=False, id="document.end"),
        Binding("pageup", "page_up", "Page up", show=False, id="document.pageup"),
        Binding("pagedown", "page_down", "Page down", show=False, id="document.pagedown"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text: Sequence[Line] = ()
        self._rows: Sequence[Line] = ()
        self._placeholder: list[Line] = []

    @property
    def end(self) -> int:
        """The index after the last row."""
        return len(self._rows)

    def line(self, index: int) -> Line:
        """A row by its index."""
        return self._rows[index]

    def placeholder(self) -> list[Line]:
        """Return what is shown while there is no text."""
        return self._placeholder

    def show(self, text: Sequence[Line], placeholder: Sequence[Line] = ()) -> None:
        """Show a text from its beginning, or the placeholder if it is empty."""
        self._placeholder = list(placeholder)
        self.scroll_to(y=0, animate=False, force=True)
        self.replace(text)

    def replace(self, text: Sequence[Line]) -> None:
        """Replace the text, and keep the scroll position."""
        self._text = text
        self._rows = wrap(text, self.width)
        self.sync()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap the text to the new width."""
        self.replace(self._text)


InspectorTab = Literal["value", "bytes", "about"]
INSPECTOR_TABS: tuple[InspectorTab, ...] = ("value", "bytes", "about")

_TAB_SEPARATOR = " │ "
_EMPTY_HINT = (
    "The newest message is shown here: its value, its bytes, facts about it. "
    "Press Tab to go to the log, and ↑ ↓ there to select another message."
)


class Inspector(Vertical):
    """Explains one entry of the log.

    Args:
        log: The log, in which answers are found.
        now: Returns the current time of the session in ns.
    """

    BORDER_TITLE = "Inspector"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "v",
            "app.tab('value')",
            "Value",
            id="inspector.value",
            tooltip="Inspector: show the value",
        ),
        Binding(
            "b",
            "app.tab('bytes')",
            "Bytes",
            id="inspector.bytes",
            tooltip="Inspector: show the bytes on the wire, and their structure",
        ),
        Binding(
            "a",
            "app.tab('about')",
            "About",
            id="inspector.about",
            tooltip="Inspector: show the time, size, latency, answers and contents",
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
            tooltip="Copy the inspected value, or the part selected in it, as you would type it",
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

    entry: reactive[LogEntry | None] = reactive(None)
    """The entry that is shown, None before the first message."""

    tab: reactive[InspectorTab] = reactive[InspectorTab]("value")
    """The tab that is shown."""

    @dataclass
    class EntryRequested(Message):
        """Another entry of the log is to be selected."""

        index: int

    def __init__(self, log: RingBuffer[LogEntry], now: Callable[[], int], *, id: str | None = None) -> None:
        super().__init__(id=id, classes="-words")  # set here, so that no style changes before the first frame
        self._log = log
        self._now = now
        self._byte_map: ByteMap | None = None
        self._stats: MessageStats | None = None
        self._wait: tuple[tuple[str, str], ...] = ()
        self._background = BackgroundSteps(self)
        self.message_view = MessageView(id="message-view")
        self.document = DocumentView(id="document")

    def compose(self) -> ComposeResult:
        """Make the row of tabs and what is below it."""
        yield Static(id="tabs")
        yield self.message_view
        yield self.document

    @property
    def page(self) -> LineView:
        """The view that shows the tab, and takes its keys."""
        return self.message_view.main if self._shows_message else self.document

    @property
    def nodes_with_bindings(self) -> tuple[DOMNode, ...]:
        """The nodes whose bindings the palette offers."""
        return self, self.message_view.tree_view, self.message_view.bytes_view

    @property
    def _shows_message(self) -> bool:
        """True if the value or the bytes are shown, False if text is."""
        if self.entry is None or self._byte_map is None or self.tab == "about":
            return False
        return self.tab == "bytes" or self.entry.is_message or self._byte_map.is_value

    def on_mount(self) -> None:
        """Show what the inspector is for."""
        self._redraw()

    def watch_entry(self) -> None:
        """Show another entry."""
        entry = self.entry
        self.border_title = "Inspector" if entry is None else entry_title(entry)
        self.border_subtitle = None if entry is None else entry_summary(entry)
        self._background.cancel_all()
        self._stats = None
        self._byte_map = None if entry is None else map_event_bytes(entry.event)
        if self._byte_map is not None:
            self.message_view.show(self._byte_map)
        self._redraw()

    def watch_tab(self) -> None:
        """Show another tab."""
        if self.tab != "about":
            self.message_view.tab = self.tab
        self._redraw()

    def on_descendant_focus(self) -> None:
        """Select the tab of the view that got the focus, where both views are shown."""
        if self._shows_message:
            self.tab = self.message_view.tab

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
            self.document.show(self._text_lines(), self._placeholder())
        if self.tab == "about" and self._byte_map is not None and self._stats is None:
            self._stats = MessageStats(self._byte_map)
            self._background.begin("stats", self._count(self._stats))

    def _show_tabs(self) -> None:
        bar, tabs = self.query_one("#tabs", Static), self._tabs()
        shown = bar.content
        if not (
            isinstance(shown, Content) and tabs.is_same(shown)
        ):  # == compares the text only, not the styles
            bar.update(tabs, layout=False)  # always one row, so that nothing has to move

    def _tabs(self) -> Content:
        seen = ("value", "bytes") if self._shows_message and self.message_view.shows_both else (self.tab,)
        names = [
            Content.styled(tab, "bold $text-primary" if tab in seen else MUTED) for tab in INSPECTOR_TABS
        ]
        return Content.styled(_TAB_SEPARATOR, "$foreground 30%").join(names)

    @on(events.Click, "#tabs")
    def _on_tab_clicked(self, click: events.Click) -> None:
        """Show the tab whose name was clicked."""
        ends = accumulate(len(tab) + len(_TAB_SEPARATOR) for tab in INSPECTOR_TABS)
        self.tab = next(
            (tab for tab, end in zip(INSPECTOR_TABS, ends, strict=True) if click.x < end), self.tab
        )

    def _text_lines(self) -> list[Line]:
        if self.entry is None:
            return []
        if self.tab == "value":
            return value_lines(self.entry)
        return self._about(self.entry) if self.tab == "about" else []

    def _placeholder(self) -> list[Line]:
        key = format_key(self, "inspector.about")
        text = f"No bytes passed on the wire here. Press {key} for what is known."
        return [line(Span(_EMPTY_HINT if self.entry is None else text, "muted"))]

    def _about(self, entry: LogEntry) -> list[Line]:
        self._wait = tuple(describe_wait(entry, self._now()))
        partners = () if self._wait else find_partners(self._log, entry)
        answers = list_answers(self._log[index] for index in partners)
        stats = self._stats.facts() if self._stats is not None else ()
        return about_lines(entry, [*answers, *self._wait, *stats])

    def refresh_wait(self) -> None:
        """Show what has become of a message that waited, if that is shown."""
        entry = self.entry
        if entry is None or self.tab != "about":
            return
        if self._wait != tuple(describe_wait(entry, self._now())):
            self.document.replace(self._about(entry))

    def _count(self, stats: MessageStats) -> Iterator[None]:
        yield from stats.steps()
        if self.tab == "about" and self.entry is not None:
            self.document.replace(self._about(self.entry))

    # Going to the answer, and copying

    def action_partner(self) -> None:
        """Select the message that answers this one, or that this one answers."""
        if self.entry is None:
            return
        found = min(find_partners(self._log, self.entry), default=None)
        if found is None:
            self.notify(explain_no_partner(self.entry), severity="warning")
        else:
            self.post_message(self.EntryRequested(found))

    def action_copy(self, form: CopyFormat) -> None:
        """Copy what is selected in the value, else all of it; of an event that is not a message, its text."""
        try:
            text, changes = self._text_to_copy(form)
        except CopyError as refusal:
            self.notify(str(refusal), title="Not copied", severity="warning")
            return
        self.app.copy_to_clipboard(text)
        copied = f"Copied {format_plural(len(text), 'character')}."
        self.notify(f"{copied} {', '.join(changes).capitalize()}." if changes else copied)

    def _text_to_copy(self, form: CopyFormat) -> ClipboardText:
        """Return what to copy, and what was changed in it.

        Raises:
            CopyError: There is nothing in that form, or it is too large.
        """
        if self.entry is None:
            raise CopyError("No message to copy yet.")
        if form == "hex":
            if self._byte_map is None:
                raise CopyError("No bytes passed on the wire here.")
            data = self.message_view.selected_bytes
            if data is None:
                raise CopyError(
                    "It is not known yet which bytes these are: the structure was not read up to there."
                )
            return copy_as_hex(data)
        if self._byte_map is not None and (self.entry.is_message or self._byte_map.is_value):
            value = self.message_view.selected.content
            return copy_as_json(value) if form == "JSON" else copy_as_notation(value)
        if form == "JSON" and self.entry.event is not None:
            return ClipboardText(json_form.format_line(self.entry.event))
        return ClipboardText(self.entry.line.text)
