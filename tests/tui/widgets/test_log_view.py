"""The log: its cursor, its filter and its search, also while it grows."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from textual import events

from tests.support.app_harness import (
    WAIT_SECONDS,
    FakeExplorerDriver,
    press_at_once,
    run_explorer_app,
    run_scene,
)
from tests.support.frozen_session import BEGAN
from tui_ipc.events import MessageReceived
from tui_ipc.ipc.wire import encode
from tui_ipc.text.units import format_count, format_time_of_day
from tui_ipc.tui.model.log_entry import SEARCH_LIMIT
from tui_ipc.tui.model.ring_buffer import RingBuffer
from tui_ipc.tui.widgets.search_pane import QueryBar

Play = Callable[[FakeExplorerDriver], Awaitable[None]]


def play(scene: Play, width: int = 120, height: int = 36) -> None:
    """Run a scene on a stage of its own, with a handshake done and the log in focus."""

    async def main() -> None:
        async with run_explorer_app(width, height) as it:
            await it.connected()
            it.app.log_view.focus()
            await it.pilot.pause()
            await scene(it)

    asyncio.run(main())


def title(it: FakeExplorerDriver) -> str:
    """What stands at the log's upper edge."""
    return str(it.app.log_view.border_title)


def words(it: FakeExplorerDriver) -> list[str]:
    """What the rows of the log say, without time, mark, number, latency and size."""
    rows = (re.sub(r"\s+[\d.]+ (B|KiB|MiB)$", "", row) for row in it.rows("log") if row)
    texts = (re.sub(r"^(#\d+)? +", "", row[11:]) for row in rows)
    return [re.split(" {2,}", text)[0] for text in texts]


def bar(it: FakeExplorerDriver) -> str:
    """What the bar under the log answers."""
    return it.app.query_one(QueryBar).status


async def meanwhile(holds: Callable[[], object]) -> None:
    """Return as soon as something holds, while the explorer still works: a pilot waits for its rest."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not holds():
            await asyncio.sleep(0)


def is_typed(it: FakeExplorerDriver, text: str) -> bool:
    """Whether that stands in the bar under the log."""
    return [each.input.value for each in it.app.query(QueryBar)] == [text]


async def talk(it: FakeExplorerDriver, *texts: str) -> None:
    """Let the child say something."""
    for text in texts:
        it.session.answer(text)
    await it.until(lambda: it.app.model.log.end >= 5 + len(texts))


def test_the_partner_of_the_selected_message_is_marked() -> None:
    """The answer at its question and the question at its answer; both have the question's number."""

    async def scene(it: FakeExplorerDriver) -> None:
        for text in ("one", "two"):
            await it.session.send(text)
        it.session.answer("to the second")
        await it.until(lambda: it.shows("log", "to the second"))
        view = it.app.log_view
        marked = view.component_style("partner").bgcolor

        def rows() -> list[str]:
            strips = [view.draw_row(index, view.width) for index in range(view.first, view.end)]
            looks = [(strip.text[11:26], next(iter(strip)).style) for strip in strips]
            return [text for text, style in looks if style is not None and style.bgcolor == marked]

        assert rows() == []
        await it.pilot.press("up")
        assert rows() == ['#2   "two"     ']
        await it.pilot.press("up")
        assert rows() == ['#2   "to the se']
        await it.pilot.press("up")
        assert rows() == []

    play(scene)


def test_a_filter_shows_what_passes_as_it_comes() -> None:
    """It is typed under the log, works at each key, stays when the bar goes, and is taken away on a key."""

    async def scene(it: FakeExplorerDriver) -> None:
        await talk(it, "one", "two", "Twofold")
        await it.pilot.press("slash", *"two received")
        await it.until(lambda: words(it) == ['"two"', '"Twofold"'])
        assert bar(it) == "2 of 8"
        it.session.answer("three")
        it.session.answer("number two")
        await it.until(lambda: words(it) == ['"two"', '"Twofold"', '"number two"'])
        assert bar(it) == "3 of 10"
        await it.pilot.press("escape")
        await it.until(lambda: not it.app.query(QueryBar))
        assert it.app.log_view.has_focus
        assert title(it) == "Log · show two received: 3 of 10 · ⌫ clears it"
        await it.pilot.press("slash")
        await it.until(lambda: it.app.query_one(QueryBar).input.value == "two received")
        await it.pilot.press("enter", "backspace")
        await it.until(lambda: title(it) == "Log")
        assert len(words(it)) == 10

    play(scene)


def test_what_is_typed_before_the_bar_is_there_is_typed_into_it() -> None:
    """All of a burst: no ``r`` sends a message again, no ``e`` edits one; a search's keys go the same way."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.app.message_box.take_focus()
        await it.say("first")
        await it.until(lambda: it.session.sent == ["first"])
        it.app.log_view.focus()
        await it.pilot.press("up")
        for key, typed in (("slash", "received"), ("f", "xejr")):
            press_at_once(it, key, *typed)
            await it.until(partial(is_typed, it, typed))
            await it.pilot.press("enter")
            await it.until(lambda: it.app.log_view.has_focus)
        assert it.session.sent == ["first"]
        assert it.notices() == []

    play(scene)


def test_arrows_select_while_a_filter_is_typed() -> None:
    """They move through the lines that pass, as they move through what was found while a search is typed."""

    async def scene(it: FakeExplorerDriver) -> None:
        await talk(it, "one", "twin", "two")
        await it.pilot.press("slash", *"tw received")
        await it.until(lambda: words(it) == ['"twin"', '"two"'])
        await it.pilot.press("up", "up")
        await it.until(lambda: it.app.inspector.entry == it.app.model.log[6])
        await it.pilot.press("down")
        await it.until(lambda: it.app.inspector.entry == it.app.model.log[7])
        assert it.app.query_one(QueryBar).input.has_focus

    play(scene)


def test_a_fault_is_told_while_it_is_typed() -> None:
    """The log stays as it was until the text is a filter again; nothing passing is told too."""

    async def scene(it: FakeExplorerDriver) -> None:
        await talk(it, "one", "twin")
        await it.pilot.press("slash", *"twin")
        await it.until(lambda: words(it) == ['"twin"'])
        await it.pilot.press("space", *"/(/")
        await it.until(lambda: bar(it) == "regex: missing ), unterminated subpattern at position 0")
        assert words(it) == ['"twin"']
        await it.pilot.press("ctrl+u", *"nowhere")
        await it.until(lambda: it.shows("log", "No line passes the filter."))
        assert bar(it) == "0 of 7"

    play(scene, width=80, height=24)


def test_the_selection_stays_on_its_entry() -> None:
    """While it is hidden the nearest is selected; shown again, it is selected again."""

    async def scene(it: FakeExplorerDriver) -> None:
        await talk(it, *(f"{kind} {number}" for number in range(30) for kind in ("odd", "even")))
        for _ in range(41):
            await it.pilot.press("up")
        chosen = it.app.log_view.selected
        assert chosen is not None
        assert chosen.text == '"even 9"'
        await it.pilot.press("slash", *"even")
        await it.until(lambda: it.app.log_view.is_scan_complete and len(words(it)) > 1)
        assert it.app.log_view.selected is chosen
        await it.pilot.press("ctrl+u", *"odd")
        await it.until(lambda: it.app.log_view.is_scan_complete)
        nearest = it.app.log_view.selected
        assert nearest is not None
        assert nearest.text == '"odd 10"'
        assert it.shows("log", "odd 10")
        await it.pilot.press("enter", "backspace")
        await it.until(lambda: it.app.log_view.selected is chosen)
        assert it.shows("log", "even 9")

    play(scene)


def test_what_came_since_counts_what_passes() -> None:
    """The mark for new lines, and following, know only the lines that are shown."""

    async def scene(it: FakeExplorerDriver) -> None:
        await talk(it, *(f"line {number}" for number in range(60)))
        await it.pilot.press("slash", *"line", "enter", "up", "up", "home")
        it.session.answer("other")
        it.session.answer("line after")
        await it.until(lambda: it.app.log_view.border_subtitle == "1 new ↓ End")
        await it.pilot.press("end")
        await it.until(lambda: it.shows("log", "line after"))
        assert it.app.log_view.follows
        assert not it.shows("log", "other")

    play(scene)


def test_what_a_filter_hid_is_not_new_without_it() -> None:
    """What came while it was hidden came before the view was told to hold still in another numbering."""

    async def scene(it: FakeExplorerDriver) -> None:
        await talk(it, *(f"line {number}" for number in range(60)))
        await it.pilot.press("slash", *"line", "enter", "up", "home")
        for _ in range(50):
            it.session.answer("other")
        await it.until(lambda: it.app.model.log.end == 115 and "of 115" in title(it))
        await it.pilot.press("backspace")
        await it.until(lambda: title(it) == "Log")
        assert it.app.log_view.border_subtitle in (None, "")
        it.session.answer("new")
        await it.until(lambda: it.app.log_view.border_subtitle == "1 new ↓ End")

    play(scene)


def test_a_filter_goes_on_when_the_log_forgets() -> None:
    """What is forgotten is gone from what passes; the rest is where it was."""

    async def scene(it: FakeExplorerDriver) -> None:
        it.app.model.log = RingBuffer(20, 1 << 20)
        for number in range(20):
            it.session.answer(f"{'even' if number % 2 == 0 else 'odd'} {number}")
        await it.until(lambda: it.app.model.log.end == 20)
        await it.pilot.press("slash", *"even", "enter", "up")
        chosen = it.app.log_view.selected
        for number in range(20, 35):
            it.session.answer(f"{'even' if number % 2 == 0 else 'odd'} {number}")
        await it.until(lambda: words(it) == [f'"even {number}"' for number in range(16, 35, 2)])
        assert "10 of 20" in title(it)
        assert it.app.log_view.selected is chosen
        for number in range(18):  # before the next picture, when a key may scroll what is there
            it.app.model.apply(MessageReceived(at=0, run=1, number=number, value=number, raw=b"\x00"))
        assert words(it) == ['"even 34"']
        assert it.app.log_view.selected is None

    play(scene)


def test_a_filter_is_inverted_on_a_key() -> None:
    """In the bar and in the log; without a filter the key asks for what is to be hidden."""

    async def scene(it: FakeExplorerDriver) -> None:
        await talk(it, "one", "two")
        await it.pilot.press("exclamation_mark", *"handshake")
        await it.until(lambda: words(it) == ['"one"', '"two"'])
        assert title(it).startswith("Log · hide handshake: 2 of 7")
        await it.pilot.press("ctrl+n")
        await it.until(lambda: len(words(it)) == 5)
        await it.pilot.press("enter", "exclamation_mark")
        await it.until(lambda: words(it) == ['"one"', '"two"'])

    play(scene)


def test_a_search_goes_round_and_lights_what_it_finds() -> None:
    """From the newest backwards or round to the oldest; what comes is found too."""

    async def scene(it: FakeExplorerDriver) -> None:
        await talk(it, "a moon", "b", "moon moon", "c")
        await it.pilot.press("f", *"moon")
        await it.until(lambda: bar(it) == "2 of 2")
        selected = it.app.log_view.selected
        assert selected is not None
        assert selected.text == '"moon moon"'
        lit = [span.text for span in it.app.log_view.displayed_line(7).left if span.paint == "found"]
        assert lit == ["moon", "moon"]
        await it.pilot.press("up")
        await it.until(lambda: bar(it) == "1 of 2")
        await it.pilot.press("enter", "N")
        await it.until(lambda: "2 of 2, wrapped to the last" in title(it))
        await it.pilot.press("n")
        await it.until(lambda: "1 of 2, wrapped to the first" in title(it))
        it.session.answer("moon more")
        await it.until(lambda: "1 of 3" in title(it))
        await it.pilot.press("slash", *"!b", "enter")
        await it.until(lambda: "show !b" in title(it) and "of 3" in title(it))
        await it.pilot.press("backspace")
        await it.until(lambda: "find" not in title(it))
        assert "show !b" in title(it)

    play(scene)


def test_what_a_line_does_not_show_is_found_too() -> None:
    """Far right the rows are shifted; beyond what a line holds its mark is lit."""

    async def scene(it: FakeExplorerDriver) -> None:
        await talk(
            it,
            "x" * 300 + "here" + "y" * 90,
            "z" * (SEARCH_LIMIT - 100) + "deep",
            "w" * SEARCH_LIMIT + "lost",
        )
        await it.pilot.press("f", *"here")
        await it.until(lambda: it.shows("log", "xxhereyy"))
        await it.pilot.press("q")
        await it.until(lambda: bar(it) == "not found")
        assert it.app.log_view.shift == 0
        await it.pilot.press("ctrl+u", *"deep")
        await it.until(lambda: bar(it) == "1 of 1")
        assert it.app.log_view.shift == 0
        assert it.app.log_view.displayed_line(6).left[1] == ("← #0   ", "found")
        await it.pilot.press("ctrl+u", *"lost")
        await it.until(lambda: bar(it) == "not found")

    play(scene)


def test_a_long_log_is_filtered_in_slices() -> None:
    """A key is taken at once; what passes at the end is there first; in the end all is."""

    async def scene(it: FakeExplorerDriver) -> None:
        for number in range(60_000):
            value = f"number {number}"
            it.app.model.apply(
                MessageReceived(at=0, run=1, number=number, value=value, raw=encode(value), elapsed=number)
            )
        await it.pilot.press("slash")
        view = it.app.log_view
        it.app.post_message(events.Key("9", "9"))
        await meanwhile(lambda: not view.is_scan_complete)
        assert it.shows("log", "number 59999")
        it.app.post_message(events.Key("9", "9"))
        await meanwhile(lambda: title(it).startswith("Log · show 99:"))
        assert not view.is_scan_complete
        await it.until(lambda: view.is_scan_complete)
        found = sum("99" in str(number) for number in range(60_000))
        assert bar(it) == f"{format_count(found)} of 60 005"
        assert it.shows("log", "number 59999")

    play(scene)


def test_an_endless_expression_is_ended() -> None:
    """The filter and the search go, the explorer stays, and says why."""

    async def scene(it: FakeExplorerDriver) -> None:
        await talk(it, "a" * 40 + "b")
        await it.pilot.press("slash")
        it.app.query_one(QueryBar).input.value = "/(a+)+$/"
        await it.until(it.notices)
        assert it.notices() == ["A line took more than 0.5 s to search. Write a simpler regular expression."]
        await it.until(lambda: title(it) == "Log")
        await it.pilot.press("escape", "f")
        it.app.query_one(QueryBar).input.value = "/(a+)+$/"
        await it.until(lambda: len(it.notices()) == 2)
        assert it.app.log_view.pattern is None

    play(scene)


def test_keys_that_come_together_act_in_their_order() -> None:
    """A text that is deleted and typed anew in one go is there, though Textual runs bindings late."""

    async def scene(it: FakeExplorerDriver) -> None:
        await talk(it, "one", "two")
        await it.pilot.press("slash", *"one")
        bar_input = it.app.query_one(QueryBar).input
        for key in ("ctrl+u", "t", "w", "o"):
            it.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await it.until(lambda: words(it) == ["hello", '"two"'])
        assert bar_input.value == "two"
        await it.pilot.press("ctrl+u")
        await it.until(lambda: bar(it) == "")

    play(scene)


def test_selected_line_stays_in_view() -> None:
    """A line that is selected at the end of a full log stays where it is while more come."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        for number in range(40):
            it.session.answer(number)
        await it.until(lambda: " 39 " in it.rows("log")[-1])
        it.app.log_view.focus()
        await it.pilot.press("up", *["pageup"] * 2)
        while it.app.log_view.cursor != it.app.log_view.end - 1:
            await it.pilot.press("down")
        rows = it.rows("log")
        it.session.answer("new")
        await it.until(lambda: it.app.log_view.border_subtitle == "1 new ↓ End")
        assert it.rows("log") == rows

    run_scene(scene)


def test_click_selects_a_line() -> None:
    """A click puts the cursor on a line, as the arrows do."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.click("#log", offset=(10, 4))
        await it.until(lambda: it.shows("page", "hello"))
        assert it.app.log_view.cursor == 3

    run_scene(scene)


def test_the_time_of_day_is_shown_and_hidden() -> None:
    """In 80 columns a message has room beside it, its latency and its size."""

    async def scene(it: FakeExplorerDriver) -> None:
        clock = format_time_of_day(BEGAN + timedelta(milliseconds=42))
        assert "  0.042  ● open       messages may pass" in it.rows("log")[4]
        await it.pilot.press("T")
        await it.until(lambda: it.rows("log")[4].startswith(f"{clock}  ● open       messages may pass"))
        await it.pilot.press("escape")
        await it.say("a message of 32 characters or so")
        it.session.answer("an answer of 32 characters or so")
        await it.until(lambda: it.shows("log", '← #1   "an answer of 32 characters or so" '))
        row = next(row for row in it.rows("log") if "← " in row)
        assert "µs" in row
        assert row.endswith(" B")
        await it.pilot.press("T")
        assert it.app.message_box.input.value == "T"
        it.app.log_view.focus()
        await it.pilot.press("T")
        await it.until(lambda: it.rows("log")[4].startswith("  0.042  ● open"))

    play(scene, 80, 24)
