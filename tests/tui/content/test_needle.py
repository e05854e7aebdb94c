"""What is looked for in a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.tui.content.needle import NeedleError, needle


@pytest.mark.parametrize(
    ("wanted", "text", "found"),
    [
        ("hello", "Say HELLO twice", "HELLO"),
        ("Hello", "hello, Hello", "Hello"),
        ("a.c", "abc a.c", "a.c"),
        (r"/a.c/", "xAbC", "AbC"),
        (r"/\S+x/", "ABX abx", "ABX"),  # the capital of an escape asks for nothing
        ("/A./", "ab Ab", "Ab"),
        ("/", "1/2", "/"),
        ("/usr", "cd /usr", "/usr"),
        ("/[[x]/", "a[b", "["),  # Python warns that this might mean something else one day
    ],
)
def test_what_is_found(wanted: str, text: str, found: str) -> None:
    """Words as they stand or expressions between slashes; a capital asks for capitals."""
    match = needle(wanted).search(text)
    assert match is not None
    assert match.group() == found


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("/(/", "regex: missing ), unterminated subpattern at position 0"),
        ("//", "regex: nothing stands between the slashes"),
        ("/(?L)a/", "regex: bad inline flags: cannot use 'L' flag with a str pattern at position 3"),
        ("/a{99999999999}/", "regex: the repetition number is too large"),
        (f"/{'(' * 5000}{')' * 5000}/", "regex: nested too deeply"),
    ],
)
def test_what_is_no_expression_is_told(wanted: str, sentence: str) -> None:
    """The sentence says what is wrong, and where."""
    with pytest.raises(NeedleError) as caught:
        needle(wanted)
    assert str(caught.value) == sentence


@given(st.text(max_size=30) | st.text("/()[]{}*+?|\\^$.a1-<>=!#:", max_size=12).map("/{}/".format))
def test_any_text_can_be_looked_for_or_is_refused_with_a_sentence(text: str) -> None:
    """No text is a mistake of ours, and none warns."""
    try:
        needle(text).search(text)
    except NeedleError:
        assert text.startswith("/")
