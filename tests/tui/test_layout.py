"""Where the panes are at each size, and what a resize does while a child floods the screen."""

import asyncio

import pytest

from tests.support.app_harness import FakeExplorerDriver, run_explorer_app, run_scene
from tui_ipc.events import MessageReceived
from tui_ipc.ipc.wire import encode

SIZES = ((80, 24), (40, 10), (200, 60), (1, 1), (3, 2), (120, 36), (160, 5), (20, 50), (80, 24))

ROUND = 400
"""Messages and lines of output between two sizes."""


def test_resizing_under_load_breaks_nothing() -> None:
    """Through sizes that no layout was made for, with dialogs open, the last line and message are shown."""

    async def main() -> None:
        async with run_explorer_app(120, 36) as it:
            await it.connected()
            for turn, (width, height) in enumerate(SIZES):
                for number in range(turn * ROUND + 1, (turn + 1) * ROUND + 1):
                    value = {"number": number, "text": "x" * (number % 90)}
                    it.session.feed(
                        MessageReceived(
                            at=number * 1_000_000, run=1, number=number, value=value, raw=encode(value)
                        )
                    )
                    it.session.output(f"line {number} of 世界\n".encode())
                await it.pilot.resize_terminal(width, height)
                await it.pilot.press("f6", ("f1", "f3", "f4", "f5", "f7", "f9")[turn % 6])
                await it.pilot.pause()
                await it.pilot.press("escape")
            last = ROUND * len(SIZES)
            await it.until(lambda: it.app.model.status.received == last)
            await it.pilot.press("escape")
            await it.until(lambda: it.shows("log", f'"number": {last}'))
            await it.until(lambda: it.shows("output", f"line {last} of 世界"))
            await it.say("still here")
            await it.until(lambda: it.session.sent == ["still here"])
            assert it.app.is_running

    asyncio.run(main())


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 36), (200, 60)])
def test_panes_are_visible_and_do_not_overlap(width: int, height: int) -> None:
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


def test_narrow_screen_shows_the_inspector_on_demand() -> None:
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


@pytest.mark.parametrize("name", ["log", "output", "inspector"])
def test_f2_maximizes_a_pane(name: str) -> None:
    """F2 maximizes the focused pane and restores the layout; the box stays."""

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
