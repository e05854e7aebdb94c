"""Numbers as people read them."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tui_ipc.text.units import (
    format_clock,
    format_count,
    format_date_and_time,
    format_duration,
    format_iso_time,
    format_plural,
    format_size,
    format_time_of_day,
    to_local_time,
)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (35, "35 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (64 << 20, "64 MiB"),
        (5 << 30, "5.0 GiB"),
    ],
)
def test_sizes_have_a_unit_that_fits(number: int, text: str) -> None:
    """A size is written in the largest binary unit that it fills."""
    assert format_size(number) == text


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (850, "850 ns"),
        (9_949, "9.9 µs"),
        (61_000, "61 µs"),
        (4_200_000, "4.2 ms"),
        (9_960_000, "10 ms"),
        (12_000_000_000, "12 s"),
    ],
)
def test_durations_have_two_figures(nanoseconds: int, text: str) -> None:
    """A duration is written with the figures that matter and no more."""
    assert format_duration(nanoseconds) == text


def test_counts() -> None:
    """Thousands stand apart, and what is counted is in the plural but for one."""
    assert format_count(70_123_456) == "70 123 456"
    assert [format_plural(1, "byte"), format_plural(2, "byte"), format_plural(2, "process", "processes")] == [
        "1 byte",
        "2 bytes",
        "2 processes",
    ]


def test_the_clock_keeps_its_columns_for_a_quarter_of_an_hour() -> None:
    """Moments stand below each other up to 999 seconds."""
    assert format_clock(0) == "  0.000"
    assert format_clock(999_999_000_000) == "999.999"


@pytest.fixture(name="zone")
def set_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this machine be two hours east of Greenwich."""
    monkeypatch.setenv("TZ", "EAST-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
def test_a_moment_is_written_in_local_time() -> None:
    """The milliseconds are cut, not rounded; where the calendar ends, the zone is that of the moment."""
    moment = datetime(2026, 5, 25, 22, 24, 48, 123_999, tzinfo=UTC)
    assert format_time_of_day(moment) == "00:24:48.123"
    assert format_date_and_time(moment) == "2026-05-26 00:24:48.123 EAST"
    assert format_iso_time(moment) == "2026-05-25T22:24:48.123Z"
    assert format_iso_time(to_local_time(moment)) == "2026-05-26T00:24:48.123+02:00"
    assert format_date_and_time(datetime.max.replace(tzinfo=UTC)) == "9999-12-31 23:59:59.999 UTC"
