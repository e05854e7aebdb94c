"""How a person sees what is wrong with a script."""

import pytest

from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.language.scanner import ScriptSyntaxError
from tui_ipc.text.safe_text import cell_width


def fault(text: str) -> ScriptSyntaxError:
    with pytest.raises(ScriptSyntaxError) as caught:
        parse_script(text, "talk.tipc")
    return caught.value


def test_an_error_shows_the_line() -> None:
    """The line is below the sentence, and a mark below the character."""
    _, shown, mark = str(fault('> 1\n\t> {"a": }')).split("\n")
    assert shown == '    2 | ␉> {"a": }'
    assert shown[mark.index("^")] == "}"


def test_the_mark_is_below_the_character_after_wide_ones_too() -> None:
    """What takes two columns, or none, is counted so."""
    _, shown, mark = str(fault('> {"日本e\u0301": }')).split("\n")
    assert cell_width(shown[: shown.index("}")]) == mark.index("^")


def test_an_error_shows_what_is_around_it() -> None:
    """A long line is cut on both sides of the fault."""
    _, shown, mark = str(fault("> [" + "1, " * 1000 + "!, " + "2, " * 1000)).split("\n")
    assert shown[mark.index("^")] == "!"
    assert len(shown) < 120
    assert shown.endswith("…")
    assert "| …" in shown


def test_an_error_is_safe_to_print() -> None:
    """A script from elsewhere cannot move the cursor."""
    assert "\x1b" not in str(fault("\x1b[2Jhello"))
