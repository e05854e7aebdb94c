"""Whatever is in a recording, everything that reads one gives an error that names the place, or shows it."""

from pathlib import Path

from tests.support.fuzz_recordings import run_case

CASES = 300


def test_no_recording_breaks_what_reads_it(tmp_path: Path) -> None:
    """A bounded run of the fuzz; ``python -m tests.support.fuzz_recordings`` runs it without end."""
    outcomes = [run_case(seed, tmp_path / "case.rec") for seed in range(CASES)]
    assert {"broken", "whole"} <= set(outcomes)
