"""Steps: the grammar that people read names all of them, and each one's text reads back."""

from typing import get_args

import pytest
from hypothesis import given

from tests.support.script_strategies import durations
from tui_ipc.script.language import line_parser
from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.language.scanner import ScriptSyntaxError
from tui_ipc.script.language.steps import (
    Expect,
    ExpectOutput,
    PlainStep,
    Quit,
    Repeat,
    Script,
    Send,
    SendRaw,
    Signal,
    Spawn,
    Step,
    has_names,
)
from tui_ipc.script.language.writer import GRAMMAR, write_duration, write_script
from tui_ipc.text.placeholders import ANY_REST, Capture, Regex, Template


def test_the_grammar_is_read_in_one_look() -> None:
    """It fits on a terminal of 80 columns, and is no longer than a page."""
    lines = GRAMMAR.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 48


def test_the_grammar_names_every_step() -> None:
    """Whatever a line may begin with is in it, and nothing else."""
    told = {line.split()[0] for line in GRAMMAR.splitlines() if line.startswith("  ") and line[2] != " "}
    assert told == {*line_parser.MARK_PARSERS, *line_parser.WORD_PARSERS} - {"end"} | {
        "...",
        "/re/",
        "{{name}}",
        "{{name:",
        "int",
        "1..9",
        "length",
        "unordered",
        "each",
    }


@pytest.mark.parametrize("word", ["500ms", "2s", "1.5s", "1m"])
def test_its_durations_are_durations(word: str) -> None:
    """What it shows can be typed as it is."""
    assert word in GRAMMAR
    assert parse_script(f"timeout {word}").steps


@pytest.mark.parametrize("line", [">raw 93 01 02", "signal SIGTERM", r'> b"\x00"', "expect stderr /re/"])
def test_its_examples_are_steps(line: str) -> None:
    """What it shows can be typed as it is."""
    assert all(word in GRAMMAR for word in line.split())
    assert parse_script(line).steps


def test_an_unknown_line_is_answered_with_all_steps() -> None:
    """Whoever guesses wildly learns what there is."""
    with pytest.raises(ScriptSyntaxError) as caught:
        parse_script("xyzzy")
    assert all(
        f" {begin}" in caught.value.sentence
        for begin in (*line_parser.MARK_PARSERS, *line_parser.WORD_PARSERS)
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.5, "500ms"),
        (0.035, "35ms"),
        (0.0005, "0.5ms"),
        (1, "1s"),
        (2.0, "2s"),
        (1.5, "1.5s"),
        (90.0, "90s"),
        (120.0, "2m"),
        (86400.0, "1440m"),
        (1e-9, "0.000000001s"),
        (0.1 + 0.2, "0.30000000000000004s"),
    ],
)
def test_a_duration_is_written_as_a_person_would(seconds: float, text: str) -> None:
    """In the unit in which it is read at once, and exactly in any case."""
    assert write_duration(seconds) == text


@given(durations)
def test_a_duration_reads_back(seconds: float) -> None:
    """No step waits longer or shorter for having been saved."""
    (step,) = parse_script(f"sleep {write_duration(seconds)}").steps
    assert getattr(step, "seconds") == seconds  # noqa: B009


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (Spawn(("a b", "c")), "spawn 'a b' c"),
        (SendRaw(b"\x00\xff"), ">raw 00 ff"),
        (Expect(ANY_REST), "< ..."),
        (Expect("..."), '< "..."'),
        (Expect("/a/"), '< "/a/"'),
        (Expect(Regex("a/b"), 2.0, skipping=True), r"<~ /a\/b/ within 2s"),
        (ExpectOutput("stderr", Regex("\x1b\\/")), r"expect stderr /\x1b\//"),
        (Signal(9), "signal SIGKILL"),
        (Signal(40), "signal 40"),
    ],
)
def test_the_text_of_a_step(step: Step, text: str) -> None:
    """Names before numbers, quotes where a bare text might be something else."""
    assert write_script(Script("", (step,))) == f"{text}\n"


def test_blocks_are_written_with_their_steps_indented() -> None:
    """What a block holds is seen at once."""
    block = Repeat(2, (Repeat(3, (Send(1),)), Expect(2)))
    text = write_script(Script("", (block, Quit())))
    assert text == "repeat 2\n  repeat 3\n    > 1\n  end\n  < 2\nend\nquit\n"


def test_each_kind_of_step_is_written_and_read_back() -> None:
    """The script has one of each, so that a new kind of step has to be added to it."""
    text = """set name "value"
spawn ./child
timeout 2s
strict
> 1
>raw c1
< 2
<~ 3 within 1s
!<
expect stdout /x/
!expect stderr raw /x/ within 1s
sleep 10ms
signal SIGHUP
repeat 2
  > 4
  < 4 within 1ms..2s
end
? p99.5 < 20ms
quit
expect stderr empty
? exit 0
? clean
restart
? signal SIGTERM
"""
    script = parse_script(text)
    assert {type(step) for step in script.steps} == {*get_args(PlainStep), Repeat}
    assert write_script(script) == text


def test_whether_a_script_sends_names() -> None:
    """Wherever the step is."""
    assert not has_names((Send(1), Expect({"a": [Capture("x")]})))
    for named in Capture("x"), Template(("", "x", "")):
        assert has_names((Send(1), Repeat(2, (Repeat(2, (Send({"a": [named]}),)),))))
