"""The picture says what the figures say."""

from xml.etree import ElementTree

from tests.benchmarks.plot import Bar, groups, quantity, svg


def test_times_and_rates_are_both_times_for_a_message() -> None:
    """Half the time and twice the rate make bars of the same length, and the quickest stands first."""
    measured = {
        "round trip, 32 bytes": {"unit": "µs", "medians": {"multiprocessing.Pipe": 20.0, "tui_ipc": 10.0}},
        "one way, 32 bytes": {"unit": "messages/s", "medians": {"multiprocessing.Pipe": 5e5, "tui_ipc": 1e6}},
    }
    drawn = groups(measured)
    assert list(drawn) == ["32 B there and back", "32 B one way"]
    for bars in drawn.values():
        assert [(bar.name, bar.ratio, bar.ours) for bar in bars] == [
            ("tui_ipc", 0.5, True),
            ("multiprocessing.Pipe", 1.0, False),
        ]


def test_what_has_no_reference_is_not_drawn() -> None:
    """A group that was not measured, or not beside a Pipe, is left out."""
    assert groups({"round trip, 32 bytes": {"unit": "µs", "medians": {"tui_ipc": 10.0}}}) == {}


def test_figures_are_short() -> None:
    """A figure is written in the unit that makes it short."""
    assert [quantity(9.04, "µs"), quantity(1234.0, "µs"), quantity(583_000.0, "messages/s")] == [
        "9.0 µs",
        "1.2 ms",
        "583 k/s",
    ]


def test_the_picture_is_well_formed_whatever_a_name_is() -> None:
    """Names are text in the picture, never markup; a bar that is too long is cut, and its number is not."""
    picture = ElementTree.fromstring(svg({"<a> & 'b'": [Bar("</svg>", 12.5, "1 µs")]}, "<note>"))
    texts = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"<a> & 'b'", "</svg>", "12.50 ×", "<note>"} <= set(texts)
    widths = [float(bar.get("width", 0)) for bar in picture.iter("{http://www.w3.org/2000/svg}rect")]
    assert max(widths) < float(picture.get("width", 0))
