"""How the text of a step is chosen, where there is a choice."""

import pytest
from hypothesis import given

from tests.support.script_strategies import durations
from tui_ipc.script.language.parser import (
    Expect,
    ExpectOutput,
    Quit,
    Repeat,
    Script,
    Send,
    SendRaw,
    Signal,
    Spawn,
    parse,
    write,
)
from tui_ipc.script.language.steps import Step
from tui_ipc.script.language.writer import write_duration
from tui_ipc.text.placeholders import ANY_REST, Regex


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
    (step,) = parse(f"sleep {write_duration(seconds)}").steps
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
        (ExpectOutput("stderr", "\x1b\\/"), r"expect stderr /\x1b\//"),
        (Signal(9), "signal SIGKILL"),
        (Signal(40), "signal 40"),
    ],
)
def test_the_text_of_a_step(step: Step, text: str) -> None:
    """Names before numbers, quotes where a bare text might be something else."""
    assert write(Script("", (step,))) == f"{text}\n"


def test_blocks_are_written_with_their_steps_indented() -> None:
    """What a block holds is seen at once."""
    block = Repeat(2, (Repeat(3, (Send(1),)), Expect(2)))
    text = write(Script("", (block, Quit())))
    assert text == "repeat 2\n  repeat 3\n    > 1\n  end\n  < 2\nend\nquit\n"


def test_what_is_no_step_cannot_be_written() -> None:
    """A step of another language is a mistake of the program, not of a person."""
    with pytest.raises(TypeError, match="no step of this language"):
        write(Script("", (Step(),)))
