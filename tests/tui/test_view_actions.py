"""Messages that are sent again, as they are or edited."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.app_harness import FakeExplorerDriver, run_explorer_app, run_replay_app
from tests.support.recordings import encode_recording
from tests.support.sample_events import LISTENING, SPAWNED
from tui_ipc.events import MessageSent, Note
from tui_ipc.ipc.wire import encode
from tui_ipc.tui.view_actions import MAX_BOX_CHARS, format_for_box

Play = Callable[[FakeExplorerDriver], Awaitable[None]]


def play(scene: Play) -> None:
    """Run a scene on a stage whose child listens."""

    async def main() -> None:
        async with run_explorer_app() as it:
            await it.connected()
            await scene(it)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Hello from parent", "Hello from parent"),
        ("", '""'),
        ("42", '"42"'),
        ("[1", '"[1"'),
        ("a\nb", '"a\\nb"'),
        ({"a": [1, b"x"]}, '{"a": [1, b"x"]}'),
        (42, "42"),
    ],
)
def test_a_value_is_written_as_one_would_type_it(value: Any, text: str) -> None:
    """A string stands without quotes where that reads as the same string."""
    assert format_for_box(value) == text


def test_an_earlier_message_is_edited_and_sent() -> None:
    """e puts the selected message into the box; what was being typed there is one ↓ away, once sent one ↑."""

    async def scene(it: FakeExplorerDriver) -> None:
        box = it.app.message_box.input
        await it.say('{"op": "add", "args": [2, 3]}')
        await it.until(lambda: it.session.sent)
        it.session.answer({"result": 5})
        await it.until(lambda: it.shows("log", "result"))
        await it.pilot.press(*"draft")
        it.app.log_view.focus()
        await it.pilot.press("up", "up", "e")
        await it.until(lambda: box.has_focus)
        assert box.value == '{"op": "add", "args": [2, 3]}'
        await it.pilot.press(*["backspace"] * 3, *"4]}", "enter")
        await it.until(lambda: it.session.sent[1:] == [{"op": "add", "args": [2, 4]}])
        await it.pilot.press("up", "up")
        assert box.value == "draft"
        await it.pilot.press("down", "down", *"draft")
        it.app.log_view.focus()
        it.app.log_view.select(6)
        await it.pilot.press("e")
        await it.until(lambda: box.value == '{"result": 5}')
        it.app.log_view.focus()
        await it.pilot.press("up", "e")
        await it.until(lambda: box.has_focus)
        assert box.value != '{"result": 5}'
        await it.pilot.press("down")
        assert box.value == "draft"

    play(scene)


def test_an_earlier_message_is_sent_again_at_once() -> None:
    """r sends the selected message as it is; one that came from the child is not ours to send."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.say("one")
        await it.until(lambda: it.session.sent)
        it.session.answer("two")
        await it.until(lambda: it.shows("log", '"two"'))
        it.app.log_view.focus()
        await it.pilot.press("up", "r")
        await it.until(it.notices)
        assert it.notices() == ["This message came from the child; only a sent message can be resent."]
        await it.pilot.press("up", "r")
        await it.until(lambda: it.session.sent == ["one", "one"])
        assert it.app.log_view.has_focus

    play(scene)


def test_what_cannot_be_edited_is_told() -> None:
    """A line that is no message, a message that is too large: a sentence says so."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.app.log_view.focus()
        await it.pilot.press("up", "e")
        await it.until(lambda: len(it.notices()) == 1)
        await it.pilot.press("r")
        await it.until(lambda: len(it.notices()) == 2)
        it.session.answer("x" * MAX_BOX_CHARS)
        await it.until(lambda: it.shows("log", "xxx"))
        await it.pilot.press("end", "e")
        await it.until(lambda: len(it.notices()) == 3)
        assert it.notices()[:2] == ["No message is selected in the log."] * 2
        assert it.notices()[2].startswith("A message of 256 KiB is too long for the message box")
        assert it.app.message_box.input.value == ""

    play(scene)


NO_NOTE = "A replay does not change its file: notes are written while the session runs."


def test_nothing_of_a_recording_is_sent_again(tmp_path: Path) -> None:
    """There is no child to send to: r says so, editing is not offered, and no note changes the file."""
    path = tmp_path / "talk.rec"
    sent = MessageSent(at=1, run=1, number=1, value="one", raw=encode("one"))
    path.write_bytes(encode_recording(LISTENING, SPAWNED, sent, command=("./calculator",)))

    async def main() -> None:
        async with run_replay_app(path, None) as it:
            await it.until(lambda: it.shows("log", '"one"'))
            it.app.log_view.focus()
            await it.pilot.press("up", "r")
            await it.until(lambda: it.notices() == ["A recording has no child to send to."])
            await it.pilot.press("m")
            await it.until(lambda: it.notices()[1:] == [NO_NOTE])
            offered = {command.title for command in it.app.get_system_commands(it.app.screen)}
            assert "Resend" in offered
            assert "Edit and resend" not in offered

    asyncio.run(main())


def test_a_note_about_a_line_of_the_log_is_an_event() -> None:
    """It has a line in the log, is filtered and found as one, and says what it is about."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.app.log_view.focus()
        await it.pilot.press("up", "m", *"look", "enter")
        await it.until(lambda: it.shows("log", "✎ note"))
        about = it.app.inspector.entry
        note = it.app.model.log[it.app.model.log.end - 1].event
        assert isinstance(note, Note)
        assert about is not None
        assert about.event is not None
        assert (note.text, note.about) == ("look", about.event.at)
        await it.pilot.press("slash", *"note", "enter")
        await it.until(lambda: not it.shows("log", "open"))
        assert it.shows("log", "look")
        await it.pilot.press("backspace", "f", *"look", "enter")
        await it.until(lambda: it.app.log_view.search_status == "1 of 1")
        assert it.app.log_view.selected is not None
        assert it.app.log_view.selected.event is note

    play(scene)


def test_the_dialog_of_a_note_is_in_the_middle_and_the_log_stays_visible() -> None:
    """A note is about what one sees."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.app.log_view.focus()
        await it.pilot.press("m")
        await it.until(lambda: bool(it.app.screen.query("#file")))
        await it.until(lambda: "Note" in it.frame() and "listening" in it.frame())
        dialog, screen = it.app.screen.query_one("#file").region, it.app.screen.region
        assert abs(dialog.y - (screen.bottom - dialog.bottom)) <= 1
        assert abs(dialog.x - (screen.right - dialog.right)) <= 1

    play(scene)


def test_a_note_that_is_cancelled_or_empty_is_none() -> None:
    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.app.log_view.focus()
        lines = it.app.model.log.end
        await it.pilot.press("m", "x", "escape", "m", "enter")
        await it.until(lambda: len(it.app.screen_stack) == 1)
        assert it.app.model.log.end == lines

    play(scene)
