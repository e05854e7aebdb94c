"""The report that continuous integration reads: valid, whatever is in it, and with what a person needs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.script.junit_schema import validated
from tests.script.outcomes import FAILED, HOSTILE, INTERRUPTED, NOT_RUN, PASSED, REFUSED, UNRECORDED, outcomes
from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.reporting.junit import junit
from tui_ipc.script.reporting.outcome import Outcome, Status

BEGAN = datetime(2026, 11, 24, 5, 0, 1, 999_999, tzinfo=UTC)


def suite(*told: Outcome) -> Element:
    """The suite of a valid report."""
    root = validated(junit(told, BEGAN))
    [suite] = root
    assert {
        **root.attrib,
        "skipped": suite.get("skipped"),
        "timestamp": suite.get("timestamp"),
    } == suite.attrib
    return suite


def test_each_script_is_a_test() -> None:
    """In their order, and counted by what became of them."""
    made = suite(PASSED, FAILED, REFUSED, UNRECORDED, INTERRUPTED, NOT_RUN)
    assert made.attrib == {
        "name": "tui-ipc",
        "tests": "6",
        "failures": "1",
        "errors": "3",
        "skipped": "1",
        "time": "1.049",
        "timestamp": "2026-11-24T05:00:01",
    }
    assert [test.get("name") for test in made] == [
        "tests/talk.tipc", "tests/add.tipc", "no.tipc", "c.tipc", "d.tipc", "e.tipc",
    ]  # fmt: skip
    results = [[inner.tag for inner in test if inner.tag != "system-out"] for test in made]
    assert results == [[], ["failure"], ["error"], ["error"], ["error"], ["skipped"]]
    types = [test[0].get("type") for test in made][1:]
    assert types == ["unexpected", "no-handshake", "usage", "interrupted", "not-run"]
    messages = [test[0].get("message") for test in made][3:]
    assert messages == ["no room", "SIGINT came; the child was ended", "not run"]


@pytest.mark.parametrize("code", list(ExitCode)[1:])
def test_a_verdict_on_the_child_is_a_failure_and_all_else_an_error(code: ExitCode) -> None:
    """As in unit tests: a failure is an assertion's, an error is anybody's."""
    [[result]] = suite(Outcome("a", Status.FAILED, code, sentence="x"))
    assert (result.tag == "failure") == (code in (1, 4, 5))


def test_a_failure_has_its_story_and_what_the_child_printed() -> None:
    """Without colour; control characters are escaped, for XML has none."""
    [test] = suite(FAILED)
    assert test.attrib == {"name": "tests/add.tipc", "classname": "tests.add", "time": "1.000"}
    assert test[0].get("message") == "another message came than expected"
    assert (test[0].text or "").splitlines() == [
        "tests/add.tipc:2: another message came than expected",
        '  expected  "y"',
        "            ~~~",
        "  stderr    one",
        r"  stderr    \u001b[31mtwo",
        "tests/add.tipc: recorded in failures/add.rec; tui-ipc --replay failures/add.rec shows it",
        "tests/add.tipc: FAILED after 1 of 3 steps in 1.00 s",
    ]
    [passed] = suite(PASSED)
    assert [(inner.tag, inner.text) for inner in passed] == [("system-out", "hello\n")]


@pytest.mark.parametrize(
    ("name", "class_name"),
    [
        ("talk.tipc", "talk"),
        ("/abs/a b/talk.tipc", "abs.a b.talk"),
        ("../up/./talk", "up.talk"),
        ("standard input", "standard input"),
        ("..", ".."),
        ("a\tb\n", "a\\tb\\n"),
    ],
)
def test_a_scripts_class_is_its_path(name: str, class_name: str) -> None:
    """With dots, for readers make packages of what stands before them."""
    [test] = suite(Outcome(name, Status.PASSED))
    assert test.get("classname") == class_name
    assert test.get("name") == name.replace("\t", "\\t").replace("\n", "\\n")


@given(st.lists(outcomes(), max_size=3))
def test_whatever_was_said_the_report_is_valid(told: Sequence[Outcome]) -> None:
    """And counts what is in it."""
    made = suite(*told)
    tags = [inner.tag for test in made for inner in test]
    counts = {name: int(made.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {
        "tests": len(told),
        "failures": tags.count("failure"),
        "errors": tags.count("error"),
        "skipped": tags.count("skipped"),
    }


@given(HOSTILE)
def test_no_printable_text_is_changed(text: str) -> None:
    """What XML can hold comes out as it went in."""
    [test] = suite(Outcome("a", Status.PASSED, stdout=text))
    told = test[0].text if len(test) else ""
    if all(character.isprintable() or character in "\t\n" for character in text):
        assert told == text
    else:
        assert told is not None
        assert all(character.isprintable() or character in "\t\n" for character in told)
