"""Which known name is suggested for an unknown one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.text import find_similar, suggest_name


@pytest.mark.parametrize(
    ("name", "similar"),
    [
        ("theem", "theme"),
        ("THEME", "theme"),
        ("--timout", "--timeout"),
        ("SIGKIL", "SIGKILL"),
        ("sigkill", "SIGKILL"),
        ("xyz", ""),
        ("", ""),
    ],
)
def test_a_typing_error_is_recognised(name: str, similar: str) -> None:
    """Upper and lower case make no difference, and nothing is suggested that is not similar."""
    assert find_similar(name, ["theme", "--timeout", "SIGKILL"]) == similar
    assert suggest_name(name, ["theme", "--timeout", "SIGKILL"]) == (
        f"; did you mean {similar}?" if similar else ""
    )


@given(name=st.text(), known=st.lists(st.text()))
def test_what_is_suggested_is_known(name: str, known: list[str]) -> None:
    """Whatever was written."""
    assert find_similar(name, known) in {*known, ""}


def test_a_long_name_takes_no_time() -> None:
    """Only its beginning is compared."""
    assert find_similar("theme" * 1_000_000, ["theme"]) == ""
