"""The grammar that a person reads is the one that is understood."""

import pytest

from tui_ipc.script.language import line_parser
from tui_ipc.script.language.parser import ScriptSyntaxError, parse
from tui_ipc.script.language.steps import GRAMMAR


def test_the_grammar_is_read_in_one_look() -> None:
    """It fits on a terminal of 80 columns, and is no longer than a page."""
    lines = GRAMMAR.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 32


def test_the_grammar_tells_every_step() -> None:
    """Whatever a line may begin with is in it, and nothing else."""
    told = {line.split()[0] for line in GRAMMAR.splitlines() if line.startswith("  ") and line[2] != " "}
    assert told == {*line_parser.MARK_PARSERS, *line_parser.WORD_PARSERS} - {"end"} | {
        "...",
        "/re/",
        "{{name}}",
    }


@pytest.mark.parametrize("word", ["500ms", "2s", "1.5s", "1m"])
def test_its_durations_are_durations(word: str) -> None:
    """What it shows can be typed as it is."""
    assert word in GRAMMAR
    assert parse(f"timeout {word}").steps


@pytest.mark.parametrize("line", [">raw 93 01 02", "signal SIGTERM", r'> b"\x00"', "expect stderr /re/"])
def test_its_examples_are_steps(line: str) -> None:
    """What it shows can be typed as it is."""
    assert all(word in GRAMMAR for word in line.split())
    assert parse(line).steps


def test_a_line_of_no_kind_is_told_all_kinds() -> None:
    """Whoever guesses wildly learns what there is."""
    with pytest.raises(ScriptSyntaxError) as caught:
        parse("xyzzy")
    assert all(
        f" {begin}" in caught.value.sentence
        for begin in (*line_parser.MARK_PARSERS, *line_parser.WORD_PARSERS)
    )
