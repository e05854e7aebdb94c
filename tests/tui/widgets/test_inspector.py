"""The inspector as a person uses it: keys, what is seen, what is copied."""

import json
from typing import Any

from tests.support.app_harness import FakeExplorerDriver, run_scene
from tests.support.unicode_text import is_safe
from tui_ipc.events import MessageSent
from tui_ipc.ipc.wire import encode
from tui_ipc.tui.model.search import parse_filter
from tui_ipc.tui.widgets.inspector import Inspector
from tui_ipc.tui.widgets.message_view import MessageView

CALL = {"op": "add", "args": [2, 3.5], "note": "a text that is too long for its row in the pane"}


def inspector(it: FakeExplorerDriver) -> Inspector:
    """The inspector of a stage."""
    return it.app.inspector


def view(it: FakeExplorerDriver) -> MessageView:
    """What it shows of a message."""
    return it.app.inspector.message_view


def part(it: FakeExplorerDriver) -> str:
    """What is told of the selection."""
    return str(it.app.screen_stack[0].query_one("#part").render())


def marked(it: FakeExplorerDriver) -> bytes:
    """The bytes that are marked."""
    shown = view(it).bytes_view
    start, end = shown.selected_range
    return view(it).byte_map.raw[start:end]


async def inspecting(it: FakeExplorerDriver, value: Any, raw: bytes | None = None) -> None:
    """Let a message come, and go to the inspector."""
    await it.connected()
    raw = encode(value) if raw is None else raw
    it.session.feed(MessageSent(at=it.session.at, run=1, number=1, value=value, raw=raw))
    await it.until(lambda: it.app.model.latest is not None and inspector(it).entry is not None)
    it.app.log_view.focus()
    await it.pilot.press("up", "enter")
    await it.pilot.pause()


def test_the_value_is_a_tree() -> None:
    """Rows open and close by arrows, enter and space, star opens all, home and end go to either end."""

    async def scene(it: FakeExplorerDriver) -> None:
        await inspecting(it, {"a": {"b": [1, [2]]}, "c": 3})
        assert it.rows("page")[:3] == ["▾ map, 2 keys", '  ▸ "a": {"b": [1, [2]]}', '    "c": 3']
        await it.pilot.press("down", "right")
        assert it.rows("page")[1:3] == ['  ▾ "a": map, 1 key', '    ▸ "b": [1, [2]]']
        await it.pilot.press("right", "enter")
        assert it.rows("page")[2:4] == ['    ▾ "b": array, 2 items', "        0: 1"]
        await it.pilot.press("left", "left", "left")
        assert it.rows("page")[:3] == ["▾ map, 2 keys", '  ▸ "a": {"b": [1, [2]]}', '    "c": 3']
        await it.pilot.press("left", "asterisk")
        assert len([row for row in it.rows("page") if row]) == 7
        await it.pilot.press("space")
        assert [row for row in it.rows("page") if row] == ['▸ {"a": {"b": [1, [2]]}, "c": 3}']
        await it.pilot.press("space", "end")
        assert view(it).selected.value == 3
        await it.pilot.press("home")
        assert view(it).selected.position == ()

    run_scene(scene)


def test_the_mouse_opens_and_selects() -> None:
    """A click selects a row; on its mark it opens or closes it."""

    async def scene(it: FakeExplorerDriver) -> None:
        await inspecting(it, {"a": [1, 2], "c": 3})
        await it.pilot.click("#value", offset=(6, 2))
        await it.until(lambda: view(it).selected.value == 3)
        await it.pilot.click("#value", offset=(2, 1))
        await it.until(lambda: it.rows("page")[2] == "      0: 1")
        await it.pilot.press("b")
        await it.pilot.click("#bytes", offset=(6 + 3, 0))
        await it.until(lambda: part(it).startswith("key of $.a"))

    run_scene(scene)


def test_what_is_selected_is_selected_in_value_and_bytes() -> None:
    """Moving over the value marks its bytes and names them; moving over the bytes goes to their value."""

    async def scene(it: FakeExplorerDriver) -> None:
        await inspecting(it, CALL)
        await it.pilot.press("down", "down")
        await it.until(lambda: marked(it) == encode([2, 3.5]))
        assert (
            part(it) == "$.args · fixarray, 2 items, header of 1 byte · 11 bytes with its contents · at 0x0d"
        )
        await it.pilot.press("b", "right_square_bracket", "right_square_bracket")
        await it.until(lambda: marked(it) == encode(3.5))
        assert part(it) == "$.args[1] · float 64, 8 bytes after a header of 1 byte · header: the kind"
        await it.pilot.press("right")
        await it.until(lambda: part(it).endswith("content, byte 0 of 8"))
        await it.pilot.press("v")
        assert view(it).selected.value == 3.5
        assert it.shows("page", "1: 3.5")
        await it.pilot.press("b", *["left_square_bracket"] * 4)
        await it.until(lambda: part(it).startswith("key of $.args"))
        assert marked(it) == encode("args")
        await it.pilot.press("end")
        await it.until(lambda: part(it).startswith("$.note"))
        await it.pilot.press("left", "down")
        await it.until(lambda: view(it).bytes_view.cursor_byte == len(encode(CALL)) - 2)
        await it.pilot.press("home", "down", "pagedown", "pageup", "left", "down", "right")
        await it.until(lambda: view(it).bytes_view.cursor_byte == view(it).bytes_view.columns + 1)

    run_scene(scene)


def test_where_there_is_room_both_are_seen() -> None:
    """One over the other where it is tall, side by side where it is wide, one at a time where it is small."""

    async def scene(it: FakeExplorerDriver) -> None:
        await inspecting(it, CALL)
        shown = view(it)
        assert (shown.tree_view.display, shown.bytes_view.display) == (True, False)
        await it.pilot.press("f2")
        await it.until(lambda: shown.bytes_view.region.x > shown.tree_view.region.x)
        assert shown.bytes_view.region.y == shown.tree_view.region.y
        await it.pilot.press("down", "down", "down")
        await it.until(lambda: part(it).startswith("$.note"))
        await it.pilot.press("b")
        assert shown.bytes_view.has_focus
        await it.pilot.press("shift+tab")
        assert inspector(it).tab == "value"
        await it.pilot.press("f2")
        await it.pilot.resize_terminal(200, 60)
        await it.until(lambda: shown.bytes_view.region.y >= shown.tree_view.region.bottom)
        assert shown.bytes_view.region.x == shown.tree_view.region.x
        await it.pilot.resize_terminal(80, 24)
        await it.until(lambda: not shown.bytes_view.display)
        assert shown.selected.key == "note"

    run_scene(scene)


def test_what_is_selected_is_copied() -> None:
    """c in the notation, j as JSON, x as hex: of the selected part, or of all; what was changed is told."""

    async def scene(it: FakeExplorerDriver) -> None:
        await inspecting(it, {"op": b"hi", "args": [1, 2]})
        await it.pilot.press("c")
        assert it.app.clipboard == '{"op": b"hi", "args": [1, 2]}'
        await it.pilot.press("j")
        assert json.loads(it.app.clipboard) == {"op": "aGk=", "args": [1, 2]}
        await it.until(lambda: it.notices()[-1].endswith("1 binary value became base64."))
        await it.pilot.press("down", "down", "x")
        assert it.app.clipboard == "92 01 02"
        await it.pilot.press("c")
        assert it.app.clipboard == "[1, 2]"
        await it.pilot.press("right", "right", "j")
        assert it.app.clipboard == "1"
        it.app.log_view.focus()
        await it.pilot.press("up")
        await it.until(lambda: inspector(it).document.display)
        inspector(it).action_copy("hex")
        await it.until(lambda: "No bytes passed on the wire here." in it.notices())
        inspector(it).action_copy("JSON")
        assert json.loads(it.app.clipboard)["event"] == "channels-open"
        inspector(it).action_copy("notation")
        assert "messages may pass" in it.app.clipboard

    run_scene(scene)


def test_one_goes_from_a_question_to_its_answer_and_back() -> None:
    """g selects the answer in the log, and from it the question, through a filter that hides it too."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.say("first")
        await it.until(lambda: it.session.sent)
        it.session.answer("one")
        it.session.answer("one more")
        await it.say("second")
        await it.until(lambda: it.shows("log", "second"))
        it.app.log_view.focus()
        await it.pilot.press(*["up"] * 4, "enter", "g")
        await it.until(lambda: it.shows("page", '"one"'))
        assert it.app.log_view.cursor == 6
        await it.pilot.press("a")
        await it.until(lambda: it.shows("page", "#1 after 61 µs"))
        await it.pilot.press("g")
        await it.until(lambda: it.shows("page", "answered by  #1 after 61 µs"))
        assert it.shows("page", "holds        1 string")
        it.app.log_view.set_filter(parse_filter("sent"))
        await it.until(lambda: not it.shows("log", "←"))
        await it.pilot.press("g")
        await it.until(lambda: it.shows("page", "answers    #1 after 61 µs"))
        await it.until(lambda: it.app.log_view.filter is None)
        assert it.shows("log", "←")
        it.app.log_view.set_filter(parse_filter("message"))
        await it.until(lambda: not it.shows("log", "listening"))
        await it.pilot.press("g")
        await it.until(lambda: it.shows("page", "answered by"))
        await it.until(lambda: it.app.log_view.filter is not None)
        it.app.log_view.select_entry(8)
        await it.until(lambda: it.shows("page", "#2 of this run"))
        await it.pilot.press("g")
        await it.until(lambda: it.notices() == ["No answer to #2 has come."])

    run_scene(scene)


def test_a_long_way_to_a_value_leaves_room_for_what_is_there() -> None:
    """Its end is named, which differs from that of its neighbours."""
    value: Any = "deep"
    for _ in range(60):
        value = [value]

    async def scene(it: FakeExplorerDriver) -> None:
        await inspecting(it, value)
        await it.pilot.press("asterisk", "end")
        await it.until(lambda: part(it).startswith("…") and part(it).endswith("at 0x3c"))
        assert part(it) == f"…{'[0]' * 13} · fixstr, 4 bytes after a header of 1 byte · at 0x3c"

    run_scene(scene)


def test_a_face_is_turned_to_by_a_click_on_its_name() -> None:
    """Beside the names nothing happens."""

    async def scene(it: FakeExplorerDriver) -> None:
        await inspecting(it, {"a": 1})
        for face, column in (("about", 17), ("about", 30), ("value", 0), ("bytes", 8)):
            assert await it.pilot.click("#tabs", offset=(column, 0))
            assert inspector(it).tab == face

    run_scene(scene)


def test_what_is_selected_in_the_log_is_copied_from_there() -> None:
    """In each form, without a way through the inspector; and one goes from there to what answers."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.say('{"a": 1}')
        await it.until(lambda: it.session.sent)
        it.session.answer("yes")
        await it.until(lambda: it.app.model.log.end == 7)
        it.app.log_view.focus()
        await it.pilot.press("up", "up")
        copied = []
        for key in "cjx":
            await it.pilot.press(key)
            copied.append(it.app.clipboard)
        assert copied == ['{"a": 1}', '{\n  "a": 1\n}', "81 a1 61 01"]
        await it.pilot.press("g")
        await it.until(lambda: inspector(it).entry == it.app.model.log[6])

    run_scene(scene)


def test_bytes_that_make_no_sense_are_shown_as_far_as_they_do() -> None:
    """The structure up to the flaw, and the byte where it is."""

    async def scene(it: FakeExplorerDriver) -> None:
        raw = b"\x92\xa2hi\xc1\xff\xff"
        await inspecting(it, raw, raw)
        assert it.shows("page", r'b"\x92\xa2hi\xc1\xff\xff"')
        await it.pilot.press("b", "right")
        await it.until(lambda: part(it) == "fixstr, 2 bytes after a header of 1 byte · header: the kind")
        assert marked(it) == b"\xa2hi"
        await it.pilot.press("end")
        await it.until(lambda: part(it) == "byte 4 · 0xc1 is not the first byte of a value")

    run_scene(scene)


def test_the_selected_row_stays_in_sight() -> None:
    """Also when the line that tells of it takes a row of the view away."""

    async def scene(it: FakeExplorerDriver) -> None:
        await inspecting(it, list(range(500)))
        await it.pilot.press("end")
        await it.until(lambda: it.shows("page", "▸ [400 … 499]  100 items"))
        await it.until(lambda: part(it).startswith("$ · 300 bytes of uint 16"))
        assert it.shows("page", "▸ [400 … 499]  100 items")

    run_scene(scene)


def test_the_end_of_a_large_message_is_reached() -> None:
    """What is far ahead in the bytes is found in slices, with its progress told, keys between."""

    async def scene(it: FakeExplorerDriver) -> None:
        value = [{"id": number, "name": "x" * 40} for number in range(30_000)]
        await inspecting(it, value)
        await it.pilot.press("end", "right", "end", "right", "end")
        last = encode(value[-1])
        await it.until(lambda: marked(it) == last)
        assert part(it).startswith("$[29999] · fixmap, 2 pairs")
        await it.pilot.press("b", "home", "end")
        await it.until(lambda: part(it).startswith("$[29999].name · str 8"))
        await it.until(lambda: it.rows("page")[-1].endswith("xxx"))

    run_scene(scene)


def test_hostile_values_are_harmless() -> None:
    """Markup, control, bidirectional, wide and combining characters, in keys too: none gets through."""
    texts = [
        "[/red] [b",
        "\x1b[31m\x9b",
        "\u202eabc\u2066",
        "a\u0301\u200d\ufe0f" * 40,
        "漢字" * 100,
        "\x00\n\r\t",
    ]
    values: list[Any] = [
        texts,
        {text: {text: text} for text in texts},
        [[text.encode() * 50] for text in texts],
        "\n".join(texts) * 30,
    ]

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        for number, value in enumerate(values, 1):
            it.session.feed(
                MessageSent(at=it.session.at, run=1, number=number, value=value, raw=encode(value))
            )
        await it.until(lambda: it.app.model.log.end == 5 + len(values))
        it.app.log_view.focus()
        for _ in values:
            await it.pilot.press("up")
            for face in ("value", "bytes", "about"):
                it.app.action_tab(face)
                inspector(it).page.focus()
                await it.pilot.press("asterisk", "down", "end", "up")
                assert all(is_safe(character) for character in it.frame())
            it.app.log_view.focus()

    run_scene(scene)


def test_a_selection_survives_nothing_that_it_should_not() -> None:
    """Another message begins with nothing selected; a late word about the old one is not told of the new."""

    async def scene(it: FakeExplorerDriver) -> None:
        await inspecting(it, [1, 2, 3])
        await it.pilot.press("down", "down")
        await it.until(lambda: part(it).startswith("$[1]"))
        it.app.action_focus_bottom_bar()
        it.app.log_view.action_follow()
        it.session.feed(MessageSent(at=it.session.at, run=1, number=2, value="new", raw=encode("new")))
        await it.until(lambda: it.shows("page", '"new"'))
        assert part(it) == ""
        assert marked(it) == b""
        inspector(it).action_copy("notation")
        assert it.app.clipboard == '"new"'

    run_scene(scene)


def test_before_the_first_message_there_is_nothing_to_copy() -> None:
    """It is said, and nothing breaks."""

    async def scene(it: FakeExplorerDriver) -> None:
        inspector(it).action_copy("notation")
        inspector(it).action_partner()
        await it.until(lambda: it.notices() == ["No message to copy yet."])

    run_scene(scene)
