"""The explorer as a whole, over a session that the test plays: what is typed, what is seen, what is left."""

import asyncio
import re
from contextvars import Context
from time import monotonic

import pytest
from textual import events
from textual.binding import Binding

from tests.support.app_harness import FakeExplorerDriver, run_explorer_app, run_scene
from tests.support.fake_session import FakeSession
from tests.support.sample_events import SPAWNED
from tests.support.unicode_text import is_safe
from tui_ipc.events import HandshakeFailed, StepLate
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.model.clipboard import CLIPBOARD_LIMIT
from tui_ipc.tui.model.session_model import OUTPUT_LIMIT
from tui_ipc.tui.screens.help_screen import HelpScreen


def test_a_typed_message_is_sent_as_the_value_that_it_means() -> None:
    """JSON is sent as its value, other text as a string, in order; the box is empty afterwards."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.say("Hello from parent")
        await it.say('{"op": "add", "args": [2, 3]}')
        await it.until(lambda: len(it.session.sent) == 2)
        assert it.session.sent == ["Hello from parent", {"op": "add", "args": [2, 3]}]
        assert it.app.message_box.input.value == ""

    run_scene(scene)


def test_an_empty_line_sends_nothing() -> None:
    """Enter by accident does not disturb the child; the empty string is written with its quotes."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.say("")
        await it.say('""')
        await it.until(lambda: it.session.sent == [""])

    run_scene(scene)


def test_messages_typed_during_the_handshake_wait_for_its_end() -> None:
    """Nothing is lost by typing early."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.session.listen()
        await it.say("early")
        await it.until(lambda: it.shows("log", "listening"))
        assert it.session.sent == []
        it.session.handshake()
        await it.until(lambda: it.session.sent == ["early"])

    run_scene(scene)


def test_what_happens_appears_in_its_pane() -> None:
    """The handshake and the messages stand in the log, the output below it, the counts at the top."""

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
            ["0.048", '→ "How are you?"', "13 B"],
            ["0.048", '← "Child received: How are you?"', "61 µs", "29 B"],
        ]
        assert it.rows("output")[:2] == ["Received from parent: How are you?", "half a line"]
        assert it.text("who") == "echo · pid 4242 · ● connected"
        assert it.text("counts") == "1 sent   1 received   p50 61 µs"

    run_scene(scene)


def test_panes_that_are_empty_teach() -> None:
    """Before anything happens each pane says what will come into it."""

    async def scene(it: FakeExplorerDriver) -> None:
        assert it.shows("log", "Each step of the handshake and each message appears here")
        assert it.shows("output", "The child has printed nothing yet.")
        await it.until(lambda: it.shows("page", "The newest message is shown here"))
        assert it.text("who") == "● starting"

    run_scene(scene)


def test_the_hint_says_what_would_be_sent() -> None:
    """While a message is typed, its kind and size are told at the box's edge."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.press(*"42")
        assert it.app.message_box.border_subtitle == "integer, 1 byte"

    run_scene(scene)


def test_history_is_walked_with_the_arrows() -> None:
    """Up and down walk through what was sent and begins as the draft does, which comes back at the end."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        for text in ("two", "one", "three", "two"):
            await it.say(text)
        seen = []
        for key in ("t", "up", "up", "up", "down", "down", "down", "backspace", "up", "up", "up"):
            await it.pilot.press(key)
            seen.append(it.app.message_box.input.value)
        assert seen == ["t", "two", "three", "three", "two", "t", "t", "", "two", "three", "one"]

    run_scene(scene)


def test_the_inspector_shows_the_newest_message_until_one_is_selected() -> None:
    """Following ends with a selection, and begins again past the last line."""

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


def test_the_inspector_has_three_faces() -> None:
    """v, b and a turn to value, bytes and about, from the log as well."""

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


def test_a_selected_line_is_not_swept_away() -> None:
    """A line picked at the very end of a full log stays where it is while more come."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        for number in range(40):
            it.session.answer(number)
        await it.until(lambda: "← 39 " in it.rows("log")[-1])
        it.app.log_view.focus()
        await it.pilot.press("up", *["pageup"] * 2)
        while it.app.log_view.cursor != it.app.log_view.end - 1:
            await it.pilot.press("down")
        rows = it.rows("log")
        it.session.answer("new")
        await it.until(lambda: it.app.log_view.border_subtitle == "1 new ↓ End")
        assert it.rows("log") == rows

    run_scene(scene)


def test_a_click_selects_a_line_of_the_log() -> None:
    """The mouse does what the arrows do."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.click("#log", offset=(10, 4))
        await it.until(lambda: it.shows("page", "hello"))
        assert it.app.log_view.cursor == 3

    run_scene(scene)


def test_the_value_is_copied_as_it_would_be_typed() -> None:
    """c copies the inspected value whole, in the notation."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.say('{"bytes": [1, 2], "text": "é"}')
        await it.until(lambda: it.shows("page", "é"))
        it.app.log_view.focus()
        await it.pilot.press("c")
        assert it.app.clipboard == '{"bytes": [1, 2], "text": "é"}'

    run_scene(scene)


def test_what_the_clipboard_cannot_hold_is_not_copied() -> None:
    """A value too large for a terminal's clipboard is refused with a sentence, not dropped in silence."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.answer("x" * CLIPBOARD_LIMIT)
        await it.until(lambda: it.shows("page", "xxxx"))
        it.app.log_view.focus()
        await it.pilot.press("c")
        assert it.app.clipboard == ""

    run_scene(scene)


def test_a_view_follows_until_someone_scrolls_up() -> None:
    """Scrolled up, the view holds still and counts what comes; End follows again."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.output(b"".join(b"line %d\n" % number for number in range(100)))
        await it.until(lambda: it.rows("output")[-1] == "line 99")
        it.app.output_view.focus()
        await it.pilot.press("pageup")
        before = it.rows("output")
        it.session.output(b"line 100\nline 101\n")
        await it.until(lambda: it.app.output_view.border_subtitle)
        assert it.app.output_view.border_subtitle == "2 new ↓ End"
        assert it.rows("output") == before
        await it.pilot.press("end")
        await it.until(lambda: it.rows("output")[-1] == "line 101")
        it.session.output(b"line 102\n")
        await it.until(lambda: it.rows("output")[-1] == "line 102")
        assert not it.app.output_view.border_subtitle

    run_scene(scene)


def test_a_view_holds_still_while_its_oldest_lines_are_forgotten() -> None:
    """Lines that fall out of the ring do not move what is on the screen."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.output(b"".join(b"old %d\n" % number for number in range(OUTPUT_LIMIT)))
        await it.until(lambda: it.shows("output", f"old {OUTPUT_LIMIT - 1}"))
        it.app.output_view.focus()
        await it.pilot.press("pageup")
        before = it.rows("output")
        it.session.output(b"".join(b"new %d\n" % number for number in range(1_000)))
        await it.until(lambda: it.app.output_view.border_subtitle == "1 000 new ↓ End")
        assert it.app.model.output.first == 1_000
        assert it.rows("output") == before

    run_scene(scene)


def test_a_flood_stays_within_bounds_and_ends_with_its_last_line() -> None:
    """100 000 lines are taken in, the newest are held, the last is on the screen, and keys still work."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        lines = [b"line %d\n" % number for number in range(100_000)]
        for start in range(0, len(lines), 1_000):
            it.session.output(b"".join(lines[start : start + 1_000]))
        await it.pilot.press(*"typed")
        await it.until(lambda: it.rows("output")[-1] == "line 99999")
        assert it.app.message_box.input.value == "typed"
        assert len(it.app.model.output) == OUTPUT_LIMIT

    run_scene(scene)


def test_cropped_lines_can_be_shifted() -> None:
    """→ shows what lies beyond the right edge, ← goes back."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.output(b"x" * 200 + b"END\n")
        await it.until(lambda: it.shows("output", "xxx"))
        assert it.rows("output")[0].endswith("x…")
        it.app.output_view.focus()
        await it.pilot.press(*["right"] * 12)
        assert it.rows("output")[0].startswith("…x")
        assert it.rows("output")[0].endswith("END")
        await it.pilot.press(*["left"] * 13)
        assert it.rows("output")[0].startswith("xx")

    run_scene(scene)


def test_text_can_be_selected_with_the_mouse() -> None:
    """What is dragged over is copied as the lines were printed, cropped parts and markup included."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.output(b"first line\n[b]second[/b] " + b"x" * 200 + b"\nthird\n")
        await it.until(lambda: it.shows("output", "third"))
        await it.pilot.mouse_down("#output", offset=(8, 1))
        await it.pilot.hover("#output", offset=(6, 3))
        await it.pilot.mouse_up("#output", offset=(6, 3))
        selected = it.app.screen.get_selected_text()
        assert selected is not None
        assert selected.startswith("line\n[b]second[/b] " + "x" * 200 + "\nthi")

    run_scene(scene)


def test_the_childs_death_is_told_where_one_looks() -> None:
    """The log says how the child ended; the box says that it does not run and what to do; the app stays."""

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


def test_a_restart_goes_on_in_the_same_log() -> None:
    """ctrl+r begins run 2 below a rule, and messages pass again."""

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


def test_a_failed_handshake_says_why() -> None:
    """The doctor's sentence stands above the panes until the next run."""

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


def test_a_late_step_is_explained_while_it_is_late() -> None:
    """The sentence stands above the panes until the step comes, without a word of failure."""

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


def test_hostile_text_is_harmless_everywhere() -> None:
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


def test_control_characters_cannot_be_pasted_into_the_box() -> None:
    """What the terminal would obey is turned into its symbol before it is shown."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.app.message_box.input.insert_text_at_cursor("a\x1b[2Jb\u202e")
        assert it.app.message_box.input.value == "a␛[2Jb‹U+202E›"

    run_scene(scene)


def test_quitting_waits_for_the_child_and_says_so() -> None:
    """ctrl+q leaves the session, shows that it waits, and ends with code 0 when the child has ended."""

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


def test_a_signal_handler_may_quit() -> None:
    """A handler runs outside of the app's context, and at any moment, as just after a picture was drawn."""

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


def test_quitting_twice_does_not_wait() -> None:
    """A second ctrl+q cuts the wait short."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.may_end.clear()
        await it.pilot.press("ctrl+q")
        await it.until(lambda: "quit" in it.session.asked)
        await it.pilot.press("ctrl+q")
        await it.until(lambda: it.app.return_code is not None)
        assert it.session.asked == ["enter", "quit", "hurry"]

    run_scene(scene)


def test_the_session_is_left_when_the_app_is_torn_down() -> None:
    """However the app ends, the child is ended too."""

    async def main() -> list[str]:
        async with run_explorer_app() as it:
            await it.connected()
        return list(it.session.asked)

    assert asyncio.run(main()) == ["enter", "quit"]


def test_a_session_that_cannot_begin_ends_the_explorer_with_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No room for the server's directory is the system's fault: exit code 3, no traceback."""

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


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 36), (200, 60)])
def test_every_pane_has_its_place(width: int, height: int) -> None:
    """From 80×24 to 200×60 the log, the output and the box are on the screen, and nothing overlaps."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        panes = [it.app.status_bar, it.app.log_view, it.app.output_view, it.app.message_box]
        if width >= 100:
            panes.append(it.app.inspector)
        regions = [pane.region for pane in panes]
        assert all(region.area and it.app.screen.region.contains_region(region) for region in regions)
        assert all(not a.overlaps(b) for a in regions for b in regions if a is not b)
        assert it.app.inspector.display == (width >= 100)
        assert it.app.log_view.size.height >= 6
        assert it.app.output_view.size.height >= 4

    run_scene(scene, width, height)


def test_a_small_screen_shows_the_inspector_on_demand() -> None:
    """At 80×24 Enter in the log opens the inspector in the output's place; Escape gives it back."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.say("Hi")
        await it.until(lambda: it.shows("log", '"Hi"'))
        it.app.log_view.focus()
        await it.pilot.press("up", "enter")
        await it.until(lambda: it.shows("page", '"Hi"'))
        assert (it.app.inspector.display, bool(it.app.output_view.region)) == (True, False)
        await it.pilot.press("escape")
        assert (it.app.inspector.display, bool(it.app.output_view.region)) == (False, True)
        assert it.app.message_box.input.has_focus

    run_scene(scene, 80, 24)


def test_resizing_keeps_the_end_in_sight() -> None:
    """A view that follows still shows its newest line after the terminal was made smaller and larger."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.output(b"".join(b"line %d\n" % number for number in range(100)))
        await it.until(lambda: it.rows("output")[-1] == "line 99")
        for width, height in ((80, 24), (200, 60), (120, 36)):
            await it.pilot.resize_terminal(width, height)
            await it.until(lambda: it.rows("output")[-1] == "line 99")

    run_scene(scene)


@pytest.mark.parametrize("name", ["log", "output", "inspector"])
def test_a_pane_can_have_all_the_room(name: str) -> None:
    """F2 maximizes the pane in use and takes it back; the box stays."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        panes = {"log": it.app.log_view, "output": it.app.output_view, "inspector": it.app.inspector}
        (it.app.inspector.page if name == "inspector" else panes[name]).focus()
        await it.pilot.press("f2")
        await it.pilot.pause()
        assert [key for key, pane in panes.items() if pane.size.area and pane.region.area] == [name]
        assert panes[name].region.width == 120
        assert it.app.message_box.region.area
        await it.pilot.press("f2")
        await it.pilot.pause()
        assert all(pane.region.area for pane in panes.values())

    run_scene(scene)


def test_help_explains_the_keys_that_work() -> None:
    """F1 opens the help, which knows the notation and the keys; F1 closes it."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.press("f1")
        screen = it.app.screen
        assert isinstance(screen, HelpScreen)
        assert {"Quit", "Restart", "Help", "Maximize"} <= {key.title for key in screen.keys}
        await it.pilot.press("f1")
        assert not isinstance(it.app.screen, HelpScreen)

    run_scene(scene)


def test_bindings_have_ids_so_that_they_can_be_changed() -> None:
    """Every key of ours can be bound anew by its id, and ids are unique."""

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


def test_a_key_goes_first_from_its_arrival_until_it_is_on_the_screen() -> None:
    """Not only from when its turn comes among the messages; a picture from before it was handled is none."""

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
