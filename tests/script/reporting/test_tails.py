"""The last that a child printed."""

from tests.script.fake_session import audit, printed
from tui_ipc.script.reporting.tails import LIMIT, Tails


def test_each_stream_has_its_own() -> None:
    """In lines, safe for whoever reads the report."""
    tails = Tails()
    for event in (printed(b"one\r\nt"), printed(b"\x1b[2J\xff\n", "stderr"), printed(b"wo"), audit()):
        tails.note(event)
    assert tails.text("stdout") == "one\ntwo"
    assert tails.text("stderr") == "\\u001b[2J\\xff\n"


def test_a_flood_leaves_its_end() -> None:
    """And how much is missing."""
    tails = Tails()
    for _ in range(3):
        tails.note(printed(b"x" * LIMIT))
    tails.note(printed(b"end"))
    told, _, text = tails.text("stdout").partition("\n")
    assert told == "(32 771 bytes before this are left out)"
    assert text == "x" * (LIMIT - 3) + "end"
