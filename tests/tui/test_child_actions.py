"""The child in hand: its signals, its end, and the story of its run."""

import signal

from textual.widgets import OptionList

from tests.support.app_harness import FakeExplorerDriver, press_at_once, run_scene
from tests.support.unicode_text import is_safe
from tui_ipc.events import Audit, ChildSpawned, HandshakeFailed, SignalSent, StepLate
from tui_ipc.session.handshake import RunPhase
from tui_ipc.tui.screens.diagnosis_screens import RunScreen
from tui_ipc.tui.screens.dialogs import ChoiceScreen


def test_f4_sends_a_signal() -> None:
    """It says to whom; arrows choose, a typed name or number does, and a click; Escape sends nothing."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.press("f4")
        await it.until(lambda: "process group 4242: echo (pid 4242)" in it.frame())
        await it.pilot.press("down", "enter")
        await it.until(lambda: it.session.signals == [signal.SIGSTOP])
        assert it.notices() == ["Sent SIGSTOP to process group 4242."]
        await it.pilot.press("f4", *"usr2", "enter")
        await it.pilot.press("f4", *"40", "enter")
        await it.until(lambda: it.session.signals[1:] == [signal.SIGUSR2, 40])
        await it.pilot.press("f4", *"nonsense", "enter")
        await it.until(lambda: "No such signal" in it.frame())
        await it.pilot.press("escape")
        assert len(it.app.screen_stack) == 1
        await it.pilot.press("f4")
        await it.until(lambda: "SIGCONT" in it.frame())
        assert await it.pilot.click(it.app.screen.query_one(OptionList), offset=(3, 2))
        await it.until(lambda: it.session.signals[3:] == [signal.SIGCONT])

    run_scene(scene, 80, 24)


def test_keys_that_come_at_once_choose_what_they_name() -> None:
    """A number and Enter, or an arrow and Enter, of one burst: never the first choice of another list."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        for keys, signals in (
            (["9", "enter"], [signal.SIGKILL]),
            (["down"] * 8 + ["enter"], [signal.SIGKILL, signal.SIGUSR2]),
        ):
            await it.pilot.press("f4")
            await it.until(lambda: it.app.screen.query("#typed:focus"))
            press_at_once(it, *keys)
            await it.until(lambda: len(it.app.screen_stack) == 1)
            assert it.session.signals == signals

    run_scene(scene)


def test_without_a_child_nobody_is_signalled() -> None:
    """Before the first and after the last it says why, and how to begin again; no dialog opens."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.pilot.press("f4")
        assert it.notices() == ["No child was started yet."]
        await it.connected()
        it.session.exit(code=3)
        await it.until(lambda: it.app.model.status.phase == "over")
        await it.pilot.press("f4", "ctrl+t")
        again = "Child not running: it exited with code 3; ^r starts it again."
        assert it.notices()[1:] == [again, again]
        assert not isinstance(it.app.screen, ChoiceScreen)

    run_scene(scene)


def test_a_child_that_goes_away_meanwhile_is_told() -> None:
    """What the session says of it is shown."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.press("f4")
        it.session.refusal = "there is no child [/red] to signal"
        await it.pilot.press(*"9", "enter")
        await it.until(lambda: it.notices() == ["there is no child [/red] to signal"])

    run_scene(scene)


def test_the_child_can_be_ended_while_one_stays() -> None:
    """By its key, or as the first choice of the signals; the status line says what is waited for."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.may_end.clear()
        await it.pilot.press("ctrl+t")
        await it.until(lambda: "ending: waiting for the child to end" in it.text("who"))
        it.session.may_end.set()
        await it.until(lambda: "exited with code 0" in it.text("who"))
        assert it.app.is_running
        await it.pilot.press("ctrl+r")
        it.session.handshake()
        await it.until(lambda: it.app.model.status.phase == "open")
        await it.pilot.press("f4", "enter")
        await it.until(lambda: it.session.asked.count("end") == 2)

    run_scene(scene)


def test_restart_asks_while_the_child_lives() -> None:
    """Enter confirms and Escape does not; the key pressed again does nothing. Names are made safe."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.session.handshake(name="[red]echo\x1b[2J")
        await it.until(lambda: it.app.model.status.phase == "open")
        await it.pilot.press("ctrl+r", "ctrl+r")
        await it.until(lambda: "[red]echo␛[2J (pid 4242) is running." in it.frame())
        assert len(it.app.screen_stack) == 2
        assert "messages may pass" in it.frame()  # the panes stay in sight around the dialog
        assert all(map(is_safe, it.frame()))
        await it.pilot.press("escape")
        await it.until(lambda: len(it.app.screen_stack) == 1)
        assert "restart" not in it.session.asked
        press_at_once(it, "ctrl+r", "enter")
        await it.until(lambda: it.session.asked.count("restart") == 1)
        assert it.app.message_box.input.has_focus

    run_scene(scene, 80, 24)


def test_restart_from_the_palette_asks_and_without_a_child_does_not() -> None:
    """A child that has ended, or that is being ended, has nothing to lose."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.press("ctrl+p", *"Restart", "enter")
        await it.until(lambda: "is running. It is asked to quit" in it.frame())
        await it.pilot.press("escape")
        it.session.exit()
        await it.until(lambda: it.shows("log", "exited"))
        await it.pilot.press("ctrl+r")
        await it.until(lambda: it.session.asked.count("restart") == 1)
        assert len(it.app.screen_stack) == 1

    run_scene(scene)


def test_f7_shows_the_ladder_while_it_is_climbed() -> None:
    """The awaited step and for how long; why it is late; what was reached and how long that took."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.pilot.press("f7")
        await it.until(lambda: "No run has begun" in it.frame())
        it.session.facts = {"phase": RunPhase.HANDSHAKE, "waited": 2_500_000_000}
        it.session.listen()
        it.session.feed(ChildSpawned(at=12_000_000, run=1, pid=4242, command=("./[red]echo\x1b",)))
        it.session.feed(StepLate(at=9, run=1, step="connected", waited=9, sentence="it [/] sleeps"))
        await it.until(lambda: "◌ connected         2.5 s  waiting" in it.frame())
        assert "● spawned          +12 ms  pid 4242 · ./[red]echo␛" in it.frame()
        assert "▲ late: it [/] sleeps" in it.frame()
        assert all(is_safe(character) for character in it.frame())
        await it.pilot.press("f7")
        assert len(it.app.screen_stack) == 1

    run_scene(scene)


def test_a_failed_handshake_points_to_its_ladder() -> None:
    """The notice names the key; the page has the doctor's sentence, what came of it, and earlier runs."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.session.listen()
        it.session.feed(
            ChildSpawned(at=12, run=1, pid=4242, command=("./echo",)),
            HandshakeFailed(at=99, run=1, step="connected", sentence="it never came", timed_out=True),
            SignalSent(at=100, run=1, signal=15, reason="the handshake failed"),
        )
        it.session.exit(code=None, signal=15)
        await it.until(lambda: it.app.notice.border_subtitle == "^r tries again · F7 for details")
        await it.pilot.press("f7")
        await it.until(lambda: "It never came" in it.frame())
        assert "✕ connected" in it.frame()
        assert "not reached" in it.frame()
        await it.until(lambda: "SIGTERM · the handshake failed" in it.frame())
        assert "nothing was left behind" in it.frame()
        await it.pilot.press("escape", "ctrl+r")
        it.session.handshake()
        await it.until(lambda: it.app.model.status.phase == "open")
        await it.pilot.press("f7")
        screen = it.app.screen
        assert isinstance(screen, RunScreen)
        await it.until(lambda: "Run 2 of 2" in it.frame() and "never came" not in it.frame())
        await it.pilot.press("left")
        await it.until(lambda: "Run 1 of 2" in it.frame() and "It never came" in it.frame())
        await it.pilot.press("right")
        await it.until(lambda: "Run 2 of 2" in it.frame())

    run_scene(scene, 80, 24)


def test_what_a_run_leaves_behind_is_said_aloud() -> None:
    """Once, with where more is told; a clean end is only in the log."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.exit()
        await it.until(lambda: it.shows("log", "clean"))
        assert it.notices() == []
        it.session.feed(Audit(at=9, run=1, processes=(77, 78), files=(), unread=3, quit_elapsed=None))
        await it.until(it.notices)
        assert it.notices() == ["2 processes (pid 77, 78), 3 unread bytes; press F7 for details."]

    run_scene(scene)
