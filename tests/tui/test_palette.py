"""The palette: everything that can be done is there, and does what it says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

from tests.support.app_harness import ExplorerDriver, FakeExplorerDriver, replay_bar, run_replay_app
from tests.support.fake_session import RecordingFakeSession
from tui_ipc.events import AnyEvent
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.model.search import compile_literal
from tui_ipc.tui.session_controller import SessionRecorder
from tui_ipc.tui.widgets.search_pane import QueryBar

Run = Callable[[], Awaitable[None]]
Effect = Callable[[FakeExplorerDriver, Run], Awaitable[None]]


def write_script(events: Iterable[AnyEvent], command: Sequence[str], *, first_missing: bool) -> str:
    """Stands for what writes scripts."""
    return f"# {len(list(events))} events of {command}, {first_missing}\n"


@asynccontextmanager
async def talking() -> AsyncIterator[FakeExplorerDriver]:
    """An explorer with all that it can have, in the middle of a conversation."""
    recorder = SessionRecorder(["./echo"])
    session = RecordingFakeSession(recorder)
    app = ExplorerApp(session, recorder=recorder, save_script=write_script)
    async with app.run_test(size=(120, 36)) as pilot:
        it = FakeExplorerDriver(app, session, pilot)
        await it.connected()
        session.output(b"one\n")
        session.output(b"two\n", "stderr")
        await it.say('{"a": [1, [2]]}')
        await it.until(lambda: session.sent)
        session.answer("Hi")
        await it.until(lambda: it.shows("page", '"Hi"'))
        yield it


def opens(text: str) -> Effect:
    """It opens a screen on which a text stands."""

    async def effect(it: FakeExplorerDriver, run: Run) -> None:
        await run()
        await it.until(lambda: len(it.app.screen_stack) == 2 and text in it.frame())
        await it.pilot.press("escape")
        await it.until(lambda: len(it.app.screen_stack) == 1)

    return effect


def brings(holds: Callable[[FakeExplorerDriver], object]) -> Effect:
    """Something that did not hold comes to hold."""

    async def effect(it: FakeExplorerDriver, run: Run) -> None:
        assert not holds(it)
        await run()
        await it.until(lambda: holds(it))

    return effect


def after(
    prepare: Callable[[FakeExplorerDriver], object], holds: Callable[[FakeExplorerDriver], object]
) -> Effect:
    """The same, once it was prepared."""

    async def effect(it: FakeExplorerDriver, run: Run) -> None:
        prepare(it)
        await it.pilot.pause()
        await brings(holds)(it, run)

    return effect


def on_message(number: int, holds: Callable[[FakeExplorerDriver], object], tab: str = "value") -> Effect:
    """The same, with the message sent (5) or the one received (6) in the inspector."""

    def prepare(it: FakeExplorerDriver) -> None:
        it.app.log_view.select(number)
        it.app.action_tab(tab)  # type: ignore[arg-type]

    return after(prepare, holds)


def seeks(it: FakeExplorerDriver) -> None:
    """A search is on: it finds the last two lines."""
    it.app.log_view.search(compile_literal("2]]"), "2]]")


async def goes_on(it: FakeExplorerDriver, run: Run) -> None:
    """Another of the lines found is gone to."""
    it.app.log_view.search(compile_literal("e"), "e")
    await it.until(lambda: it.app.log_view.cursor is not None)
    first = it.app.log_view.cursor
    await run()
    await it.until(lambda: it.app.log_view.cursor != first)


async def inverts(it: FakeExplorerDriver, run: Run) -> None:
    """What the filter hid is shown."""
    await it.pilot.press("slash", *"sent", "enter")
    await it.until(lambda: not it.shows("log", "open"))
    await run()
    await it.until(lambda: it.shows("log", "open") and not it.shows("log", "→"))


async def types_a_query(it: FakeExplorerDriver, run: Run) -> None:
    """A line opens in which a question is typed."""
    await run()
    await it.until(lambda: isinstance(it.app.focused and it.app.focused.parent, QueryBar))
    await it.pilot.press("escape")


def is_on(it: FakeExplorerDriver, name: str) -> bool:
    """Whether the screen has a class."""
    return it.app.screen_stack[0].has_class(name)


EFFECTS: dict[str, Effect] = {
    "Help": opens("What you see"),
    "Why?": opens("Why does nothing happen?"),
    "Signal": opens("To process group 4242"),
    "Handshake": opens("● listening"),
    "Note": opens("Enter adds it"),
    "Record": opens("Record from now on"),
    "Save script": opens("Save as a script"),
    "Export": opens("lines of JSON"),
    "Screenshot": opens("Save the screen as SVG"),
    "Theme": opens("Search for themes"),
    "Metrics": brings(lambda it: it.app.metrics_panel.display),
    "Maximize": brings(lambda it: is_on(it, "-maximized")),
    "Inspect": brings(lambda it: it.app.inspector.has_focus_within),
    "Filter": types_a_query,
    "Find": types_a_query,
    "Find next": goes_on,
    "Find previous": goes_on,
    "Clear search": after(seeks, lambda it: it.app.log_view.pattern is None),
    "Invert the filter": inverts,
    "Follow": on_message(0, lambda it: it.app.log_view.follows),
    "Edit and resend": on_message(5, lambda it: it.app.message_box.input.value == '{"a": [1, [2]]}'),
    "Resend": on_message(5, lambda it: len(it.session.sent) == 2),
    "Back": brings(lambda it: it.app.bottom_bar.has_focus_within),
    "Value": on_message(5, lambda it: it.app.inspector.tab == "value", tab="about"),
    "Bytes": on_message(5, lambda it: it.app.inspector.tab == "bytes"),
    "About": on_message(5, lambda it: it.app.inspector.tab == "about"),
    "Go to answer": on_message(5, lambda it: it.app.log_view.cursor == 6),
    "Copy": on_message(5, lambda it: it.app.clipboard == '{"a": [1, [2]]}'),
    "Copy JSON": on_message(6, lambda it: it.app.clipboard == '"Hi"'),
    "Copy hex": on_message(6, lambda it: it.app.clipboard == "a2 48 69"),
    "Open/close": on_message(5, lambda it: it.rows("page")[1] == ""),
    "Open all": on_message(5, lambda it: it.shows("page", "0: 2")),
    "Next part": on_message(5, lambda it: it.app.inspector.message_view.bytes_view.cursor_byte, "bytes"),
    "Times": brings(lambda it: it.app.wall_clock),
    "Wrap": brings(lambda it: it.app.output_view.is_wrapped),
    "Streams": brings(lambda it: it.app.output_view.shown_stream == "stdout"),
    "Copy output": brings(lambda it: "one" in it.app.clipboard),
    "Go to the log": after(lambda it: it.app.bottom_bar.take_focus(), lambda it: it.app.log_view.has_focus),
    "Go to the child's output": brings(lambda it: it.app.output_view.has_focus),
    "History": brings(lambda it: it.app.message_box.input.value == '{"a": [1, [2]]}'),
}
"""What each command does. Those that are missing here have their own tests below."""

OTHERS = {"Quit", "Restart", "End the child", "Previous part", "Complete", "Editor", "Suspend", "Redraw"}


def offered(it: ExplorerDriver) -> dict[str, Run]:
    """What the palette offers."""
    found: dict[str, Run] = {}
    for command in it.app.get_system_commands(it.app.screen):
        assert command.help
        assert command.title not in found, "two commands of one name"
        found[command.title] = as_run(command.callback)
    return found


def as_run(callback: Callable[[], object]) -> Run:
    """Run a command as the palette does."""

    async def run() -> None:
        result = callback()
        if isinstance(result, Awaitable):
            await result

    return run


def explained(nodes: Iterable[DOMNode]) -> set[str]:
    """What explains itself where its key is bound."""
    return {
        binding.description
        for node in nodes
        for kind in type(node).__mro__
        for binding in vars(kind).get("BINDINGS", ())
        if isinstance(binding, Binding) and binding.tooltip and binding.id
    }


def test_everything_that_can_be_done_is_there_and_is_tested() -> None:
    """Whatever has a key that explains itself; a command without a row in the table fails this test."""

    async def main() -> None:
        async with talking() as it:
            app = it.app
            ours = [
                node for node in app.screen.walk_children() if type(node).__module__.startswith("tui_ipc")
            ]
            assert explained([app, *ours]) - {"Palette"} <= set(offered(it))
            assert set(offered(it)) == set(EFFECTS) | OTHERS

    asyncio.run(main())


@pytest.mark.timeout(180)
def test_each_command_does_what_it_says() -> None:
    """As its row in the table has it; each from the log, with nothing selected, searched or filtered."""

    async def main() -> None:
        async with talking() as it:
            for title, effect in EFFECTS.items():
                await reset(it)
                try:
                    await effect(it, offered(it)[title])
                except AssertionError as error:
                    error.add_note(f"the command is {title}")
                    raise

    asyncio.run(main())


async def reset(it: FakeExplorerDriver) -> None:
    """Make the screen what it was at first."""
    app = it.app
    app.screen_stack[0].remove_class("-maximized", "-inspecting")
    app.log_view.search(None)
    app.log_view.set_filter(None)
    app.log_view.action_follow()
    app.action_tab("value")
    app.copy_to_clipboard("")
    app.message_box.input.clear()
    app.log_view.focus()
    await it.pilot.pause()


def test_the_child_is_ended_begun_and_left() -> None:
    """The three commands that end a run, one after the other."""

    async def main() -> None:
        async with talking() as it:
            await offered(it)["End the child"]()
            await it.until(lambda: "end" in it.session.asked and it.app.model.status.phase == "over")
            await offered(it)["Restart"]()
            await it.until(lambda: it.app.model.status.run == 2)
            await offered(it)["Quit"]()
            await it.until(lambda: it.app.return_code == 0)
            assert it.session.asked[-1] == "quit"

    asyncio.run(main())


def test_an_action_of_several_panes_is_done_where_one_is() -> None:
    """Following, say: in the output if one is there, in the log from anywhere else."""

    async def main() -> None:
        async with talking() as it:
            it.session.output(b"line\n" * 100)
            await it.until(lambda: it.app.output_view.end > 90)
            it.app.output_view.focus()
            it.app.output_view.select(0)
            it.app.log_view.select(0)
            await it.until(lambda: it.app.output_view.has_focus and not it.app.output_view.follows)
            await offered(it)["Follow"]()
            await it.until(lambda: it.app.output_view.follows)
            assert it.app.log_view.cursor == 0

    asyncio.run(main())


def test_it_is_opened_and_used_by_keys() -> None:
    """ctrl+p, a part of a name, Enter."""

    async def main() -> None:
        async with talking() as it:
            await it.pilot.press("ctrl+p", *"metrics")
            await it.until(lambda: "Show or hide latencies" in it.frame())
            await it.pilot.press("enter")
            await it.until(lambda: it.app.metrics_panel.display)

    asyncio.run(main())


def test_a_replay_offers_its_own(talk: Path) -> None:
    """How fast it goes, and to begin again; nothing that needs a child."""

    async def main() -> None:
        async with run_replay_app(talk) as it:
            await it.until(lambda: it.shows("log", "open"))
            found = offered(it)
            assert {"Play", "Step", "Faster", "Slower", "Start again", "Leave"} <= set(found)
            assert not {"Signal", "Record", "Restart", "End the child", "History"} & set(found)
            await found["Play"]()
            await it.until(lambda: replay_bar(it).startswith("‖ paused"))
            await found["Step"]()
            await it.until(lambda: "event 6" in replay_bar(it))
            await found["Faster"]()
            await it.until(lambda: "speed 2×" in replay_bar(it))
            await found["Slower"]()
            await it.until(lambda: "speed 1×" in replay_bar(it))
            await found["Start again"]()
            await it.until(lambda: replay_bar(it).startswith("▶ playing   event 5"))
            await found["Leave"]()
            await it.until(lambda: it.app.return_code == 0)

    asyncio.run(main())
