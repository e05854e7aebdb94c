"""Views that follow their end: when they follow, when they hold still, and what is selected in them."""

from tests.support.app_harness import FakeExplorerDriver, run_scene
from tui_ipc.tui.model.session_model import OUTPUT_LIMIT


def test_view_follows_the_end_until_scrolled_up() -> None:
    """Scrolled up, the view holds still and counts the new lines; End follows again."""

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


def test_view_holds_still_while_its_oldest_lines_are_dropped() -> None:
    """Lines that the ring drops do not move what is on the screen."""

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


def test_flood_of_output_is_bounded_and_shown_to_its_end() -> None:
    """Of 100 000 lines the newest are held and the last is on the screen, and keys still work."""

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


def test_arrows_shift_cropped_lines() -> None:
    """→ shows what is beyond the right edge, ← goes back."""

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


def test_mouse_selects_text_uncropped() -> None:
    """The selected text is as it was printed, including cropped parts and markup."""

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


def test_resize_keeps_the_end_in_view() -> None:
    """A view that follows still shows its newest line after the terminal was resized."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.output(b"".join(b"line %d\n" % number for number in range(100)))
        await it.until(lambda: it.rows("output")[-1] == "line 99")
        for width, height in ((80, 24), (200, 60), (120, 36)):
            await it.pilot.resize_terminal(width, height)
            await it.until(lambda: it.rows("output")[-1] == "line 99")

    run_scene(scene)
