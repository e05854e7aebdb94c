"""The box in which a message is typed: keys in their order, history, completion, what is wrong and where."""

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.events import Paste
from textual.widgets import Input
from textual.widgets.input import Selection

from tests.support.app_harness import FakeExplorerDriver, press_at_once, run_explorer_app
from tests.support.fake_session import FakeSession
from tests.support.unicode_text import is_safe, tricky_texts
from tui_ipc.text.notation import parse_value, render_value
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.input_history import InputHistory
from tui_ipc.tui.widgets.inputs import SafeInput

PASTED = (
    tricky_texts | st.text() | st.sampled_from(['{"a":\t1}', '{\r"a":\t[1,\r\n2]}', "\x1b[31m", "a\rb\r"])
)
"""What may be in a clipboard."""

Play = Callable[[FakeExplorerDriver], Awaitable[None]]


def play(scene: Play, history: InputHistory | None = None) -> None:
    """Run a scene on a stage whose child listens."""

    async def main() -> None:
        if history is None:
            async with run_explorer_app() as it:
                await it.connected()
                await scene(it)
            return
        session = FakeSession()
        app = ExplorerApp(session, history=history)
        async with app.run_test(size=(120, 36)) as pilot:
            it = FakeExplorerDriver(app, session, pilot)
            await it.connected()
            await scene(it)

    asyncio.run(main())


def test_keys_that_come_at_once_act_in_their_order() -> None:
    """Ctrl+U clears what was there before it, Enter sends what was typed before it, and nothing else."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.app.message_box.input.value = "old"
        press_at_once(it, "ctrl+u", *"one", "enter", *"two", "left", "X", "enter", *"three", "ctrl+u", *"end")
        await it.until(lambda: it.session.sent == ["one", "twXo"] and it.app.message_box.input.value == "end")
        press_at_once(it, "ctrl+u", "up", "enter", "up", "up", "enter")
        await it.until(lambda: it.session.sent[2:] == ["twXo", "one"])

    play(scene)


def test_keys_that_are_bound_anew_act_in_their_order_too() -> None:
    """A user's own keys count, and those that they replace do not."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.app.set_keymap({"input.older": "ctrl+y"})
        await it.say("one")
        press_at_once(it, "ctrl+y", "enter", "up", *"two", "enter")
        await it.until(lambda: it.session.sent == ["one", "one", "two"])

    play(scene)


def test_what_was_sent_is_known_after_a_restart_of_the_explorer(tmp_path: Path) -> None:
    """Up brings what an earlier start sent; a text that begins with a space is not kept."""
    path = tmp_path / "history"

    async def first(it: FakeExplorerDriver) -> None:
        for text in ("one", " secret", "two"):
            await it.say(text)
        await it.until(lambda: it.session.sent == ["one", " secret", "two"])

    async def second(it: FakeExplorerDriver) -> None:
        await it.pilot.press("up", "up", "enter")
        await it.until(lambda: it.session.sent == ["one"])

    play(first, InputHistory(path))
    play(second, InputHistory(path))
    assert path.read_text() == "one\ntwo\none\n"


def test_a_history_that_cannot_be_kept_is_told_once(tmp_path: Path) -> None:
    """The explorer works as ever, and remembers until its end."""
    (tmp_path / "file").touch()

    async def scene(it: FakeExplorerDriver) -> None:
        await it.until(it.notices)
        await it.say("one")
        await it.say("two")
        await it.until(lambda: it.session.sent == ["one", "two"])
        await it.pilot.press("up", "up")
        assert it.app.message_box.input.value == "one"
        (notice,) = it.notices()
        assert notice.startswith(f"What is sent now will not be remembered: {tmp_path}")

    play(scene, InputHistory(tmp_path / "file" / "history"))


def test_a_message_completes_what_is_typed() -> None:
    """Grey text is taken with → at the end, as the hint says; words of the child come there too."""

    async def scene(it: FakeExplorerDriver) -> None:
        box = it.app.message_box
        await it.say('{"op": "open"}')
        await it.until(lambda: it.session.sent)
        it.session.answer({"handle": 7})
        await it.until(lambda: box._vocabulary.complete("ha") == "handle")
        await it.pilot.press(*'{"op')
        await it.until(lambda: str(box.border_subtitle).endswith("press → to accept the suggestion"))
        await it.pilot.press("right")
        assert box.input.value == '{"op": "open"}'
        await it.pilot.press("backspace", *', "ha')
        await it.until(lambda: str(box.border_subtitle).endswith("press → to accept the suggestion"))
        await it.pilot.press("right", *": 7}", "enter")
        await it.until(lambda: it.session.sent[1:] == [{"op": "open", "handle": 7}])

    play(scene)


def test_a_fault_is_marked_in_its_place() -> None:
    """A text that is nearly JSON is marked where it stops being it, and the hint says why."""

    async def scene(it: FakeExplorerDriver) -> None:
        box = it.app.message_box
        box.input.value = '{"a" 1}'
        await it.until(lambda: "not JSON: expecting ':' at column 6" in str(box.border_subtitle))
        await it.pilot.pause()
        style = box.input.get_component_rich_style("message--fault", partial=True)
        marked = [
            segment.text
            for segment in box.input.render_line(0)
            if segment.style is not None and segment.style.underline and style.underline
        ]
        assert marked == ["1"]
        box.input.value = '{"a": 1}'
        await it.until(lambda: box.border_subtitle == "map, 1 key, 4 bytes")
        assert not box.has_class("-doubtful")

    play(scene)


def test_what_was_just_sent_is_the_first_to_come_back() -> None:
    """Also if the arrows had come back to an empty box before."""

    async def scene(it: FakeExplorerDriver) -> None:
        box = it.app.message_box.input
        await it.say("one")
        await it.pilot.press("up", "down", *"two", "enter", "up")
        assert box.value == "two"
        box.edit_text("three")
        seen = []
        for key in ("up", "up", "down", "down", "down"):
            await it.pilot.press(key)
            seen.append(box.value)
        assert seen == ["two", "one", "two", "three", ""]  # what was typed last is nothing

    play(scene)


def test_every_line_that_is_pasted_counts() -> None:
    """JSON over lines is pasted as its value, other lines as one string; within a text they stay lines."""

    async def scene(it: FakeExplorerDriver) -> None:
        box = it.app.message_box.input
        seen = []
        for text in ('{\r  "a": 1\r}\r', "one\ntwo", "[1,\n2 3]", "one line\n"):
            box.clear()
            it.app.post_message(Paste(text))
            await it.until(lambda: box.value)
            seen.append(box.value)
        it.app.post_message(Paste(" and\nmore"))
        await it.until(lambda: "more" in box.value)
        assert seen == ['{"a": 1}', '"one\\ntwo"', '"[1,\\n2 3]"', "one line"]
        assert box.value == "one line and\nmore"
        assert len(it.notices()) == 1

    play(scene)


def test_an_editor_needs_a_terminal() -> None:
    """Where there is none to give away, a sentence says so, and the text stays."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.app.message_box.input.value = "text"
        await it.pilot.press("ctrl+e")
        await it.until(it.notices)
        assert it.notices()[0].startswith("An editor needs a terminal")
        with patch.object(tempfile, "tempdir", "/nowhere"):
            await it.pilot.press("ctrl+e")
            await it.until(lambda: len(it.notices()) == 2)
        assert it.notices()[1].startswith("Cannot make a file for the editor: ")
        assert it.app.message_box.input.value == "text"

    play(scene)


def test_a_flood_of_keys_keeps_nobody_from_leaving() -> None:
    """What comes as keys, such as a paste that is not announced, gives others a turn, and is passed over."""

    async def scene(it: FakeExplorerDriver) -> None:
        press_at_once(it, *["x"] * 3_000)
        asyncio.get_running_loop().call_soon(it.app.leave, 7)
        await it.until(lambda: it.app.return_code == 7)
        assert len(it.app.message_box.input.value) < 100

    play(scene)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(PASTED, min_size=1, max_size=20))
def test_what_is_pasted_is_sent_as_it_is(texts: list[str]) -> None:
    """Any text, with tabs, escapes, joiners and line ends: only the display of it is made safe."""

    async def scene(it: FakeExplorerDriver) -> None:
        sent = [await paste_and_send(it, whole, text) for text in texts if (whole := end_lines(text))]
        assert render_value(it.session.sent) == render_value(sent)

    play(scene)


def end_lines(text: str) -> str:
    """A text with line ends as files have them; one at its end belongs to the copy."""
    return re.sub("\r\n?", "\n", text).removesuffix("\n")


async def paste_and_send(it: FakeExplorerDriver, whole: str, pasted: str) -> Any:
    """Paste a text into the empty box and send it; returns the value that it means."""
    box, before = it.app.message_box.input, len(it.session.sent)
    box.post_message(Paste(pasted))
    await it.until(lambda: bool(box.value))
    if "\n" not in whole:
        assert box.value == whole
    assert_drawn_safely(box)
    await it.pilot.press("enter")
    await it.until(lambda: len(it.session.sent) > before)
    return parse_value(whole)


def assert_drawn_safely(box: Input) -> None:
    """Wherever the cursor is, and whatever is selected."""
    for position in range(0, len(box.value) + 1, len(box.value) // 20 + 1):
        box.cursor_position = position
        drawn = box.render_line(0)
        assert is_safe(drawn.text)
        assert drawn.cell_length == box.scrollable_content_region.width + 1
        box.selection = Selection(position, len(box.value))
        assert is_safe(box.render_line(0).text)


@pytest.mark.parametrize("text", ["a\tb", "\x1b[2J\u202e", "👩\u200d💻\u3164", "one\ntwo", " x\x00"])
def test_every_box_keeps_what_came(text: str) -> None:
    """A filter, a search and a path are what was pasted; a line feed is seen in their one line."""

    async def scene(it: FakeExplorerDriver) -> None:
        box = SafeInput()
        await it.app.screen.mount(box)
        box.post_message(Paste(text + "\r"))
        await it.until(lambda: bool(box.value))
        assert box.value == text
        assert_drawn_safely(box)
        box.post_message(Paste("x"))
        await it.until(lambda: len(box.value) > len(text))

    play(scene)


def test_the_cursor_is_on_the_symbol_of_what_is_invisible() -> None:
    """As a whole, and a click on it finds its place in the text."""

    async def scene(it: FakeExplorerDriver) -> None:
        box = it.app.message_box.input
        box.value = "ab\u202ecd👩\u200d💻e"
        box.cursor_blink = False
        box.cursor_position = 2
        await it.pilot.pause()
        style = box.get_component_rich_style("input--cursor")
        marked = "".join(
            each.text for each in box.render_line(0) if each.style and each.style.bgcolor == style.bgcolor
        )
        assert marked == "‹U+202E›"
        places = [box._cell_offset_to_index(cell) for cell in (0, 1, 2, 9, 10, 11, 12, 13, 14, 99)]
        assert places == [0, 1, 2, 2, 3, 4, 5, 5, 8, 9]
        assert [box._position_to_cell(position) for position in (2, 3, 5, 8, 9)] == [2, 10, 12, 14, 15]

    play(scene)
