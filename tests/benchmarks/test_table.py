"""The README's tables say what the figures say, and the README's figures are those of its picture."""

from pathlib import Path

from tests.benchmarks.plot import figures_in, svg
from tests.benchmarks.table import bars, medians, tables

ROOT = Path(__file__).parents[2]


def test_each_kind_of_work_has_a_row() -> None:
    """Each contender has a column, and a dash where it does not do that work."""
    measured = {
        "round trip, 32 bytes": {"unit": "µs", "medians": {"bare socket pair": 9.0, "tui_ipc": 12.34}},
        "one way, 32 bytes": {"unit": "messages/s", "medians": {"tui_ipc, send_many": 2e6}},
    }
    assert medians(measured).splitlines() == [
        "| work | bare socket pair | tui_ipc | `send_many` | `Pipe` | `Queue` | pyzmq | pynng |",
        "|---|---|---|---|---|---|---|---|",
        "| 32 B there and back | 9.0 µs | 12.3 µs | – | – | – | – | – |",
        "| 32 B one way | – | – | 2.0 M/s | – | – | – | – |",
    ]


def test_a_bar_that_does_not_hold_stands_out() -> None:
    """Nobody has to search for it."""
    judged = [
        {"bar": "a ≤ 2 × b", "measured": 1.234, "holds": True},
        {"bar": "c ≥ 3", "measured": 2.5, "holds": False},
    ]
    assert bars(judged).splitlines()[2:] == ["| a ≤ 2 × b | 1.23 | yes |", "| c ≥ 3 | 2.50 | **no** |"]


def test_a_picture_carries_its_figures() -> None:
    """Whatever is in them."""
    assert figures_in(svg({}, "note", '{"a": "<b> & ]]>"}')) == {"a": "<b> & ]]>"}


def test_the_readme_has_the_figures_of_its_picture() -> None:
    """Both are of one run; the tables can be made again from the picture."""
    figures = figures_in((ROOT / "screenshots" / "speed.svg").read_text())
    assert tables(figures) in (ROOT / "README.md").read_text()
