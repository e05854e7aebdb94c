"""The message box."""

from tests.support.app_harness import FakeExplorerDriver, run_scene


def test_message_box_describes_the_typed_value() -> None:
    """While a message is typed, its kind and size are shown at the edge of the box."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.press(*"42")
        assert it.app.message_box.border_subtitle == "integer, 1 byte"

    run_scene(scene)


def test_arrows_recall_the_history() -> None:
    """Up and down go through the messages that begin with the draft, which comes back at the end."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        for text in ("two", "one", "three", "two"):
            await it.say(text)
        seen = []
        for key in ("t", "up", "up", "up", "down", "down", "down", "backspace", "up", "up", "up"):
            await it.pilot.press(key)
            seen.append(it.app.message_box.input.value)
        assert seen == ["t", "two", "three", "three", "two", "t", "t", "", "two", "three", "one"]

    run_scene(scene)
