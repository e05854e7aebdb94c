"""Recordings of each version that were made by the program of their day: they are read for ever."""

import hashlib
import json
from pathlib import Path
from typing import get_args

import pytest

from tests.support.recordings import encode_recording
from tui_ipc import events as ev
from tui_ipc.events import json_form
from tui_ipc.recording.reader import open_recording

GOLDEN = Path(__file__).parent / "golden"
RECORDINGS = sorted(GOLDEN.glob("version-*/*.rec"))
KINDS = {"version-1": range(1, 18), "version-2": range(1, 20)}
"""The kinds of event that each version had when its golden files were made."""

DIGEST = "9da4a4ba0dbeb4aa"
"""Of all the golden files. They are never made again: a file of another version is added beside them."""


def test_the_golden_files_are_those_that_were_committed() -> None:
    digest = hashlib.sha256()
    for path in sorted(GOLDEN.glob("version-*/*")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    assert digest.hexdigest()[:16] == DIGEST


@pytest.mark.parametrize("version", KINDS)
def test_each_version_has_a_golden_event_of_every_kind(version: str) -> None:
    kinds = {
        event.KIND for path in GOLDEN.glob(f"{version}/*.rec") for event in open_recording(str(path)).events()
    }
    assert kinds == set(KINDS[version])


def test_the_newest_version_has_every_kind() -> None:
    assert set([*KINDS.values()][-1]) == {event.KIND for event in get_args(ev.AnyEvent)}


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name} {path.stem}")
def test_a_golden_recording_says_what_it_said_when_it_was_made(path: Path) -> None:
    """Its lines of JSON have every member that they had then, with its value; there may be more."""
    recorded = open_recording(str(path))
    lines = [json.loads(json_form.format_line(event)) for event in recorded.events()]
    expected = [json.loads(line) for line in path.with_suffix(".jsonl").read_text().splitlines()]
    kept = [{name: line.get(name) for name in then} for line, then in zip(lines, expected, strict=True)]
    assert kept == expected
    assert recorded.problems() == []


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name} {path.stem}")
def test_a_golden_recording_is_the_same_after_it_was_written_again(path: Path, tmp_path: Path) -> None:
    events = list(open_recording(str(path)).events())
    again = tmp_path / "again.rec"
    again.write_bytes(encode_recording(*events, command=open_recording(str(path)).command))
    assert list(open_recording(str(again)).events()) == events
