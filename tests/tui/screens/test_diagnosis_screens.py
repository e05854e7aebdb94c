"""Why nothing happens, asked with F3."""

from tests.support.app_harness import FakeExplorerDriver, run_scene
from tests.support.unicode_text import is_safe
from tui_ipc.tui.screens.diagnosis_screens import WhyScreen


def asks(it: FakeExplorerDriver) -> bool:
    """Whether the page is open."""
    return isinstance(it.app.screen, WhyScreen)


def test_f3_says_why_and_keeps_looking() -> None:
    """The sentences stand on a page of their own, are asked for again, and go with Escape or F3."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.reasons = ("message #3 waits for its answer.", "The child is stopped.")
        await it.pilot.press("f3")
        assert asks(it)
        await it.until(lambda: "Message #3 waits for its answer." in it.frame())
        assert "The child is stopped." in it.frame()
        it.session.reasons = ("Nothing waits.",)
        await it.until(lambda: "Nothing waits." in it.frame())
        assert "stopped" not in it.frame()
        await it.pilot.press("escape")
        assert not asks(it)
        await it.pilot.press("f3", "f3")
        assert not asks(it)
        assert it.app.message_box.input.has_focus

    run_scene(scene)


def test_what_a_child_says_is_harmless_there_too() -> None:
    """Sentences quote the child: its markup is text, and its control characters are seen."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.reasons = ("it printed [red]\x1b[2J[/] \u202eon\nstderr [/nope]",)
        await it.pilot.press("f3")
        await it.until(lambda: "[red]␛[2J[/] ‹U+202E›on" in it.frame())
        assert all(is_safe(character) for character in it.frame())

    run_scene(scene, 80, 24)


def test_a_session_that_knows_nothing_says_so() -> None:
    """The page is never blank."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.session.reasons = ()
        await it.pilot.press("f3")
        await it.until(lambda: "Nothing is known yet." in it.frame())

    run_scene(scene)
