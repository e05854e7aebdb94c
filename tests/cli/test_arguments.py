"""The arguments of the command line, understood."""

import re

import pytest

from tui_ipc.cli.arguments import exit_with_usage_error, parse_arguments
from tui_ipc.cli.options import UNLIMITED_SPEED
from tui_ipc.script import EXIT_CODE_MEANINGS
from tui_ipc.script.language.writer import GRAMMAR


def test_what_is_not_said_is_none() -> None:
    """So that it differs from what is given."""
    options = vars(parse_arguments([]))
    assert {name for name, value in options.items() if value not in (None, False)} == set()
    assert options["script"] is None
    assert parse_arguments(["--script"]).script == []


def test_everything_after_the_first_dashes_is_the_childs() -> None:
    """Options that look like ours, and further dashes."""
    options = parse_arguments(["--timeout", "1.5", "--", "./child", "--script", "--", "x"])
    assert options.command == ["./child", "--script", "--", "x"]
    assert (options.script, options.timeout) == (None, 1.5)


def test_what_may_be_repeated_adds_up() -> None:
    """Scripts and reports, in their order."""
    options = parse_arguments(
        ["--script", "a", "--report", "tap=x=y", "--script", "b", "-", "--report", "junit=-"]
    )
    assert options.script == ["a", "b", "-"]
    assert options.report == [("tap", "x=y"), ("junit", "-")]


def test_the_scripts_to_check_follow_either_option() -> None:
    """``--check`` is of use alone, and with ``--script`` wherever it is."""
    for words in (
        ["--check", "a", "b"],
        ["--script", "--check", "a", "b"],
        ["--script", "a", "b", "--check"],
    ):
        options = parse_arguments(words)
        assert (options.script, options.check is None) == (["a", "b"], False)
    assert parse_arguments(["--check", "b", "--script", "a"]).script == ["a", "b"]
    assert parse_arguments(["--script", "a"]).check is None


@pytest.mark.parametrize(
    ("text", "size"), [("1", 1), ("500k", 500 * 1024), ("256M", 256 << 20), ("2G", 2 << 30)]
)
def test_a_size_may_have_a_unit(text: str, size: int) -> None:
    """As the limit of a message."""
    assert parse_arguments(["--max-message-size", text]).max_message_size == size


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5M", "64MB", "x", "1 k"])
def test_a_size_that_is_none_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With an example of one."""
    with pytest.raises(SystemExit):
        parse_arguments([f"--max-message-size={text}"])
    assert f"invalid size {text!r}; give a number of bytes, such as 500k" in capsys.readouterr().err


def test_speed() -> None:
    """A number, or no pauses at all."""
    assert parse_arguments(["--replay", "x", "--speed", "0.5"]).speed == 0.5
    assert parse_arguments(["--replay", "x", "--speed", "max"]).speed == UNLIMITED_SPEED


@pytest.mark.parametrize("word", ["--scrip", "--reprot", "--record-failure", "--save-scrip", "--no-ptty"])
def test_a_mistyped_option_is_recognized(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Options are not guessed from their beginnings: what a script of CI says means the same for ever."""
    with pytest.raises(SystemExit):
        parse_arguments([word])
    assert re.search(rf"unknown option '{word}'; did you mean --[a-z-]+\?", capsys.readouterr().err)


def test_the_help_has_all_that_a_user_needs(capsys: pytest.CaptureFixture[str]) -> None:
    """The grammar whole, each exit code; and it fits 80 columns."""
    with pytest.raises(SystemExit) as end:
        parse_arguments(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert GRAMMAR in text
    assert all(f"  {code:<4} {meaning}\n" in text for code, meaning in EXIT_CODE_MEANINGS)
    assert max(map(len, text.splitlines())) <= 80


def test_a_refusal_looks_like_every_other(capsys: pytest.CaptureFixture[str]) -> None:
    """Also of what only turned out wrong later."""
    with pytest.raises(SystemExit) as end:
        exit_with_usage_error("no terminal")
    assert end.value.code == 2
    assert capsys.readouterr().err == "tui-ipc: no terminal\nTry 'tui-ipc --help'.\n"
