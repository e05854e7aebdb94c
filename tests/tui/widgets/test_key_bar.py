"""Which keys stand in the line at the bottom."""

from textual.binding import Binding

from tests.support.app_harness import FakeExplorerDriver, run_scene
from tui_ipc.tui.widgets.key_bar import CHILD, FILES, SESSION, VIEW, KeyEntry, fit_entries

WHY = KeyEntry("F3", Binding("f3", "why", "Why?", group=CHILD), True)
SEND = KeyEntry("⏎", Binding("enter", "send", "Send"), True)
MAXIMIZE = KeyEntry("F2", Binding("f2", "maximize", "Maximize", group=VIEW), True)
QUIT = KeyEntry("^q", Binding("ctrl+q", "quit", "Quit", group=SESSION), True)
SAVE = KeyEntry("F8", Binding("f8", "save", "Save", group=FILES), True)
ALL = [MAXIMIZE, SAVE, WHY, QUIT, SEND]


def test_the_groups_have_their_order() -> None:
    """The pane's own keys first, then the session, the child, the files, the view."""
    assert fit_entries(ALL, 1000, roomy=True) == [SEND, QUIT, WHY, SAVE, MAXIMIZE]


def test_what_has_no_room_gives_way_from_the_end() -> None:
    """Never a half of a key; the widths count every cell, and the line between groups."""
    whole = sum(entry.width(roomy=False) for entry in ALL) + 4
    assert len(fit_entries(ALL, whole, roomy=False)) == 5
    assert fit_entries(ALL, whole - 1, roomy=False) == [SEND, QUIT, WHY, SAVE]
    assert fit_entries(ALL, 3, roomy=False) == []
    assert fit_entries([], 3, roomy=False) == []


def test_it_fits_on_screens_of_every_width() -> None:
    """The palette is always there; nothing is cut off; more room shows more."""
    seen = []

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        bar = it.app.key_bar
        for width in (200, 120, 80, 40):
            await it.pilot.resize_terminal(width, 24)
            await it.until(lambda: bar.size.width == it.app.size.width)
            await it.until(lambda: all(key.region.right <= bar.size.width for key in bar.children))
            keys = list(bar.children)
            assert "Palette" in str(keys[0].render())
            assert all(not key.region.overlaps(keys[0].region) for key in keys[1:])
            seen.append(len(keys))

    run_scene(scene)
    assert seen == sorted(seen, reverse=True)
    assert seen[0] > seen[2] > 1


def test_a_click_presses_the_key() -> None:
    """As in Textual's own footer."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        help_key = next(key for key in it.app.key_bar.children if "Help" in str(key.render()))
        await it.pilot.click(help_key)
        await it.until(lambda: len(it.app.screen_stack) == 2)

    run_scene(scene)


def test_news_of_the_same_keys_changes_nothing() -> None:
    """There is much of it: of each change of the focus within a pane, of each notification."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        before = list(it.app.key_bar.children)
        it.app.screen.refresh_bindings()
        await it.pilot.pause()
        assert list(it.app.key_bar.children) == before
        it.app.log_view.focus()
        await it.until(lambda: any("Filter" in str(key.render()) for key in it.app.key_bar.children))

    run_scene(scene)
