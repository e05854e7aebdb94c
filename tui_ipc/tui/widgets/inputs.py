"""Boxes of one line in which a person types.

The value is what was typed or pasted, as it came; only its display is made safe.
"""

import os
import re
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from rich.cells import cell_len, split_graphemes
from rich.highlighter import Highlighter
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input

from tui_ipc.text.safe_text import VisibleText, format_sentence, make_visible
from tui_ipc.tui.editor import EditorError, FoldResult, edit, editor_command, fold, unfold
from tui_ipc.tui.input_history import InputHistory, MessageSuggester, Vocabulary

_LINE_END: Final = re.compile("\r\n?")  # as terminals send the line ends of what is pasted


class SafeInput(Input):
    """An input that shows what is invisible, and keeps it in its value."""

    virtual_size: Reactive[Size] = Reactive(Size(0, 0))
    """As every input has it, but no key lays out the screen anew: nothing depends on how long the text is."""

    @property
    def _value(self) -> Text:
        """What Textual draws instead of the value; it styles it by positions in the value."""
        text = _DisplayedText(self._display)
        if self.highlighter is not None:
            self.highlighter.highlight(text)
        return text

    @property
    def _display(self) -> VisibleText:
        if self._display_cache is None or self._display_cache.original != self.value:
            self._display_cache = VisibleText(self.value)
        return self._display_cache

    _display_cache: VisibleText | None = None  # of the last value: it is asked for several times a key

    def _position_to_cell(self, position: int) -> int:
        display = self._display
        return cell_len(display.text[: display.position_of(position)])

    def _cell_offset_to_index(self, offset: int) -> int:
        display = self._display
        offset += self.scroll_offset.x
        for start, _, cells in split_graphemes(display.text)[0]:
            if offset < cells:
                return display.original_position(start)
            offset -= cells
        return len(self.value)

    def _on_paste(self, event: events.Paste) -> None:
        """Insert all of what is pasted, of which Textual would take the first line."""
        event.prevent_default()  # else Textual calls the base class's handler as well
        event.stop()
        text = _LINE_END.sub("\n", event.text)
        if text:
            self.paste_text(text)

    def action_paste(self) -> None:
        self.paste_text(self.app.clipboard)

    def paste_text(self, text: str) -> None:
        """Insert a text in place of the selection; one line feed at its end belongs to the copy."""
        self.replace(text.removesuffix("\n"), *self.selection)


class MessageInput(SafeInput):
    """One line of text with a history, as a shell has it.

    Args:
        history: What was sent before.
        vocabulary: Words that messages held.
        id: The widget's.

    Attributes:
        ignores_keys: Whether keys are passed over, because the explorer is being left.
        fault: The place in the text where it stops being what it looks like, None if it does not.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "up",
            "recall(1)",
            "History",
            key_display="↑↓",
            id="input.older",
            tooltip="Recall the messages that begin with the text in the box, from earlier starts, too. A "
            "message that begins with a space is not remembered",
        ),
        Binding("down", "recall(-1)", "Newer message", show=False, id="input.newer"),
        Binding("tab", "app.focus_next", "Panes", key_display="tab", id="input.panes"),
        # What is typed before we have the terminal comes with Enter as a line feed: the kernel translates it.
        Binding("ctrl+j", "submit", "Send", show=False, id="input.send"),
        Binding(
            "right",
            "cursor_right",
            "Complete",
            show=False,
            key_display="→",
            id="input.complete",
            tooltip="At the end of the text, accept the suggestion in grey, taken from earlier messages; "
            "elsewhere, go right",
        ),
        Binding(
            "ctrl+e",
            "edit",
            "Editor",
            show=False,
            id="input.editor",
            tooltip="Edit the message in your own editor (VISUAL or EDITOR), on many lines; back in the box, "
            "Enter sends it",
        ),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {"message--fault"}

    def __init__(self, history: InputHistory, vocabulary: Vocabulary, *, id: str | None = None) -> None:
        super().__init__(
            id=id,
            compact=True,
            select_on_focus=False,
            suggester=MessageSuggester(history, vocabulary),
            highlighter=_FaultHighlighter(self),
        )
        self.fault: int | None = None
        self.ignores_keys = False
        self._history = history
        self._walk: Sequence[str] = ()
        self._place = -1  # -1 is the draft, before the first of the walk
        self._draft = ""
        self._shown: str | None = None

    async def on_event(self, event: events.Event) -> None:
        """Take no key while the explorer is being left (Textual calls this)."""
        if not (self.ignores_keys and isinstance(event, events.Key)):
            await super().on_event(event)

    @property
    def has_suggestion(self) -> bool:
        """Whether a suggestion is shown in grey after the text."""
        return len(self._suggestion) > len(self.value)

    def paste_text(self, text: str) -> None:
        """Insert a text; into an empty box several lines come as the value that they mean."""
        if self.value:
            super().paste_text(text)
        else:
            self._take(fold(text), "Pasted")

    async def action_submit(self) -> None:
        """Hand the text over and empty the box at once: what is typed next is the next message."""
        if not self.value:
            return
        self.post_message(self.Submitted(self, self.value))
        self._remember(self.value)
        self.clear()
        self._shown = None  # what was walked through has become more

    def _remember(self, text: str) -> None:
        try:
            self._history.add(text)
        except OSError as error:
            self.report_history_error(error)

    def report_history_error(self, error: OSError) -> None:
        """Say once that later starts will not know what was sent."""
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        sentence = f"What is sent now will not be remembered: {reason}. TUI_IPC_HISTORY names another file."
        self._tell(sentence, "Not remembered", "warning")
        self._history.detach()

    def restore(self, text: str) -> None:
        """Give back a text that could not be sent, unless another has been begun."""
        if not self.value:
            self._show(text)

    def edit_text(self, text: str) -> None:
        """Show a text to be edited; ``down`` goes back to what was being typed, and so does ``up`` later."""
        draft = self._draft if self.value == self._shown else self.value
        self._history.keep(draft)
        self._begin_walk((text, *self._history.newest_first("")))
        self._draft = draft
        self.action_recall(1)

    def action_recall(self, direction: int) -> None:
        """Go to an older (1) or newer (-1) text that begins as the draft does; the draft is the newest."""
        if self.value != self._shown:
            self._begin_walk(tuple(self._history.newest_first(self.value)))
        place = self._place + direction
        if -1 <= place < len(self._walk):
            self._place = place
            self._show(self._draft if place < 0 else self._walk[place])
            self._shown = self.value

    def _begin_walk(self, texts: Sequence[str]) -> None:
        self._walk = texts
        self._place = -1
        self._draft = self._shown = self.value

    def _show(self, text: str) -> None:
        self.value = text
        self.cursor_position = len(self.value)

    def action_edit(self) -> None:
        """Open the text in an editor."""
        self.run_worker(self._edit(), group="editor", exclusive=True)

    async def _edit(self) -> None:
        text = unfold(self.value)
        try:
            edited = await edit(self.app, text, editor_command(os.environ))
        except EditorError as error:
            self._tell(str(error), "Not edited", "error")
            return
        if edited.removesuffix("\n") == text:
            return
        self._take(fold(edited), "Edited")

    def _take(self, folded: FoldResult, how: str) -> None:
        """Show a text that had several lines, and say if it is not what it looks like."""
        self._show(folded.text)
        if folded.complaint:
            self._tell(f"It would be sent as a string: {folded.complaint}.", how, "warning")

    def _tell(self, text: str, title: str, severity: Any) -> None:
        self.notify(format_sentence(text), title=title, severity=severity, markup=False)


class _DisplayedText(Text):
    """The display of a value, which is styled by positions in the value.

    Textual adds the suggestion, the selection and the cursor to what :attr:`SafeInput._value` returns. A
    style covers whole graphemes: a part of an emoji cannot be drawn by itself.
    """

    def __init__(self, display: VisibleText) -> None:
        super().__init__(display.text, no_wrap=True, overflow="ignore", end="")
        self._display = display

    def __add__(self, other: Any) -> Text:
        """Append a suggestion."""
        shown = Text(make_visible(other.plain), other.style, end="")
        return self.append_text(shown)

    def stylize(self, style: str | Style, start: int = 0, end: int | None = None) -> None:
        super().stylize(style, *self._find_range(start, end))

    def stylize_before(self, style: str | Style, start: int = 0, end: int | None = None) -> None:
        super().stylize_before(style, *self._find_range(start, end))

    def _find_range(self, start: int, end: int | None) -> tuple[int, int]:
        first = self._display.position_of(start)
        last = len(self.plain) if end is None else self._display.position_of(end)
        if not self.plain.isascii():
            for begin, stop, _ in split_graphemes(self.plain)[0]:
                first = begin if begin < first < stop else first
                last = stop if begin < last < stop else last
        return first, last


class _FaultHighlighter(Highlighter):
    """Marks the place where a text stops being what it looks like."""

    def __init__(self, box: MessageInput) -> None:
        self._box = box

    def highlight(self, text: Text) -> None:
        fault = self._box.fault
        if fault is not None and fault < len(text):
            style: Style = self._box.get_component_rich_style("message--fault", partial=True)
            text.stylize(style, fault, fault + 1)
