"""The bar below a replay: its speeds, and its line of progress."""

from pathlib import Path

from tests.support.recordings import encode_recording
from tests.support.sample_events import LISTENING, SPAWNED
from tui_ipc.events import AnyEvent, Fault, MessageSent, Note, ScriptStep
from tui_ipc.recording.index import RecordingIndex
from tui_ipc.tui.widgets.replay_bar import SPEEDS, decrease_speed, draw_progress, increase_speed


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


def line(index: RecordingIndex | None, progress: float, cells: int) -> str:
    """The line of progress, without its colours."""
    return "".join(text for text, _ in draw_progress(progress, cells, index))


def read(path: Path, *events: AnyEvent) -> RecordingIndex:
    """The index of a recording of these events."""
    path.write_bytes(encode_recording(*events))
    index = RecordingIndex(str(path))
    index.read_on(len(events) + 1)
    return index


def test_the_line_is_filled_up_to_where_the_replay_is() -> None:
    assert [line(None, share, 4) for share in (0.0, 0.5, 1.0)] == ["────", "━━──", "━━━━"]


def test_what_one_looks_for_is_marked_in_the_line(tmp_path: Path) -> None:
    """Each in the cell of its event; where there is little room, the worst of several in one cell."""
    index = read(
        tmp_path / "s.rec",
        LISTENING,
        SPAWNED,
        Note(at=1, run=1, text="x"),
        MessageSent(at=2, run=1, number=1, value=1, raw=b"\x01"),
        ScriptStep(at=3, run=1, script="a", line=1, text="x", state="failed", sentence="no"),
        Fault(at=4, run=1, sentence="broken"),
        Note(at=5, run=1, text="y"),
        MessageSent(at=6, run=1, number=2, value="quit", raw=b"\xa4quit"),
    )
    assert line(index, 0.0, 8) == "──✎?✕✕✎─"
    assert line(index, 1.0, 16) == "━━━━━✎━?━✕━✕━✎━━"
    assert line(index, 1.0, 4) == "━?✕✎"
    assert [style for _, style in draw_progress(0.0, 2, index)] == ["bold $text-warning", "bold $text-error"]
