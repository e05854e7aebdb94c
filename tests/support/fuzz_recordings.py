"""Feeds broken recordings to everything that reads one: reader, index, printers, scripts, the explorer.

Run it by hand, without end, from any seed: python -m tests.support.fuzz_recordings [FIRST_SEED [SECONDS]]
A case is made of its seed alone; the bytes of one that fails are left in fuzz-SEED.rec.
"""

import asyncio
import json
import random
import re
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from tests.support.app_harness import run_replay_app
from tests.support.message_strategies import same
from tests.support.recordings import encode_recording
from tui_ipc.events import AnyEvent, MessageReceived, MessageSent, json_form
from tui_ipc.events.message_values import ignore_descriptor, make_recorded_handle
from tui_ipc.ipc.builder import NOTHING
from tui_ipc.ipc.decoder import StreamDecoder
from tui_ipc.ipc.wire import encode
from tui_ipc.recording import index as index_module
from tui_ipc.recording.codec import RecordingError
from tui_ipc.recording.event_schema import to_encodable
from tui_ipc.recording.index import RecordingIndex
from tui_ipc.recording.reader import open_recording
from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.print_recording import FORMATS
from tui_ipc.script.record_to_script import convert_events_to_script
from tui_ipc.tui.model.byte_map import map_event_bytes
from tui_ipc.tui.model.event_details import (
    about_lines,
    entry_summary,
    entry_title,
    explain_no_partner,
    find_partners,
    value_lines,
)
from tui_ipc.tui.model.run_summary import RunSummaries, shift_events
from tui_ipc.tui.model.session_model import SessionModel

GOLDEN: Final = Path(__file__).parents[1] / "recording" / "golden"

EDGE_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, -1, 0, 1, 2, 31, 64, 65, 255, 256, 2**31, 2**63 - 1, 2**63, 2**64 - 1, -(2**63)),
    *(0.0, -0.0, -1.5, 1e308, float("inf"), float("nan")),
    *("", "x", "\u202e\x1b[2J", "\ud83d", "a\nb\tc\0", "quit", "stdout", "listening", "hello", "x" * 5000),
    *(
        b"",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xa2ok",
        b"\x92\x01",
        b"\xc1",
        b"\x81\xc0\xc0",
        b"\x91" * 80 + b"\xc0",
    ),
    *(
        b"\x91" * 80 + b"\xc0",
        b"\xd4\x01\x00",
        b"\xcb\x7f\xf8" + bytes(6),
        b"\xd6\xff" + bytes(4),
        b"\x1b]0;x\x07\r\x08\n" * 9,
    ),
    *([], [""], ["x", ""], [1, -1], [[]], {}, {"a": 1}),
)
"""Values that some field of some event must not have, or that are at the edge of what it may have."""

_STEERS: Final = re.compile("[\x00-\x1f\x7f-\x9f]")  # what could steer a terminal


def run_case(seed: int, path: Path) -> str:
    """Make the recording of a seed and read it with everything.

    Args:
        seed: Any number.
        path: A file to write the recording to.

    Returns:
        How far it got: ``refused`` at the header, ``broken`` after some events, or ``whole``.

    Raises:
        Exception: Whatever a reader of recordings raises that it should not.
    """
    rng = random.Random(seed)
    path.write_bytes(make_recording(rng))
    try:
        recorded = open_recording(str(path))
    except RecordingError:
        return "refused"
    events: list[AnyEvent] = []
    outcome = "whole"
    try:
        events.extend(recorded.events())
    except RecordingError:
        outcome = "broken"
    recorded.problems()
    for event in events:
        recorded.time_of(event.at)
    check_index(events, path)
    check_writers(events, recorded.command, path)
    check_model(events)
    if seed % 250 == 0:
        asyncio.run(check_explorer(path))
    return outcome


def make_recording(rng: random.Random) -> bytes:
    """Return a golden recording with a few of its events and bytes changed."""
    data = rng.choice(sorted(GOLDEN.glob("*/*.rec"))).read_bytes()
    values = split_values(data)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 5))):
        spoil_event(rng, values)
    data = b"".join(encode(to_encodable(value)) for value in values)
    for _ in range(rng.choice((0, 0, 0, 1, 4))):
        at = rng.randrange(len(data))
        data = data[:at] + rng.randbytes(rng.randrange(4)) + data[at + rng.randrange(4) :]
    return data


def split_values(data: bytes) -> list[Any]:
    """Return the values of a recording."""
    decoder = StreamDecoder(make_recorded_handle, ignore_descriptor)
    values = [decoder.decode(data)]
    while decoder.pending and (value := decoder.next()) is not NOTHING:
        values.append(value)
    return values


def spoil_event(rng: random.Random, values: list[Any]) -> None:
    """Change one event, or their order."""
    index = rng.randrange(1, len(values))
    event = values[index]
    match rng.randrange(8):
        case 0:
            values.insert(rng.randrange(1, len(values)), event)
        case 1:
            values[index] = [rng.choice((*range(24), 127, 200)), *event[1:]]
        case 2:
            values[index] = event[: rng.randrange(len(event) + 1)]
        case 3:
            values[index] = [*event, *rng.choices(EDGE_VALUES, k=rng.randrange(4))]
        case _ if len(event) > 1:
            field = rng.randrange(1, len(event))
            alike = [value for value in EDGE_VALUES if type(value) is type(event[field])]
            values[index] = [*event]
            values[index][field] = rng.choice(alike if alike and rng.random() < 0.8 else EDGE_VALUES)


def check_index(events: list[AnyEvent], path: Path) -> None:
    """Index the recording with a place to begin at every few events, and read on from each."""
    with patch.multiple(index_module, CHECKPOINT_SPACING=3, CONTEXT=0):
        index = RecordingIndex(str(path))
        while not index.is_whole:
            index.read_on(2)
        assert index.position == len(events)
        for position in range(3, len(events) + 1, 3):
            start = index.find_checkpoint(position)
            assert start.position == position
            recorded = open_recording(str(path))
            for place in start.preface:
                assert next(recorded.events(*place)).ONCE_A_RUN
            left = events[position:]
            assert same(list(islice(recorded.events(*start.place), len(left))), left)


def check_writers(events: list[AnyEvent], command: tuple[str, ...], path: Path) -> None:
    """Print the events, make a script of them, and write them again."""
    for line in FORMATS["text"](events, None):
        assert line is not None
        assert not _STEERS.search(line), line
    for line, event in zip(FORMATS["jsonl"](events, None), events, strict=True):
        assert line is not None
        assert json.loads(line, parse_constant=refuse_constant)["event"] == json_form.name_kind(event)
    parse_script(convert_events_to_script(events, command))
    path.write_bytes(encode_recording(*events, command=command))
    assert same(list(open_recording(str(path)).events()), events)


def refuse_constant(name: str) -> None:
    """Refuse what is not JSON."""
    raise AssertionError(f"{name} is not JSON")


def check_model(events: list[AnyEvent]) -> None:
    """Have the explorer's model take all events in, and ask for every line that it can show."""
    model, summaries = SessionModel(), RunSummaries()
    for event in events:
        model.apply(event)
        summaries.add(event)
    assert model.status.state
    assert model.output_queue.decode(1.0, lambda: 0.0)
    assert len(model.output_queue.partial) <= 2
    for index in range(model.log.first, model.log.end):
        entry = model.log[index]
        assert not _STEERS.search(entry.line.text), entry
        assert not _STEERS.search(entry.text), entry
        entry_title(entry)
        entry_summary(entry)
        value_lines(entry)
        about_lines(entry)
        list(find_partners(model.log, entry))
        if isinstance(entry.event, MessageSent | MessageReceived):
            explain_no_partner(entry)
        map_event_bytes(entry.event)
    shift_events(events, events[-1].at if events else 0)


async def check_explorer(path: Path) -> None:
    """Show the recording in the explorer, walk through its log, and leave it."""
    async with asyncio.timeout(30), run_replay_app(path, None) as it:
        await it.until(lambda: it.app.replay.over)  # type: ignore[attr-defined]
        await it.pilot.press("home", "down", "enter", "down", "end", "q")
        await it.until(lambda: it.app.return_code is not None or it.app._exit)


def main(first: int, seconds: float) -> None:
    """Run cases without end, and say from time to time how many."""
    outcomes = dict.fromkeys(("refused", "broken", "whole"), 0)
    began = reported = time.monotonic()
    seed = first
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "case.rec"
        while time.monotonic() - began < seconds:
            try:
                outcomes[run_case(seed, path)] += 1
            except BaseException:
                kept = Path(f"fuzz-{seed}.rec")
                kept.write_bytes(make_recording(random.Random(seed)))
                print(f"seed {seed} fails; its recording is {kept}", flush=True)
                raise
            seed += 1
            if time.monotonic() - reported > 30:
                reported = time.monotonic()
                print(f"{seed - first} cases from seed {first}: {outcomes}", flush=True)
    print(f"{seed - first} cases from seed {first} in {time.monotonic() - began:.0f} s: {outcomes}")


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else time.time_ns(),
        float(sys.argv[2]) if len(sys.argv) > 2 else float("inf"),
    )
