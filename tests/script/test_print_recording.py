"""Events as lines for people; printing them is tested with the command line."""

import tracemalloc
from collections.abc import Iterable
from itertools import count, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.event_strategies import any_event
from tests.support.recordings import encode_recording
from tui_ipc import events as ev
from tui_ipc.script import print_recording
from tui_ipc.script.output import OutputStream
from tui_ipc.script.print_recording import FORMATS, format_as_text, run_print_recording
from tui_ipc.text.safe_text import has_hidden


def to_text(events: Iterable[ev.AnyEvent]) -> list[str]:
    """The lines of events as text."""
    return [line or "" for line in format_as_text(events)]


@given(events=st.lists(any_event, max_size=8))
def test_each_event_is_one_safe_line(events: list[ev.AnyEvent]) -> None:
    """Whatever a child wrote: every control character is visible, and an event stays one line."""
    lines = to_text(events)
    assert not any(has_hidden(line) for line in lines)
    others = [event for event in events if not isinstance(event, ev.ChildOutput)]
    assert len(lines) >= len(others)
    assert to_text(others) == [line for event in others for line in to_text([event])]
    assert all(len(to_text([event])) == 1 for event in others)


@given(st.binary(max_size=40), st.lists(st.integers(0, 40)))
def test_the_pieces_of_output_do_not_show(data: bytes, cuts: list[int]) -> None:
    """Wherever the pipe cut it: the lines are those of the whole."""
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[a:b] for a, b in pairwise(edges)]
    events = [ev.ChildOutput(at=0, run=1, stream="stdout", data=piece) for piece in pieces]
    whole = [ev.ChildOutput(at=0, run=1, stream="stdout", data=data)] if data else []
    assert to_text(events) == to_text(whole)


@pytest.mark.parametrize(
    ("data", "bound"), [(b"1234567\n" * 40_000, 1_000_000), (b"x" * 4_000_000, 3_000_000)]
)
def test_much_output_in_one_event_takes_little_memory(data: bytes, bound: int) -> None:
    """A recording may hold tens of MiB in one event: they are taken apart piece by piece."""
    tracemalloc.start()
    try:
        for _ in format_as_text([ev.ChildOutput(at=0, run=1, stream="stdout", data=data)]):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < bound


def test_streams_are_kept_apart() -> None:
    """An unfinished line of one stream is not ended by the other; both are printed at the end."""
    events = [
        ev.ChildOutput(at=0, run=1, stream="stdout", data=b"hal"),
        ev.ChildOutput(at=0, run=1, stream="stderr", data=b"oops"),
        ev.ChildOutput(at=0, run=1, stream="stdout", data=b"f\n"),
    ]
    assert to_text(events) == [
        "  0.000  1  │ stdout     half",
        "  0.000  1  │ stderr     oops",
    ]


def test_a_long_value_is_cut_and_its_size_shown() -> None:
    """As text; as JSON it is whole."""
    event = ev.MessageReceived(at=0, run=1, number=1, value="x" * 10_000, raw=b"x" * 10_003)
    (text,) = to_text([event])
    assert len(text) < 2200
    assert text.endswith("(9.8 KiB)")
    (line,) = FORMATS["jsonl"]([event], None)
    assert "x" * 10_000 in str(line)


def test_events_that_take_long_are_printed_one_by_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """However short their lines are: meanwhile signals are let in."""
    recording = tmp_path / "long.rec"
    notes = [ev.Note(at=at, run=1, text=f"note {at}") for at in range(3)]
    recording.write_bytes(encode_recording(*notes, command=("child",)))
    written: list[bytes] = []

    async def keep(_stream: OutputStream, data: bytes) -> None:
        written.append(data)

    monkeypatch.setattr(OutputStream, "write", keep)
    assert run_print_recording(str(recording), "text") == 0
    assert len(written) == 1
    monkeypatch.setattr(print_recording, "monotonic", count().__next__)
    assert run_print_recording(str(recording), "text") == 0
    assert b"".join(written[1:]) == written[0]
    assert [data.count(b"\n") for data in written[1:] if data] == [1, 1, 1]
