"""The tables hold the figures of a run, and the documents those of the picture."""

from pathlib import Path

from tests.benchmarks.plot import figures_in, svg
from tests.benchmarks.table import bars, machine, medians, tables

ROOT = Path(__file__).parents[2]


def test_each_kind_of_work_has_a_row() -> None:
    """Each contender that was there has a column, and a dash where it does not do that work."""
    measured = {
        "round trip, 32 bytes": {"unit": "µs", "medians": {"bare socket pair": 9.0, "tui_ipc": 12.34}},
        "one way, 32 bytes": {"unit": "messages/s", "medians": {"tui_ipc, send_many": 2e6}},
    }
    assert medians(measured).splitlines() == [
        "| work | bare socket pair | tui_ipc | `send_many` |",
        "|---|---|---|---|",
        "| 32 B there and back | 9.0 µs | 12.3 µs | – |",
        "| 32 B one way | – | – | 2.0 M/s |",
    ]


def test_a_bar_that_does_not_hold_is_in_bold() -> None:
    """A reader sees it at once."""
    judged = [
        {"bar": "a ≤ 2 × b", "measured": 1.234, "holds": True},
        {"bar": "c ≥ 3", "measured": 2.5, "holds": False},
    ]
    assert bars(judged).splitlines()[2:] == ["| a ≤ 2 × b | 1.23 | yes |", "| c ≥ 3 | 2.50 | **no** |"]


def test_a_picture_carries_its_figures() -> None:
    """Whatever is in them."""
    assert figures_in(svg({}, "note", '{"a": "<b> & ]]>"}')) == {"a": "<b> & ]]>"}


def test_the_documents_have_the_figures_of_the_picture() -> None:
    """All three are of one run; the tables can be made again from the picture."""
    figures = figures_in((ROOT / "screenshots" / "speed.svg").read_text())
    assert f"{machine(figures)}\n\n{medians(figures['groups'])}\n" in (ROOT / "README.md").read_text()
    assert tables(figures) in (ROOT / "tests" / "benchmarks" / "README.md").read_text()
