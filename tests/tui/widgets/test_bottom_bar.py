"""The message box and the replay bar."""

from tests.support.app_harness import FakeExplorerDriver, run_scene
from tui_ipc.tui.widgets.bottom_bar import SPEEDS, decrease_speed, increase_speed


def test_every_speed_is_reached_from_its_neighbours() -> None:
    """Up leads through all speeds to no pause at all, down leads back; both ends hold."""
    up: list[float | None] = [SPEEDS[0]]
    while up[-1] is not None:
        up.append(increase_speed(up[-1]))
    assert up == [*SPEEDS, None]
    assert increase_speed(None) is None
    down = [decrease_speed(None)]
    while down[-1] != SPEEDS[0]:
        down.append(decrease_speed(down[-1]))
    assert down == list(reversed(SPEEDS))
    assert decrease_speed(SPEEDS[0]) == SPEEDS[0]


def test_a_speed_between_two_goes_to_the_next() -> None:
    """A speed of the command line's own leads to the usual ones."""
    assert (decrease_speed(3.0), increase_speed(3.0)) == (2.0, 4.0)
    assert (decrease_speed(0.1), increase_speed(0.1)) == (0.1, 0.25)
    assert (decrease_speed(1000.0), increase_speed(1000.0)) == (64.0, None)


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
