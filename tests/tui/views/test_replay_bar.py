"""The speeds of a replay."""

from tui_ipc.tui.views.replay_bar import SPEEDS, faster, slower


def test_every_speed_is_reached_from_its_neighbours() -> None:
    """Up leads through all speeds to no pause at all, down leads back; both ends hold."""
    up: list[float | None] = [SPEEDS[0]]
    while up[-1] is not None:
        up.append(faster(up[-1]))
    assert up == [*SPEEDS, None]
    assert faster(None) is None
    down = [slower(None)]
    while down[-1] != SPEEDS[0]:
        down.append(slower(down[-1]))
    assert down == list(reversed(SPEEDS))
    assert slower(SPEEDS[0]) == SPEEDS[0]


def test_a_speed_between_two_goes_to_the_next() -> None:
    """A speed of the command line's own leads to the usual ones."""
    assert (slower(3.0), faster(3.0)) == (2.0, 4.0)
    assert (slower(0.1), faster(0.1)) == (0.1, 0.25)
    assert (slower(1000.0), faster(1000.0)) == (64.0, None)
