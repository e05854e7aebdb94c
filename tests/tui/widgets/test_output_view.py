"""The child's output on the screen: wrapped or cropped, one stream or both, searched, copied."""

import asyncio
from collections.abc import Awaitable, Callable

from textual.geometry import Offset
from textual.selection import Selection

from tests.support.app_harness import FakeExplorerDriver, run_explorer_app
from tui_ipc.events import ChildOutput
from tui_ipc.tui.model.session_model import OUTPUT_LIMIT

Play = Callable[[FakeExplorerDriver], Awaitable[None]]


def play(scene: Play, width: int = 120, height: int = 36) -> None:
    """Run a scene on a stage whose child talks, in the pane of its output."""

    async def main() -> None:
        async with run_explorer_app(width, height) as it:
            await it.connected()
            it.app.output_view.focus()
            await scene(it)

    asyncio.run(main())


def title(it: FakeExplorerDriver) -> str:
    """What stands in the pane's frame."""
    return str(it.app.output_view.border_title)


def test_long_lines_are_wrapped_on_a_key() -> None:
    """w breaks long lines into rows, each of stderr's with its mark; w again crops them as before."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.session.output(b"x" * 130 + b"\n" + "中".encode() * 65 + b"\nlast\n")
        it.session.output(b"e" * 130 + b"\n", "stderr")
        await it.until(lambda: it.shows("output", "last"))
        cropped = it.rows("output")
        assert cropped[0].endswith("x…")
        await it.pilot.press("w")
        await it.until(lambda: "wrapped" in title(it))
        width = it.app.output_view.width
        wide = width // 2
        assert it.rows("output")[:7] == [
            *("x" * width, "x" * (130 - width), "中" * wide, "中" * (65 - wide), "last"),
            *("▌ " + "e" * (width - 2), "▌ " + "e" * (132 - width)),
        ]
        await it.pilot.press("right")
        assert it.rows("output")[4] == "last"
        await it.pilot.press("w")
        await it.until(lambda: "wrapped" not in title(it))
        assert it.rows("output") == cropped

    play(scene)


def test_the_childs_terminal_has_the_size_of_the_pane() -> None:
    """Also after the pane got another one."""

    async def scene(it: FakeExplorerDriver) -> None:
        view = it.app.output_view
        await it.until(lambda: it.session.size == (view.size.height, view.width))
        before = it.session.size
        await it.pilot.resize_terminal(100, 40)
        await it.until(lambda: it.session.size == (view.size.height, view.width) != before)

    play(scene)


def test_the_title_says_how_far_the_output_is_behind() -> None:
    """From a thousand lines on, until they are decoded."""

    async def scene(it: FakeExplorerDriver) -> None:
        lines = b"x\n" * 12_000
        it.app.model.output_queue.add(ChildOutput(at=9, run=1, stream="stdout", data=lines))
        it.app.output_view.follow_source()
        assert "12 000 lines behind" in title(it)
        it.session.output(b"last\n")  # an event: what waits is decoded, too
        await it.until(lambda: it.shows("output", "last") and "behind" not in title(it))
        assert it.app.model.output.end == 12_001

    play(scene)


def test_wrapped_lines_follow_the_size_of_the_screen() -> None:
    """Another width breaks the lines elsewhere; the end stays in sight, or what is at the top."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.session.output(b"".join(b"%03d" % number + b"." * 197 + b"\n" for number in range(100)))
        await it.until(lambda: it.shows("output", "099"))
        await it.pilot.press("w")
        await it.until(lambda: "wrapped" in title(it))
        for width, height in ((80, 24), (200, 60), (120, 36)):
            await it.pilot.resize_terminal(width, height)
            await it.until(lambda: it.rows("output")[-1].endswith(".") and it.shows("output", "099"))
        await it.pilot.press("home", *["down"] * 20)
        top = it.rows("output")[0][:3]
        assert top == "010"
        await it.pilot.resize_terminal(100, 36)
        await it.until(lambda: it.rows("output")[0].startswith(top))

    play(scene)


def test_wrapped_lines_hold_still_while_others_are_forgotten() -> None:
    """A flood moves nothing that is looked at, and ends with its last line."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.pilot.press("w")
        it.session.output(b"".join(b"%06d" % number + b"." * 200 + b"\n" for number in range(OUTPUT_LIMIT)))
        await it.until(lambda: it.shows("output", f"{OUTPUT_LIMIT - 1:06}"))
        await it.pilot.press("pageup")
        before = it.rows("output")
        it.session.output(b"".join(b"new %d\n" % number for number in range(1_000)))
        await it.until(lambda: it.app.output_view.border_subtitle == "1 000 new ↓ End")
        assert it.rows("output") == before
        await it.pilot.press("end")
        await it.until(lambda: it.rows("output")[-1] == "new 999")

    play(scene)


def test_one_stream_can_be_shown_alone() -> None:
    """o shows stdout, then stderr, then both; what comes later passes the same way."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.session.output(b"out 1\n")
        it.session.output(b"err 1\nbegun", "stderr")
        it.session.output(b"out 2\n")
        await it.until(lambda: it.shows("output", "out 2") and it.shows("output", "begun"))
        seen = [it.rows("output")[:4]]
        for _ in range(3):
            await it.pilot.press("o")
            known = it.app.model.output.end
            it.session.output(b"more\n")
            await it.until(lambda known=known: it.app.model.output.end > known)  # type: ignore[misc]
            seen.append(it.rows("output")[:4])
        assert seen[0] == ["out 1", "▌ err 1", "out 2", "▌ begun"]
        assert seen[1][:3] == ["out 1", "out 2", "more"]
        assert seen[2][:3] == ["▌ err 1", "▌ begun", ""]
        assert seen[3] == ["out 1", "▌ err 1", "out 2", "more"]

    play(scene)


def test_the_output_is_searched() -> None:
    """A slash opens the bar; what is found is counted, lit and walked through; new lines are searched too."""

    async def scene(it: FakeExplorerDriver) -> None:
        for number in range(50):
            it.session.output(b"line %d\n" % number, "stderr" if number % 2 else "stdout")
        it.session.output(b"line 7 unfinished")
        await it.until(lambda: it.shows("output", "line 49"))
        await it.pilot.press("slash", *"line 7", "enter")
        await it.until(lambda: "1 of 1" in title(it))
        assert it.shows("output", "▌ line 7")
        assert it.app.output_view.has_focus
        it.session.output(b"\n")
        await it.until(lambda: "1 of 2" in title(it))
        await it.pilot.press("n")
        await it.until(lambda: "2 of 2" in title(it) and it.shows("output", "line 7 unfinished"))
        await it.pilot.press("w", "o")
        await it.until(lambda: "1 of 1" in title(it))
        await it.pilot.press("c")
        assert it.app.clipboard == "line 7 unfinished"
        await it.pilot.press("backspace")
        await it.until(lambda: "find" not in title(it))

    play(scene)


def test_what_is_found_comes_into_sight() -> None:
    """A place far to the right is shifted to, one in a late row is scrolled to, and back."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.session.output(b"first needle\n" + b"x" * 3_000 + b" the needle " + b"y" * 500 + b"\nlast\n")
        await it.until(lambda: it.shows("output", "last"))
        await it.pilot.press("slash", *"needle", "enter")
        await it.until(lambda: it.shows("output", "the needle"))
        assert not it.shows("output", "first")
        await it.pilot.press("n")
        await it.until(lambda: it.shows("output", "first needle"))
        await it.pilot.press("w", "n")
        await it.until(lambda: it.shows("output", "the needle"))
        assert "2 of 2" in title(it)

    play(scene)


def test_what_is_in_sight_is_copied_on_a_key() -> None:
    """c copies whole lines, without the marks of stderr, however they are shown."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.pilot.press("c")
        assert it.app.clipboard == ""
        it.session.output(b"x" * 300 + b"\n")
        it.session.output(b"oops\nhalf", "stderr")
        await it.until(lambda: it.shows("output", "half"))
        await it.pilot.press("c")
        assert it.app.clipboard == "x" * 300 + "\noops\nhalf"
        await it.pilot.press("w", "c")
        assert it.app.clipboard == "x" * 300 + "\noops\nhalf"

    play(scene)


def test_what_is_selected_is_copied_as_it_was_printed() -> None:
    """Rows of a wrapped line are one line, and the mark of stderr is ours."""

    async def scene(it: FakeExplorerDriver) -> None:
        view = it.app.output_view
        it.session.output(b"x" * 300 + b"\n")
        it.session.output(b"oops\n" + b"y" * 300, "stderr")
        await it.until(lambda: it.shows("output", "yyy"))
        await it.pilot.press("w")
        await it.until(lambda: view.end > 5)
        everything = view.get_selection(Selection(None, None))
        assert everything == ("x" * 300 + "\noops\n" + "y" * 300, "\n")
        part = view.get_selection(
            Selection(Offset(298 % view.width, view.first + 2), Offset(4, view.first + 3))
        )
        assert part == ("x" * (300 - 298) + "\noo", "\n")

    play(scene)


def test_a_tap_says_that_it_does_not_see_the_output() -> None:
    """It is not the child that is silent."""

    async def scene(it: FakeExplorerDriver) -> None:
        assert "printed nothing yet" in it.app.output_view.placeholder()[0].text
        it.app.model.status.is_tapped = True
        assert [each.text for each in it.app.output_view.placeholder()] == [
            "A tap does not see what the child prints.",
            "It goes where it goes without a tap.",
        ]

    play(scene)
