"""Scripts of earlier days still run, and mean the same.

The corpus has each construct that scripts had on 2026-11-28, and some of later days. A script in it is never
changed; a new construct gets a script of its own.
"""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from tui_ipc.script import ExitCode
from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.language.steps import Expect, PlainStep, Repeat, Step
from tui_ipc.script.language.writer import write_script
from tui_ipc.text.placeholders import PLACEHOLDER_TYPES, iter_placeholders

CORPUS = Path(__file__).with_name("corpus")
FAILURES = {
    "difference": (ExitCode.UNEXPECTED, "difference.tipc:3: a different message came than expected"),
    "missing": (ExitCode.TIMED_OUT, "missing.tipc:3: no message came within 0.05 s"),
    "unexpected": (ExitCode.UNEXPECTED, "unexpected.tipc:3: a message came where none was expected"),
    "died": (ExitCode.CHILD_FAILED, "died.tipc:3: the child exited with code 3, and a message was expected"),
    "strict": (ExitCode.UNEXPECTED, "strict.tipc: 1 message came that no step took"),
    "ended": (ExitCode.UNEXPECTED, "ended.tipc:3: the child was ended by SIGKILL"),
}
PASSING = ("messages", "patterns", "blocks", "raw", "names", "conditions", "output")


def read_all_steps() -> list[Step]:
    steps: list[Step] = []
    for name in (*PASSING, *FAILURES):
        unseen = list(parse_script((CORPUS / f"{name}.tipc").read_text()).steps)
        while unseen:
            steps.append(unseen.pop())
            if isinstance(steps[-1], Repeat):
                unseen += steps[-1].steps
    return steps


def test_the_corpus_has_each_kind_of_step_and_placeholder() -> None:
    """A new kind of step needs a script here."""
    steps = read_all_steps()
    assert {type(step) for step in steps} == {*get_args(PlainStep), Repeat}
    placeholders = [
        each for step in steps if isinstance(step, Expect) for each in iter_placeholders(step.value)
    ]
    assert {type(each) for each in placeholders} == {*PLACEHOLDER_TYPES}


@pytest.mark.parametrize("name", [*PASSING, *FAILURES])
def test_a_script_means_what_it_meant(name: str) -> None:
    """Its steps, written in the one canonical way, are those that were written down then."""
    text = (CORPUS / f"{name}.tipc").read_text()
    assert write_script(parse_script(text)) == (CORPUS / f"{name}.steps").read_text()


@pytest.mark.parametrize("name", [*PASSING, *FAILURES])
def test_a_script_ends_as_it_ended(name: str) -> None:
    """With the same exit code, and a failure on the same line for the same reason."""
    code, sentence = FAILURES.get(name, (ExitCode.PASSED, f"{name}.tipc: "))
    command = [sys.executable, "-m", "tui_ipc", "--script", f"{name}.tipc", "--timeout", "20"]
    done = subprocess.run(
        [*command, "--", sys.executable, "child.py"],
        cwd=CORPUS,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert sentence in done.stderr
