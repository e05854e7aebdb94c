"""How numbers are written for people: counts, sizes and times, each with about three significant figures."""

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


def _format_scaled(number: int, scale: tuple[tuple[str, int], ...], unit: str) -> str:
    for name, factor in scale:
        if number >= factor:
            scaled = number / factor
            return f"{scaled:.1f} {name}" if scaled < 9.95 else f"{scaled:.0f} {name}"
    return f"{number} {unit}"
