"""The explorer as a whole, over a session that the test plays: what is typed, what is seen, what is left."""

import asyncio
import re
from contextvars import Context
from time import monotonic
from unittest.mock import patch

import pytest
from textual import events
from textual.binding import Binding

from tests.support.app_harness import WAIT_SECONDS, FakeExplorerDriver, run_explorer_app, run_scene
from tests.support.fake_session import FakeSession
from tests.support.sample_events import SPAWNED
from tests.support.unicode_text import is_safe
from tui_ipc.events import HandshakeFailed, StepLate
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.model.clipboard import CLIPBOARD_LIMIT
from tui_ipc.tui.screens.help_screen import HelpScreen


def test_typed_message_is_sent_as_its_value() -> None:
    """JSON is sent as its value, other text as a string, in order; the box is empty afterwards."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.say("Hello from parent")
        await it.say('{"op": "add", "args": [2, 3]}')
        await it.until(lambda: len(it.session.sent) == 2)
        assert it.session.sent == ["Hello from parent", {"op": "add", "args": [2, 3]}]
        assert it.app.message_box.input.value == ""

    run_scene(scene)


def test_enter_in_an_empty_box_sends_nothing() -> None:
    """The empty string is sent only if it is written with quotes."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.say("")
        await it.say('""')
        await it.until(lambda: it.session.sent == [""])

    run_scene(scene)


def test_message_typed_during_the_handshake_is_sent_after_it() -> None:
    """A message that is typed early is not lost."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.session.listen()
        await it.say("early")
        await it.until(lambda: it.shows("log", "listening"))
        assert it.session.sent == []
        it.session.handshake()
        await it.until(lambda: it.session.sent == ["early"])

    run_scene(scene)


def test_events_appear_in_their_panes() -> None:
    """The handshake and the messages are in the log, the output is below it, the counts are at the top."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.say("How are you?")
        await it.until(lambda: it.session.sent)
        it.session.answer("Child received: How are you?")
        it.session.output(b"Received from parent: How are you?\n")
        it.session.output(b"half a line")
        await it.until(lambda: it.shows("output", "half a line") and it.shows("log", "←"))
        steps = [row.split()[2] for row in it.rows("log")[:5]]
        assert steps == ["listening", "spawned", "connected", "hello", "open"]
        assert [re.split(" {2,}", row.strip()) for row in it.rows("log")[5:7]] == [
            ["0.048", "→ #1", '"How are you?"', "61 µs", "13 B"],
            ["0.048", "← #1", '"Child received: How are you?"', "61 µs", "29 B"],
        ]
        assert it.rows("output")[:2] == ["Received from parent: How are you?", "half a line"]
        assert it.text("who") == "echo · pid 4242 · ● connected"
        assert it.text("counts") == "1 sent   1 received   p50 61 µs"

    run_scene(scene)


def test_empty_panes_explain_themselves() -> None:
    """Before any event each pane says what it will show."""

    async def scene(it: FakeExplorerDriver) -> None:
        assert it.shows("log", "Each step of the handshake and each message appears here")
        assert it.shows("output", "The child has printed nothing yet.")
        await it.until(lambda: it.shows("page", "The newest message is shown here"))
        assert it.text("who") == "● starting"

    run_scene(scene)


def test_inspector_shows_the_newest_message_until_one_is_selected() -> None:
    """It holds still at a selected message, and follows again after the last line."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.say("first")
        await it.until(lambda: it.shows("page", '"first"'))
        it.app.log_view.focus()
        await it.pilot.press("up")
        await it.until(lambda: it.app.log_view.cursor == 5)
        it.session.answer("second")
        await it.until(lambda: it.shows("log", '"second"'))
        assert it.shows("page", '"first"')
        await it.pilot.press("down", "down")
        await it.until(lambda: it.shows("page", '"second"'))
        assert it.app.log_view.cursor is None
        assert it.app.inspector.border_subtitle == "7 B · answers #1 after 61 µs"

    run_scene(scene)


def test_inspector_tabs_have_keys_in_the_log() -> None:
    """v, b and a show the value, the bytes and the facts, from the log as well."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.say("Hi")
        await it.until(lambda: it.shows("page", '"Hi"'))
        it.app.log_view.focus()
        await it.pilot.press("b")
        await it.until(lambda: it.shows("page", "0000  a2 48 69"))
        await it.pilot.press("a")
        await it.until(lambda: it.shows("page", "to the child"))
        await it.pilot.press("v")
        await it.until(lambda: it.shows("page", '"Hi"'))
        await it.pilot.press("enter", "b")
        await it.until(lambda: it.shows("page", "a2 48 69"))

    run_scene(scene)


def test_c_copies_the_value_as_notation() -> None:
    """c copies the whole inspected value, as one would type it."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.say('{"bytes": [1, 2], "text": "é"}')
        await it.until(lambda: it.shows("page", "é"))
        it.app.log_view.focus()
        await it.pilot.press("c")
        assert it.app.clipboard == '{"bytes": [1, 2], "text": "é"}'

    run_scene(scene)


def test_value_too_large_for_the_clipboard_is_not_copied() -> None:
    """Nothing is copied if the terminal would drop it."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.answer("x" * CLIPBOARD_LIMIT)
        await it.until(lambda: it.shows("page", "xxxx"))
        it.app.log_view.focus()
        await it.pilot.press("c")
        assert it.app.clipboard == ""

    run_scene(scene)


def test_exit_of_the_child_is_shown_in_log_box_and_status() -> None:
    """The log says how the child ended, the box how to restart it; the app stays."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.exit(3)
        await it.until(lambda: it.shows("log", "■ exited     the child exited with code 3"))
        sentence = "child not running: it exited with code 3 — ^r starts it again"
        await it.until(lambda: it.app.message_box.input.placeholder == sentence)
        assert it.text("who").endswith("● exited with code 3")
        await it.say("hello?")
        await it.until(lambda: len(it.app._notifications) and it.app.message_box.input.value == "hello?")
        hint = "child not running — ^r starts it again"
        await it.until(lambda: it.app.message_box.border_subtitle == hint)
        assert it.session.sent == []

    run_scene(scene)


def test_restart_continues_the_log() -> None:
    """ctrl+r begins run 2 below a separator, and messages are sent again."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.exit(None, 9)
        await it.until(lambda: it.shows("log", "by SIGKILL"))
        await it.pilot.press("ctrl+r")
        await it.until(lambda: it.shows("log", "── run 2 ─"))
        it.session.handshake(pid=4343)
        await it.say("again")
        await it.until(lambda: it.session.sent == ["again"])
        await it.until(lambda: "pid 4343 · run 2 · ● connected" in it.text("who"))
        assert it.session.asked.count("restart") == 1

    run_scene(scene)


def test_failed_handshake_is_explained() -> None:
    """The reason is above the panes until the next run."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.session.listen()
        failure = HandshakeFailed(
            at=1, run=1, step="connected", sentence="nobody came [/red]\nstart it", timed_out=True
        )
        it.session.feed(failure)
        await it.until(lambda: it.app.notice.has_class("-shown"))
        assert it.text("notice") == "Nobody came [/red]\nstart it"
        await it.pilot.press("ctrl+r")
        await it.until(lambda: not it.app.notice.has_class("-shown"))

    run_scene(scene)


def test_late_step_is_explained_while_it_is_late() -> None:
    """The reason is above the panes until the step comes, without a word of failure."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.session.listen()
        it.session.feed(StepLate(at=1, run=1, step="spawned", waited=1, sentence="it is not [/red] there"))
        await it.until(lambda: it.app.notice.has_class("-shown", "-late"))
        assert it.text("notice") == "It is not [/red] there"
        assert it.app.notice.border_title == "Handshake is slow"
        assert it.text("who").endswith("● late: waiting for its process")
        it.session.feed(SPAWNED)
        await it.until(lambda: not it.app.notice.has_class("-shown"))
        assert it.shows("log", "▲ late       it is not [/red] there")

    run_scene(scene)


def test_hostile_text_is_made_safe_in_every_pane() -> None:
    """Names, messages, output and sentences full of markup and control characters change nothing."""
    evil = "\x1b[2J[/][red]\u202e[@click=app.quit]x[/]\x9b31m\x07"

    async def scene(it: FakeExplorerDriver) -> None:
        it.session.handshake(name=evil)
        it.session.answer({evil: [evil]})
        it.session.answer(evil * 20)
        it.session.output(evil.encode() + b"\n" + evil.encode(), "stderr")
        it.session.feed(HandshakeFailed(at=9, run=1, step="hello", sentence=evil, timed_out=False))
        await it.until(lambda: it.app.notice.has_class("-shown"))
        it.app.log_view.focus()
        for face in "bav":
            await it.pilot.press(face)
        await it.pilot.press("c", "f1")
        frame = "".join(
            segment.text for strip in it.app.screen_stack[0]._compositor.render_strips() for segment in strip
        )
        assert "[@click=app.quit]" in frame
        assert all(is_safe(character) for character in frame)

    run_scene(scene)


def test_what_is_typed_steers_no_terminal() -> None:
    """What the terminal would obey is shown by its symbol; the text is what was pasted."""

    async def scene(it: FakeExplorerDriver) -> None:
        box = it.app.message_box.input
        box.insert_text_at_cursor("a\x1b[2Jb\u202e")
        assert box.value == "a\x1b[2Jb\u202e"
        assert box.render_line(0).text.rstrip() == "a␛[2Jb‹U+202E›"

    run_scene(scene)


def test_metrics_keep_their_four_rows_in_a_narrower_terminal() -> None:
    """No row is lost to blank ones once the terminal is resized."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.press("f6")
        await it.until(lambda: "unread" in it.frame())
        await it.pilot.resize_terminal(80, 24)
        await it.until(lambda: it.app.screen.query_one("#metrics").region.width == 80)
        assert it.app.screen.query_one("#metrics").region.height == 6

    run_scene(scene)


def test_ctrl_c_names_the_key_that_quits() -> None:
    """As it is written in the row of keys, without marks of a markup."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.press("ctrl+c")
        await it.until(lambda: it.notices() == ["Press ^q to quit."])
        assert it.app.is_running

    run_scene(scene)


def test_quit_waits_for_the_child() -> None:
    """ctrl+q leaves the session, shows that it waits, and exits with code 0 once the child has ended."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.may_end.clear()
        await it.pilot.press("ctrl+q")
        await it.until(lambda: "quitting: waiting for the child to end" in it.text("who"))
        assert it.app.is_running
        assert it.session.asked == ["enter", "quit"]
        it.session.exit(0)
        it.session.may_end.set()
        await it.until(lambda: it.app.return_code is not None)
        assert it.app.return_code == 0

    run_scene(scene)


def test_own_message_does_not_wait_for_the_next_picture() -> None:
    """In a flood pictures are far apart, and the user looks for the row."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        throttle = it.app.refresh_throttle
        with patch.object(throttle, "_measure"):  # so that the next picture stays far away
            throttle.next_at = monotonic() + 1_000_000
            await it.until(lambda: not throttle._is_due)
            deadline = monotonic() + WAIT_SECONDS
            with patch.object(throttle, "_update") as update:
                it.session.output(b"printed\n")
                await it.pilot.pause()
                assert not update.called
                await it.pilot.press(*"hello", "enter")
                while not update.called:
                    assert monotonic() < deadline
                    await it.pilot.pause()

    run_scene(scene)


def test_signal_handler_can_quit() -> None:
    """A handler runs outside of the app's context, and at any time, such as just after a frame was drawn."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.app.refresh_throttle.next_at = (
            monotonic() + 0.05
        )  # a picture was drawn just now, so the next has to wait
        it.session.may_end.clear()
        asyncio.get_running_loop().call_soon(it.app.leave, 143, context=Context())
        await it.until(lambda: "quitting" in it.text("who"))
        it.session.may_end.set()
        await it.until(lambda: it.app.return_code is not None)
        assert it.app.return_code == 143

    run_scene(scene)


def test_second_quit_does_not_wait() -> None:
    """A second ctrl+q cancels the wait."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.may_end.clear()
        await it.pilot.press("ctrl+q")
        await it.until(lambda: "quit" in it.session.asked)
        await it.pilot.press("ctrl+q")
        await it.until(lambda: it.app.return_code is not None)
        assert it.session.asked == ["enter", "quit", "hurry"]

    run_scene(scene)


def test_session_ends_with_the_app() -> None:
    """However the app ends, the child is ended, too."""

    async def main() -> list[str]:
        async with run_explorer_app() as it:
            await it.connected()
        return list(it.session.asked)

    assert asyncio.run(main()) == ["enter", "quit"]


def test_session_that_cannot_begin_exits_with_3(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """If there is no room for the server's directory, a sentence is printed and no traceback."""

    class Full(FakeSession):
        async def __aenter__(self) -> "Full":
            raise OSError("No space \x1b[2J left on device")

    async def scene() -> ExplorerApp:
        app = ExplorerApp(Full())
        async with app.run_test() as pilot:
            while app.return_code is None:
                await pilot.pause()
        return app

    app = asyncio.run(scene())
    assert app.return_code == 3
    assert capsys.readouterr().err == "tui-ipc: the session failed: No space ␛[2J left on device\n"


def test_help_lists_the_keys() -> None:
    """F1 opens the help, which lists the keys; F1 closes it."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.press("f1")
        screen = it.app.screen
        assert isinstance(screen, HelpScreen)
        assert {"Quit", "Restart", "Help", "Maximize"} <= {key.title for key in screen.keys}
        await it.pilot.press("f1")
        assert not isinstance(it.app.screen, HelpScreen)

    run_scene(scene)


def test_bindings_have_unique_ids() -> None:
    """Every key can be rebound by its id."""

    async def scene(it: FakeExplorerDriver) -> None:
        app = it.app
        nodes = (app, app.log_view, app.output_view, app.inspector, app.message_box.input)
        ours = [
            binding
            for node in nodes
            for kind in type(node).__mro__
            if kind.__module__.startswith("tui_ipc")
            for binding in vars(kind).get("BINDINGS", ())
        ]
        assert all(isinstance(binding, Binding) and binding.id for binding in ours)
        ids = {binding.id: binding for binding in ours}
        assert len({id(binding) for binding in ours}) == len(ids)

    run_scene(scene)


def test_key_has_priority_until_it_is_drawn() -> None:
    """From its arrival, not only once it is handled; a frame from before it was handled does not count."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        input_priority = it.app.refresh_throttle.input_priority
        it.app.post_message(events.Key("x", "x"))
        assert input_priority.is_active
        it.app.post_display_hook()
        assert input_priority.is_active
        await it.until(lambda: not input_priority.is_active)
        assert "❯ x" in it.frame()

    run_scene(scene)


def test_quit_after_a_failed_handshake_exits_with_3() -> None:
    """The code tells a caller that no child was explored; after a restart that succeeds it is 0."""
    failure = HandshakeFailed(at=1, run=1, step="connected", sentence="it never came", timed_out=True)

    async def fail(it: FakeExplorerDriver) -> None:
        it.session.listen()
        it.session.feed(failure)
        await it.until(lambda: it.app.notice.has_class("-shown"))
        await it.pilot.press("ctrl+q")
        await it.until(lambda: it.app.return_code == 3)

    async def recover(it: FakeExplorerDriver) -> None:
        it.session.listen()
        it.session.feed(failure)
        await it.until(lambda: it.app.notice.has_class("-shown"))
        await it.pilot.press("ctrl+r")
        await it.until(lambda: "restart" in it.session.asked)
        it.session.handshake()
        await it.until(lambda: it.app.model.status.phase == "open")
        await it.pilot.press("ctrl+q")
        await it.until(lambda: it.app.return_code == 0)

    run_scene(fail)
    run_scene(recover)
