"""How numbers are written for people: counts, sizes and times, each with about three significant figures."""

from datetime import datetime

_SIZES = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))
_TIMES = (("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000))


def format_count(number: int) -> str:
    """Write a whole number with its thousands apart: ``70 123 456``."""
    return f"{number:,}".replace(",", " ")


def format_plural(number: int, noun: str, nouns: str = "") -> str:
    """Write a number and what is counted: ``1 byte``, ``12 bytes``; ``nouns`` is an irregular plural."""
    return f"{format_count(number)} {noun if number == 1 else nouns or noun + 's'}"


def format_size(number: int) -> str:
    """Write a number of bytes: ``35 B``, ``1.2 KiB``, ``64 MiB``."""
    return _format_scaled(number, _SIZES, "B")


def format_duration(nanoseconds: int) -> str:
    """Write a span of time: ``850 ns``, ``61 µs``, ``4.2 ms``, ``12 s``."""
    return _format_scaled(nanoseconds, _TIMES, "ns")


def format_clock(nanoseconds: int) -> str:
    """Write a moment of the session in seconds, seven cells wide up to a quarter of an hour."""
    return f"{nanoseconds / 1e9:7.3f}"


def to_local_time(time: datetime) -> datetime:
    """Return a moment in the time zone of this machine; as it is if the calendar ends before that."""
    try:
        return time.astimezone()
    except (OverflowError, ValueError):
        return time


def format_iso_time(time: datetime) -> str:
    """Write a moment as ISO 8601 has it, with milliseconds: ``2026-05-25T15:24:48.123Z``."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def format_time_of_day(time: datetime) -> str:
    """Write the time of day here, twelve cells wide: ``17:24:48.123``."""
    return to_local_time(time).strftime("%H:%M:%S.%f")[:-3]


def format_date_and_time(time: datetime) -> str:
    """Write the date and the time of day here, with its zone: ``2026-05-25 17:24:48.123 CEST``."""
    local = to_local_time(time)
    return f"{local.date()} {format_time_of_day(local)} {local:%Z}"


def _format_scaled(number: int, scale: tuple[tuple[str, int], ...], unit: str) -> str:
    for name, factor in scale:
        if number >= factor:
            scaled = number / factor
            return f"{scaled:.1f} {name}" if scaled < 9.95 else f"{scaled:.0f} {name}"
    return f"{number} {unit}"
