"""The explorer over a recording: what is shown when, and what the keys do."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from textual.widgets import Input

from tests.support.app_harness import ExplorerDriver, press_at_once, replay_bar, run_replay_app
from tests.support.recordings import encode_recording
from tests.support.sample_events import LISTENING, OPEN, SPAWNED
from tui_ipc.events import Note
from tui_ipc.ipc.wire import encode
from tui_ipc.recording.codec import Clock, encode_clock, encode_event, encode_header
from tui_ipc.recording.replay import Replay
from tui_ipc.recording.writer import RecordingWriter
from tui_ipc.session.conversation import NotConnected
from tui_ipc.text.units import format_time_of_day
from tui_ipc.tui.launch import run_replay
from tui_ipc.tui.model.search import parse_filter
from tui_ipc.tui.replay_app import ReplayApp, ReplayedSession
from tui_ipc.tui.screens.help_screen import HelpScreen
from tui_ipc.tui.settings import Settings

SECOND = 1_000_000_000

UNANSWERED_LATER = "Which messages stay unanswered is known once the recording is complete."


def watch(
    scene: Callable[[ExplorerDriver], Awaitable[None]],
    path: Path,
    speed: float | None = 1.0,
    width: int = 120,
    height: int = 36,
) -> None:
    """Run a scene over a recording."""

    async def main() -> None:
        async with run_replay_app(path, speed, width, height) as it:
            await scene(it)

    asyncio.run(main())


def test_a_recording_is_shown_at_its_own_pace(talk: Path) -> None:
    """The handshake comes at once, and the message an hour later, or never while one looks."""

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: it.shows("log", "open"))
        assert not it.shows("log", "Hello")
        await it.until(lambda: "of 10" in replay_bar(it))
        line = "━" * 30 + "─" * 29
        assert replay_bar(it) == f"▶ playing   event 5 of 10   at 0.000 s   speed 1×   {line} 50%"
        assert it.text("who") == "replay talk.rec · calc · ● connected"

    watch(scene, talk)


def test_the_whole_recording_is_shown_without_pauses(talk: Path) -> None:
    """At full speed everything stands in its pane, and the bar says that it is over."""

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: it.shows("log", "nothing was left behind"))
        await it.until(lambda: replay_bar(it).startswith("■ over"))
        line = "━" * 51
        assert replay_bar(it) == f"■ over   event 10 of 10   at 7200.000 s   speed no pauses   {line} 100%"
        assert it.shows("log", '← #1   "Hi"')
        assert it.shows("output", "it said Hi")
        assert it.text("counts") == "1 sent   1 received   p50 61 µs"
        assert it.notices() == []
        await it.pilot.press("full_stop")
        assert it.notices() == ["The recording is over; ^r starts it again."]

    watch(scene, talk, None)


def test_space_pauses_and_steps_show_one_event_each(talk: Path) -> None:
    """A step takes an hour's pause at once, and holds; the dot works from any pane, → from the bar."""

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: it.shows("log", "open"))
        await it.pilot.press("space")
        assert replay_bar(it).startswith("‖ paused   event 5")
        await it.pilot.press("right")
        await it.until(lambda: it.shows("log", '→ #1   "Hello"'))
        assert not it.shows("log", "← ")
        it.app.log_view.focus()
        await it.pilot.press("full_stop")
        await it.until(lambda: it.shows("log", '← #1   "Hi"'))
        await it.until(lambda: replay_bar(it).startswith("‖ paused   event 7"))
        await it.pilot.press("space")
        await it.until(lambda: replay_bar(it).startswith("▶ playing   event 9"))
        await it.pilot.press("full_stop")
        await it.until(lambda: replay_bar(it).startswith("■ over   event 10 of 10"))

    watch(scene, talk)


def test_plus_and_minus_change_the_speed(talk: Path) -> None:
    """Each press doubles or halves; beyond 64 times there is no pause left, and the recording is over."""

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: it.shows("log", "open"))
        await it.pilot.press("minus", "minus", "minus")
        assert "speed 0.25×" in replay_bar(it)
        await it.pilot.press(*["plus"] * 8)
        assert "speed 64×" in replay_bar(it)
        await it.pilot.press("plus")
        await it.until(lambda: replay_bar(it).startswith("■ over"))

    watch(scene, talk)


def test_what_needs_a_living_child_says_that_there_is_none(talk: Path) -> None:
    """There is no box to type in, and ending or signalling the child only says why it does nothing."""

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: it.shows("log", "open"))
        assert not it.app.screen.query("#message")
        await it.pilot.press("ctrl+t", "f4")
        assert it.notices() == [
            "A recording has no child to end.",
            "A recording has no child to signal.",
        ]
        await it.pilot.press("f5")
        assert it.notices()[2:] == ["This is a recording already."]
        assert it.app.model.status.run == 1

    watch(scene, talk)


def test_why_is_answered_for_a_recording_too(talk: Path) -> None:
    """F3 says that there is no child of which anything could be known."""

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: it.shows("log", "open"))
        await it.pilot.press("f3")
        await it.until(lambda: "This is a recording: no child runs." in it.frame())

    watch(scene, talk)


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
def test_a_replay_is_left_at_any_moment(talk: Path, key: str) -> None:
    """q and ctrl+q leave with code 0, an hour before the next event."""

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: it.shows("log", "open"))
        await it.pilot.press(key)
        await it.until(lambda: it.app.return_code is not None)
        assert it.app.return_code == 0

    watch(scene, talk)


def test_a_replay_is_left_in_the_middle_of_a_move(talk: Path) -> None:
    """What the move would show does not begin any more."""

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: it.shows("log", "open"))
        app = it.app
        assert isinstance(app, ReplayApp)
        app.replace_replay(Replay(str(talk)))
        while not app._is_restarting:
            await asyncio.sleep(0)
        app.leave(143)
        await it.until(lambda: app.return_code == 143)

    watch(scene, talk)


def test_a_q_in_the_palette_is_typed(talk: Path) -> None:
    """The keys of a replay do not reach into what lies over it."""

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: it.shows("log", "open"))
        await it.pilot.press("space", "ctrl+p", "q", "full_stop", "space")
        assert it.app.screen.query_one(Input).value == "q. "
        assert it.app.is_running
        assert replay_bar(it).startswith("‖ paused   event 5")

    watch(scene, talk)


def test_the_actions_are_in_the_palette_the_help_and_the_footer(talk: Path) -> None:
    """What can be done to a recording is offered wherever one looks; what cannot is not."""

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: it.shows("log", "open"))
        commands = {command.title: command for command in it.app.get_system_commands(it.app.screen)}
        actions = {"Play", "Step", "Faster", "Slower", "Leave", "Why?", "Help"}
        assert actions <= set(commands)
        assert not {"Restart", "Quit"} & set(commands)
        await it.pilot.pause()
        footer = "".join(str(child.render()) for child in it.app.key_bar.query("FooterKey"))
        assert all(action in footer for action in actions)
        assert "Restart" not in footer
        with patch.object(it.app, "deliver_screenshot"):
            for title in ("Play", "Step", "Faster", "Slower"):
                result = commands[title].callback()
                if asyncio.iscoroutine(result):
                    await result
        await it.until(lambda: it.shows("log", '→ #1   "Hello"'))
        await it.pilot.press("f1")
        screen = it.app.screen
        assert isinstance(screen, HelpScreen)
        keys = {key.title for key in screen.keys}
        assert actions <= keys
        assert not {"Restart", "Quit"} & keys
        assert "How to write a message" not in it.frame()

    watch(scene, talk)


def test_a_small_screen_has_room_for_the_replay(talk: Path) -> None:
    """At 80×24 the bar and the log are on the screen, and Escape leads back to the bar."""

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: it.shows("log", "open"))
        assert it.app.bottom_bar.region.height == 3
        assert "- Slower" in it.frame()
        assert it.app.log_view.size.height >= 6
        it.app.log_view.focus()
        await it.pilot.press("up", "enter", "escape")
        assert it.app.bottom_bar.has_focus

    watch(scene, talk, 1.0, 80, 24)


def test_a_truncated_recording_says_so_at_its_end(talk: Path) -> None:
    """What is there is shown; what the writer could not finish is told."""
    talk.write_bytes(talk.read_bytes()[:-3])

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: replay_bar(it).startswith("■ over: the file breaks off   event 9 of 9"))
        await it.until(it.notices)
        assert "ends in the middle of an event" in it.notices()[0]

    watch(scene, talk, None)


def test_a_recording_of_a_newer_program_says_what_was_skipped(talk: Path) -> None:
    """Events of kinds that are not known here, and none of what is."""
    talk.write_bytes(talk.read_bytes() + encode([77, 4, 1, "what comes one day"]))

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: replay_bar(it).startswith("■ over: events were skipped   event 10 of 10"))
        await it.until(it.notices)
        assert "1 event skipped, of kinds that this tui-ipc does not know (1 of kind 77)" in it.notices()[0]

    watch(scene, talk, None)


def test_a_recording_that_is_broken_is_shown_up_to_the_break(talk: Path) -> None:
    """The sentence names the place; the explorer stays, and can be left."""
    talk.write_bytes(talk.read_bytes() + b"\xc1" + encode_event(OPEN))

    async def scene(it: ExplorerDriver) -> None:
        await it.until(it.notices)
        assert "is broken" in it.notices()[0]
        await it.until(lambda: it.shows("log", "nothing was left behind"))
        assert replay_bar(it).startswith("■ over: the file is broken here   event 10 of 10")
        await it.pilot.press("q")
        await it.until(lambda: it.app.return_code == 0)

    watch(scene, talk, None)


def test_a_file_that_is_no_recording_is_refused_before_the_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on standard error and exit code 2."""
    path = tmp_path / "holiday.jpg"
    path.write_bytes(b"\xff\xd8\xff")
    assert run_replay(str(path)) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert (
        output.err == f"tui-ipc: {path} is not a tui-ipc recording; name a file that --record or F5 wrote\n"
    )


def test_a_recording_is_run_at_the_speed_that_is_asked_for(talk: Path) -> None:
    """What the command line says reaches the replay."""
    with patch("tui_ipc.tui.launch.run_on_terminal", return_value=0) as run:
        assert run_replay(str(talk), speed=4.0) == 0
    (app,) = run.call_args.args
    assert isinstance(app, ReplayApp)
    assert app.replay.speed == 4.0


def test_a_recording_can_be_shown_again(talk: Path) -> None:
    """From its beginning, over or not, with the filter and the speed that were; a lost file is told."""

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: replay_bar(it).startswith("■ over"))
        wanted = parse_filter("hello")
        it.app.log_view.set_filter(wanted)
        await it.pilot.press("space")
        await it.until(lambda: replay_bar(it).startswith("■ over   event 10 of 10"))
        await it.until(lambda: len(it.app.model.log) == 9)
        assert not it.app.model.is_beginning_missing
        assert it.app.log_view.filter is wanted
        assert it.shows("log", "hello")
        assert not it.shows("log", "exited")
        assert it.app.is_running
        await it.pilot.press("minus", "ctrl+r")
        await it.until(lambda: replay_bar(it).startswith("▶ playing   event 5"))
        assert "speed 64×" in replay_bar(it)
        assert it.app.bottom_bar.has_focus
        talk.unlink()
        await it.pilot.press("ctrl+r")
        await it.until(lambda: "No such file" in it.notices()[-1] if it.notices() else False)
        await it.pilot.press("q")
        await it.until(lambda: it.app.return_code == 0)

    watch(scene, talk, None)


def test_a_recording_is_only_shown(talk: Path) -> None:
    async def main() -> None:
        async with ReplayedSession(Replay(str(talk))) as replay:
            await replay.ready()
            with pytest.raises(NotConnected, match=r"^a recording is only shown: no child receives"):
                await replay.send("hello")
            with pytest.raises(NotConnected, match="it has no child to restart"):
                await replay.restart()
            with pytest.raises(NotConnected, match="no child to send signal 15 to"):
                replay.signal(15)
            assert replay.diagnosis().sentences == ("This is a recording: no child runs.",)

    asyncio.run(main())


def log_of(it: ExplorerDriver) -> list[str]:
    """The lines of the log, wherever its pane is while the panes are made anew."""
    log = it.app.model.log
    return [log[index].text for index in range(log.first, log.end)]


def test_a_recording_is_followed_while_it_is_written(tmp_path: Path) -> None:
    """Until the recording is complete; where the file is replaced, the other recording is shown."""
    path = tmp_path / "live.rec"

    async def main() -> None:
        writer = RecordingWriter(str(path))
        writer(LISTENING)

        def open_replay(speed: float | None) -> Replay:
            return Replay(str(path), speed=speed, follow=True)

        app = ReplayApp(open_replay(None), str(path), open_replay=open_replay)
        async with app.run_test(size=(120, 36)) as pilot:
            it = ExplorerDriver(app, pilot)
            await it.until(lambda: it.shows("log", "listening"))
            writer(SPAWNED)
            await it.until(lambda: it.shows("log", "spawned"))
            path.unlink()
            with RecordingWriter(str(path)) as other:
                other(Note(at=1, run=1, text="of the other one"))
                await it.until(lambda: log_of(it) == ["note of the other one"])
            await it.until(lambda: "over" in replay_bar(it))
            assert it.shows("log", "of the other one")
            writer.close()
            await pilot.press("q")

    asyncio.run(main())


def test_a_writer_that_was_killed_is_told(tmp_path: Path) -> None:
    path = tmp_path / "live.rec"
    path.write_bytes(encode_recording(LISTENING))

    async def main() -> None:
        replay = Replay(str(path), speed=None, follow=True)
        app = ReplayApp(replay, str(path), open_replay=lambda speed: replay)
        async with app.run_test(size=(120, 36)) as pilot:
            it = ExplorerDriver(app, pilot)
            await it.until(lambda: "over: it was not ended" in replay_bar(it))
            assert it.shows("log", "listening")
            assert "its writer was killed" in it.notices()[0]

    asyncio.run(main())


def note(number: int) -> Note:
    return Note(at=number * SECOND, run=1, text=f"note {number}")


def test_one_moves_in_a_recording(tmp_path: Path) -> None:
    """Back by one event, to a time, to the next and the previous note; and what is not there is said."""
    path = tmp_path / "talk.rec"
    path.write_bytes(encode_recording(LISTENING, SPAWNED, note(2), note(3), note(3600)))

    async def scene(it: ExplorerDriver) -> None:
        await it.pilot.press("i")
        await it.until(lambda: replay_bar(it).startswith("‖ paused   event 3"))
        assert it.shows("log", "note 2")
        await it.pilot.press("i")
        await it.until(lambda: "event 4" in replay_bar(it))
        await it.pilot.press("I")
        await it.until(lambda: "event 3" in replay_bar(it))
        await it.pilot.press("i", "comma")
        await it.until(lambda: log_of(it)[-1] == "note note 2")
        press_at_once(it, "i", "i", "comma", "comma", "full_stop", "comma", "t", *"2.5", "enter")
        await it.until(lambda: "event 4" in replay_bar(it))
        assert [row.partition(" ")[0] for row in log_of(it)] == ["listening", "spawned", "note", "note"]
        await it.pilot.press("t", *"3599.5", "enter")
        await it.until(lambda: "event 5" in replay_bar(it))
        assert it.shows("log", "note 3600")
        await it.pilot.press("e")
        await it.until(lambda: it.notices()[-1:] == ["No fault follows."])
        await it.pilot.press("S")
        await it.until(lambda: it.notices()[-1:] == ["No failed step before this."])
        await it.pilot.press("u")
        await it.until(lambda: it.notices()[-1:] == ["No unanswered message follows."])
        await it.pilot.press("t", *"soon", "enter")
        await it.until(lambda: it.notices()[-1:] == ["Neither seconds nor a time of day: soon"])
        await it.pilot.press("t", *"1e9", "enter")
        await it.until(lambda: it.notices()[-1:] == ["The recording ends before 1e9."])
        assert "event 5" in replay_bar(it)

    watch(scene, path)


def test_a_move_leaves_the_panes_as_they_are(tmp_path: Path) -> None:
    """The focus, the filter and the tab stay; of a long recording the panes have the end before the place."""
    path = tmp_path / "long.rec"
    path.write_bytes(encode_recording(LISTENING, SPAWNED, *map(note, range(3, 5001))))

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: "of 5 000" in replay_bar(it))
        it.app.log_view.focus()
        it.app.log_view.set_filter(parse_filter("99"))
        it.app.action_tab("about")
        await it.pilot.press("t", *"4996", "enter")
        await it.until(lambda: "‖ paused   event 4 996 of" in replay_bar(it))
        await it.until(lambda: it.shows("log", "note 4990") and it.app.log_view.is_scan_complete)
        assert not it.shows("log", "note 4989")
        assert it.app.log_view.has_focus
        assert it.app.inspector.tab == "about"
        assert it.app.model.is_beginning_missing
        await it.pilot.press("I", "I", "I", "I", "I")
        await it.until(lambda: "event 4 991 of" in replay_bar(it))
        await it.pilot.press("backspace", "ctrl+r")
        await it.until(lambda: [row.split()[0] for row in log_of(it)] == ["listening", "spawned"])
        assert not it.app.model.is_beginning_missing

    watch(scene, path)


def test_keys_of_a_replay_do_not_reach_into_a_filter(talk: Path) -> None:
    """Letters are typed there; e, which edits a message in a living session, goes to a fault."""

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: it.shows("log", "open"))
        it.app.log_view.focus()
        await it.pilot.press("e")
        await it.until(lambda: it.notices() == ["No fault follows."])
        await it.pilot.press("slash", *"teIsu")
        assert it.app.screen.query_one("#log-pane Input", Input).value == "teIsu"

    watch(scene, talk)


def test_one_moves_while_a_recording_is_followed(tmp_path: Path) -> None:
    """A move pauses; the bar says how far behind that is; End shows what came, and is live again."""
    path = tmp_path / "live.rec"

    async def main() -> None:
        writer = RecordingWriter(str(path))
        for event in (LISTENING, SPAWNED, note(3)):
            writer(event)

        def open_replay(speed: float | None) -> Replay:
            return Replay(str(path), speed=speed, follow=True)

        app = ReplayApp(open_replay(None), str(path), open_replay=open_replay)
        async with app.run_test(size=(120, 36)) as pilot:
            it = ExplorerDriver(app, pilot)
            await it.until(lambda: replay_bar(it).startswith("● live   event 3 of 3   at 3.000 s   ━"))
            await pilot.press("comma")
            await it.until(lambda: replay_bar(it).startswith("‖ paused, 1 event behind   event 2 of 3"))
            assert log_of(it)[-1].startswith("spawned")
            writer(note(4))
            await it.until(lambda: replay_bar(it).startswith("‖ paused, 2 events behind   event 2 of 4"))
            await pilot.press("i")
            await it.until(lambda: replay_bar(it).startswith("‖ paused, 1 event behind   event 3 of 4"))
            await pilot.press("u")
            await it.until(lambda: it.notices()[-1:] == [UNANSWERED_LATER])
            await pilot.press("end")
            await it.until(lambda: replay_bar(it).startswith("● live   event 4 of 4"))
            for number in range(5, 2200):
                writer(note(number))
            await it.until(lambda: replay_bar(it).startswith("● live   event 2 199 of 2 199"))
            await pilot.press("t", *"3", "enter")
            await it.until(lambda: replay_bar(it).startswith("‖ paused, 2 196 events behind   event 3 of"))
            app.log_view.focus()
            await pilot.press("end")
            await it.until(lambda: replay_bar(it).startswith("● live   event 2 199 of 2 199"))
            assert app.log_view.has_focus
            writer.close()
            await it.until(lambda: replay_bar(it).startswith("■ over   event 2 199 of 2 199"))
            await pilot.press("q")

    asyncio.run(main())


def test_a_move_in_a_file_that_was_recorded_anew_shows_the_new_recording(tmp_path: Path) -> None:
    """Also where nothing more was to be read of the old one, and the file is the same."""
    path = tmp_path / "s.rec"
    path.write_bytes(encode_recording(LISTENING, SPAWNED, note(3)))

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: "event 3 of 3" in replay_bar(it))
        path.write_bytes(encode_recording(note(7), note(8)))
        await it.pilot.press("comma")
        await it.until(lambda: log_of(it) == ["note note 7", "note note 8"])
        assert it.notices() == ["The file was replaced: this is the recording that it has now."]

    watch(scene, path, None)


def test_a_file_that_was_recorded_anew_under_a_reader_is_not_called_broken(tmp_path: Path) -> None:
    """The reader goes on in the middle of the other recording."""
    path = tmp_path / "s.rec"
    path.write_bytes(encode_recording(LISTENING, *map(note, range(2, 4000))))

    async def scene(it: ExplorerDriver) -> None:
        await it.pilot.press("space")
        await it.until(lambda: "‖ paused" in replay_bar(it))
        path.write_bytes(encode_recording(Note(at=1, run=1, text="anew" * 50_000)))
        await it.pilot.press(*["plus"] * 8, "space")
        await it.until(lambda: len(log_of(it)) == 1)
        assert it.notices() == ["The file was replaced: this is the recording that it has now."]

    watch(scene, path)


def test_a_move_in_a_file_that_was_replaced_shows_the_other_recording(tmp_path: Path) -> None:
    """What the replay has not come to would be read from the wrong file."""
    path = tmp_path / "live.rec"

    async def main() -> None:
        first = RecordingWriter(str(path))
        for event in (LISTENING, SPAWNED, note(3)):
            first(event)

        def open_replay(speed: float | None) -> Replay:
            return Replay(str(path), speed=speed, follow=True)

        app = ReplayApp(open_replay(None), str(path), open_replay=open_replay)
        async with app.run_test(size=(120, 36)) as pilot:
            it = ExplorerDriver(app, pilot)
            await it.until(lambda: "event 3 of 3" in replay_bar(it))
            await pilot.press("comma")
            await it.until(lambda: "1 event behind" in replay_bar(it))
            path.unlink()
            with RecordingWriter(str(path)) as other:
                other(note(8))
                await it.until(lambda: app.index is not None and app.index.is_replaced)
                assert log_of(it)[-1].startswith("spawned")
                await pilot.press("comma")
                await it.until(lambda: log_of(it) == ["note note 8"])
                assert it.notices()[-1].startswith("The file was replaced")
            first.close()

    asyncio.run(main())


def test_the_time_of_day_is_shown_where_the_recording_says_it(tmp_path: Path) -> None:
    """From the bar as well; the time since the session began is shown again after the same key."""
    path = tmp_path / "talk.rec"
    time = datetime(2026, 5, 25, 15, 24, 48, tzinfo=UTC)
    clock = encode_clock(Clock(LISTENING.at, time))
    path.write_bytes(encode_header(()) + clock + encode_event(LISTENING) + encode_event(note(2)))

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: it.shows("log", "listening"))
        await it.pilot.press("T")
        await it.until(lambda: it.rows("log")[0].startswith(f"{format_time_of_day(time)}  ● listening"))
        await it.pilot.press("t", *format_time_of_day(time + timedelta(seconds=1.9))[:-2], "enter")
        await it.until(lambda: it.shows("log", f"{format_time_of_day(time + timedelta(seconds=2))}  ✎ note"))
        await it.pilot.press("t", *"25:00", "enter")
        await it.until(lambda: it.notices() == ["Neither seconds nor a time of day: 25:00"])
        await it.pilot.press("ctrl+r")
        await it.until(lambda: it.rows("log")[0].startswith(f"{format_time_of_day(time)}  ● listening"))
        await it.pilot.press("T")
        await it.until(lambda: it.rows("log")[0].startswith("  0.000  ● listening"))

    watch(scene, path)


def test_a_recording_without_the_time_of_day_says_so(talk: Path) -> None:
    """Asked for by the option or by the key, it shows the seconds."""

    async def scene(it: ExplorerDriver) -> None:
        await it.until(lambda: it.shows("log", "open"))
        assert it.rows("log")[0].startswith("  0.000  ● listening")
        await it.pilot.press("T")
        assert it.rows("log")[0].startswith("  0.000  ● listening")
        await it.pilot.press("t", *"12:00", "enter")
        sentence = "The recording does not say the time of day of its events"
        assert [notice.partition(":")[0] for notice in it.notices()] == [
            sentence,
            sentence,
            f"{sentence}; give seconds.",
        ]
        assert str(it.app.bottom_bar.border_subtitle).startswith("recorded 20")

    async def main() -> None:
        async with run_replay_app(talk, settings=Settings(wall_clock=True)) as it:
            await scene(it)

    asyncio.run(main())
