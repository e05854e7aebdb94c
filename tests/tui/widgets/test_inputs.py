"""The box in which a message is typed: keys in their order, history, completion, what is wrong and where."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from unittest.mock import patch

from textual.events import Key, Paste

from tests.support.app_harness import FakeExplorerDriver, press_at_once, run_explorer_app
from tests.support.fake_session import FakeSession
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.input_history import InputHistory

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
        assert notice.startswith(f"Later starts will not know what is sent now: {tmp_path}")

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
        assert seen == ["two", "one", "two", "three", "two"]

    play(scene)


def test_every_line_that_is_pasted_counts() -> None:
    """JSON over lines is pasted as its value, other lines as one string; within a text they are joined."""

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
        assert box.value == "one line and more"
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
        box = it.app.message_box.input
        for _ in range(3_000):
            box.post_message(Key("x", "x"))
        asyncio.get_running_loop().call_soon(it.app.leave, 7)
        await it.until(lambda: it.app.return_code == 7)
        assert len(box.value) < 100

    async def at_the_app(it: FakeExplorerDriver) -> None:
        press_at_once(it, *["x"] * 3_000)
        asyncio.get_running_loop().call_soon(it.app.leave, 7)
        await it.until(lambda: it.app.return_code == 7)
        assert len(it.app.message_box.input.value) < 100

    play(at_the_app)

    play(scene)
