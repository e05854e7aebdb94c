"""The report for ``prove`` and its like."""

import asyncio
import itertools
import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.junit_schema import validate_junit
from tests.support.outcome_strategies import (
    FAILED,
    FLAKY,
    HOSTILE,
    INTERRUPTED,
    NOT_RUN,
    PASSED,
    REFUSED,
    UNRECORDED,
    outcomes,
)
from tests.support.scripted_session import printed, received
from tests.support.tap_reader import read
from tui_ipc import __version__
from tui_ipc.events import MessageReceived
from tui_ipc.events.json_form import SCHEMA_VERSION, format_line
from tui_ipc.script import ExitCode
from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.outcome import Outcome, Status
from tui_ipc.script.output import Console
from tui_ipc.script.report.program_reports import JsonlReporter, format_github, format_junit, format_tap
from tui_ipc.text.safe_text import has_hidden, make_visible


def test_each_script_is_a_point() -> None:
    """With a diagnosis where it failed, every text of it quoted."""
    assert format_tap([PASSED, FAILED]).splitlines() == [
        "TAP version 13",
        "1..2",
        "ok 1 - tests/talk.tipc",
        "not ok 2 - tests/add.tipc",
        "  ---",
        '  message: "a different message came than expected"',
        "  at:",
        '    file: "tests/add.tipc"',
        "    line: 2",
        "  exit_code: 1",
        "  passed: 1",
        "  steps: 3",
        "  duration_ms: 1000.0",
        '  recording: "failures/add.rec"',
        "  details:",
        r'    expected: "\"y\""',
        "    stderr:",
        '      - "one"',
        '      - "␛[31mtwo"',
        "  ...",
    ]


def test_a_failure_without_a_line_names_none() -> None:
    """A failed handshake, and what was our fault."""
    refused, unrecorded = read(format_tap([REFUSED, UNRECORDED])).points
    assert "at" not in refused.diagnosis
    assert refused.diagnosis["message"] == "the child exited"
    assert unrecorded.diagnosis["message"] == "no room"


def test_an_interruption_bails_out() -> None:
    """At the script that it ended; the plan still counts those that were not run."""
    made = read(format_tap([PASSED, INTERRUPTED, NOT_RUN]))
    assert (made.planned, [point.passed for point in made.points]) == (3, [True, False])
    assert made.bailed_out == "SIGINT came; the child was ended"


def test_what_was_not_run_is_skipped() -> None:
    """Where no interruption tells it: our output was lost, for instance."""
    [point] = read(format_tap([NOT_RUN])).points
    assert (point.passed, point.skipped, point.description) == (True, True, "e.tipc")


def test_a_name_never_becomes_a_directive() -> None:
    """Whatever the file is called."""
    text = format_tap([Outcome("a # SKIP \\# x.tipc", Status.PASSED)])
    assert "ok 1 - a \\# SKIP \\\\\\# x.tipc" in text
    [point] = read(text).points
    assert (point.skipped, point.description) == (False, "a # SKIP \\# x.tipc")


@given(st.lists(outcomes(), max_size=4))
def test_any_report_can_be_read_back(told: Sequence[Outcome]) -> None:
    """And says which passed."""
    made = read(format_tap(told))
    reported = [*itertools.takewhile(lambda each: each.status is not Status.INTERRUPTED, told)]
    reported += told[len(reported) :][:1]
    assert made.planned == len(told)
    assert len(made.points) == len(reported)
    for point, outcome in zip(made.points, reported, strict=True):
        skipped = outcome.status is Status.NOT_RUN
        assert (point.passed, point.skipped) == (skipped or not outcome.code, skipped)
        assert bool(point.diagnosis) == (not point.passed)
        if point.diagnosis:
            assert point.diagnosis["message"] == make_visible(outcome.reason)
            titles = {make_visible(title) for title, _ in outcome.details if title}
            assert set(point.diagnosis.get("details", {})) == titles


BEGAN = datetime(2026, 11, 24, 5, 0, 1, 999_999, tzinfo=UTC)


def find_cases(*told: Outcome) -> list[Element]:
    """The tests of a valid report."""
    return list(validate_junit(format_junit(told, BEGAN)).iter("testcase"))


def test_each_script_is_a_test_of_a_suite_that_names_file_and_line() -> None:
    """In their order, and counted by what became of them."""
    root = validate_junit(format_junit([PASSED, FAILED, REFUSED, UNRECORDED, INTERRUPTED, NOT_RUN], BEGAN))
    totals = {"name": "tui-ipc", "tests": "6", "failures": "1", "errors": "3", "time": "1.049"}
    assert root.attrib == totals
    names = ["tests/talk.tipc", "tests/add.tipc", "no.tipc", "c.tipc", "d.tipc", "e.tipc"]
    assert [suite.get("file") for suite in root] == [suite.get("name") for suite in root] == names
    assert root[1].attrib == {
        "name": "tests/add.tipc",
        "tests": "1",
        "failures": "1",
        "errors": "0",
        "skipped": "0",
        "time": "1.000",
        "timestamp": "2026-11-24T05:00:01",
        "file": "tests/add.tipc",
    }
    lines = {suite.get("name"): suite.find("properties/property[@name='line']") for suite in root}
    assert {name: line.get("value") for name, line in lines.items() if line is not None} == {
        "tests/add.tipc": "2",
        "d.tipc": "1",
    }
    made = list(root.iter("testcase"))
    assert [test.get("name") for test in made] == names
    results = [[inner.tag for inner in test if inner.tag != "system-out"] for test in made]
    assert results == [[], ["failure"], ["error"], ["error"], ["error"], ["skipped"]]
    types = [test[0].get("type") for test in made][1:]
    assert types == ["unexpected", "no-handshake", "usage", "interrupted", "not-run"]
    messages = [test[0].get("message") for test in made][3:]
    assert messages == ["no room", "SIGINT came; the child was ended", "not run"]


@pytest.mark.parametrize("code", list(ExitCode)[1:])
def test_a_verdict_on_the_child_is_a_failure_and_all_else_an_error(code: ExitCode) -> None:
    """As in unit tests: a failure is an assertion's, an error is anybody's."""
    [[result]] = find_cases(Outcome("a", Status.FAILED, code, sentence="x"))
    assert (result.tag == "failure") == (code in (1, 4, 5))


def test_a_failure_has_its_story_and_what_the_child_printed() -> None:
    """Without colour; control characters are escaped, for XML has none."""
    [test] = find_cases(FAILED)
    assert test.attrib == {"name": "tests/add.tipc", "classname": "tests.add", "time": "1.000"}
    assert test[0].get("message") == "a different message came than expected"
    assert (test[0].text or "").splitlines() == [
        "tests/add.tipc:2: a different message came than expected",
        '  expected  "y"',
        "            ~~~",
        "  stderr    one",
        "  stderr    ␛[31mtwo",
        "tests/add.tipc: recorded in failures/add.rec; tui-ipc --replay failures/add.rec shows it",
        "tests/add.tipc: FAILED after 1 of 3 steps in 1.00 s",
    ]
    [passed] = find_cases(PASSED)
    assert [(inner.tag, inner.text) for inner in passed] == [("system-out", "hello\n")]


@pytest.mark.parametrize(
    ("name", "class_name"),
    [
        ("talk.tipc", "talk"),
        ("/abs/a b/talk.tipc", "abs.a b.talk"),
        ("../up/./talk", "up.talk"),
        ("standard input", "standard input"),
        ("..", ".."),
        ("a\tb\n", "a␉b␊"),
    ],
)
def test_a_scripts_class_is_its_path(name: str, class_name: str) -> None:
    """With dots: readers take the part before the last one for a package."""
    [test] = find_cases(Outcome(name, Status.PASSED))
    assert test.get("classname") == class_name
    assert test.get("name") == make_visible(name)


@given(st.lists(outcomes(), max_size=3))
def test_any_junit_report_is_valid(told: Sequence[Outcome]) -> None:
    """And counts what is in it."""
    root = validate_junit(format_junit(told, BEGAN))
    tags = [inner.tag for test in root.iter("testcase") for inner in test]
    counts = {name: int(root.attrib[name]) for name in ("tests", "failures", "errors")}
    assert counts == {
        "tests": len(told),
        "failures": tags.count("failure"),
        "errors": tags.count("error"),
    }
    assert sum(int(suite.attrib["skipped"]) for suite in root) == tags.count("skipped")


@given(HOSTILE)
def test_no_printable_text_is_changed(text: str) -> None:
    """What XML can hold comes out as it went in."""
    [test] = find_cases(Outcome("a", Status.PASSED, stdout=text))
    told = test[0].text if len(test) else ""
    if not has_hidden(_without_blanks(text)):
        assert told == text
    else:
        assert told is not None
        assert not has_hidden(_without_blanks(told))


def _without_blanks(text: str) -> str:
    return text.replace("\t", "").replace("\n", "")


SCRIPT = parse_script("> x\n< y\nquit", "talk.tipc")
DOCUMENT = files("tui_ipc").joinpath("docs/RECORDING.md").read_text(encoding="utf-8")


def lines(place: Path, *told: Outcome) -> list[dict[str, Any]]:
    """All lines of scripts with these outcomes, each of which has two events."""

    async def main(console: Console) -> None:
        results = JsonlReporter(console)
        await results.begin([SCRIPT.name] * len(told))
        for number, outcome in enumerate(told, 1):
            for attempt in outcome.failed_attempts:
                await results.retry_script(number, attempt, "retry")
            if outcome.status is not Status.NOT_RUN:
                await results.begin_script(number, SCRIPT, ("./child", "-x"), 3)
                await results.report_event(received({"a": 1}))
                await results.report_event(printed(b"\xff"))
            await results.end_script(number, outcome)
        await results.end(told, 1.5)

    file = place / "stdout"
    with file.open("w", encoding="ascii") as stdout:
        asyncio.run(main(Console(stdout, None, {})))
    return [json.loads(text) for text in file.read_text(encoding="ascii").splitlines()]


def test_a_reader_knows_at_each_line_what_it_belongs_to(tmp_path: Path) -> None:
    """Each script has its number, also the one that was not run."""
    told = lines(tmp_path, PASSED, FAILED, NOT_RUN)
    assert [(each["event"], each.get("script")) for each in told] == [
        ("scripts-begin", None),
        ("script-begin", 1),
        ("message-received", 1),
        ("child-output", 1),
        ("script-end", 1),
        ("script-begin", 2),
        ("message-received", 2),
        ("child-output", 2),
        ("script-end", 2),
        ("script-end", 3),
        ("summary", None),
    ]
    assert {each["schema"] for each in told} == {SCHEMA_VERSION}
    assert told[0]["program"] == f"tui-ipc {__version__}"
    assert (told[1]["command"], told[1]["steps"]) == (["./child", "-x"], 3)
    assert told[2] == json.loads(format_line(received({"a": 1}))) | {"script": 1}


def test_a_script_end_has_what_people_see(tmp_path: Path) -> None:
    """Where, what, and what helps to understand it."""
    told = lines(tmp_path, FAILED, UNRECORDED, INTERRUPTED)
    first, second, third = (each for each in told if each["event"] == "script-end")
    assert first | {"schema": 0} == {
        "schema": 0,
        "event": "script-end",
        "script": 1,
        "name": "tests/add.tipc",
        "status": "failed",
        "code": 1,
        "steps": 3,
        "passed": 1,
        "seconds": 1.0,
        "line": 2,
        "sentence": "a different message came than expected",
        "details": [
            {"title": "expected", "text": '"y"'},
            {"title": "", "text": "~~~"},
            {"title": "stderr", "text": "one"},
            {"title": "stderr", "text": "\x1b[31mtwo"},
        ],
        "unclaimed": 0,
        "unexpected": [],
        "recording": "failures/add.rec",
        "attempts": 1,
    }
    assert (second["line"], second["sentence"]) == (None, "no room")
    assert (third["status"], third["code"]) == ("interrupted", 130)
    summary = told[-1]
    assert (summary["failed"], summary["interrupted"], summary["code"]) == (2, 1, 130)


def test_unclaimed_messages_are_reported(tmp_path: Path) -> None:
    """The first of them, and how many there were."""
    message = received({"a": b"x"}, number=7)
    assert isinstance(message, MessageReceived)
    outcome = Outcome("a", Status.PASSED, unexpected=(message,), unclaimed=9)
    end = lines(tmp_path, outcome)[-2]
    assert (end["unclaimed"], end["unexpected"]) == (9, [{"number": 7, "text": '{"a": b"x"}'}])


def test_every_member_is_documented(tmp_path: Path) -> None:
    """In RECORDING.md, kind by kind, in their order."""
    kinds = "scripts-begin|script-begin|script-end|summary"
    rows = re.findall(rf"^\| ({kinds}) \| (.*) \|$", DOCUMENT, re.MULTILINE)
    documented = {
        kind: [part.partition(":")[0].strip() for part in re.split(r", (?!each)", members)]
        for kind, members in rows
    }
    told = lines(tmp_path, FLAKY)
    documented["script-retry"] = documented["script-end"]
    for each in told:
        kind = each["event"]
        if "at" not in each:
            assert documented[kind] == [name for name in each if name not in ("schema", "event")]
    assert f"the version of what a line holds, now {SCHEMA_VERSION}." in DOCUMENT


@given(told=st.lists(outcomes(), max_size=3))
def test_each_line_is_json_whatever_is_in_it(told: Sequence[Outcome], tmp_path_factory: Any) -> None:
    """In ASCII, so that it steers no terminal; a lone surrogate included."""
    ends = [each for each in lines(tmp_path_factory.mktemp("x"), *told) if each["event"] == "script-end"]
    sentences = [each.sentence or each.complaint for each in told]
    assert [end["sentence"] for end in ends] == json.loads(json.dumps(sentences))  # joins pairs of surrogates


def test_a_flaky_script_is_named_in_every_report(tmp_path: Path) -> None:
    """It passed; Jenkins reads the failure before as Maven's Surefire writes it."""
    point, note = format_tap([FLAKY]).splitlines()[2:]
    assert point == "ok 1 - f.tipc"
    assert note.startswith("# flaky: passed at attempt 2, after: tests/add.tipc:2: a different message")
    root = validate_junit(format_junit([FLAKY, replace(FAILED, failed_attempts=(FAILED,))], BEGAN))
    assert [(each.tag, each.get("type")) for each in root.iter() if each.get("type")] == [
        ("flakyFailure", "unexpected"),
        ("failure", "unexpected"),
        ("rerunFailure", "unexpected"),
    ]
    *_, retry, _, _, _, end, summary = lines(tmp_path, FLAKY)
    assert (retry["event"], retry["script"], retry["status"]) == ("script-retry", 1, "failed")
    assert (end["status"], end["attempts"], end["code"]) == ("flaky", 2, 0)
    assert (summary["flaky"], summary["passed"], summary["seconds"]) == (1, 0, 1.5)


def test_unclaimed_messages_are_counted_in_every_report() -> None:
    """Of a script that passed, too."""
    outcome = replace(PASSED, unclaimed=2)
    assert "# 2 messages came that no step took" in format_tap([outcome]).splitlines()
    [test] = find_cases(outcome)
    assert test.findtext("system-err") == "2 messages came that no step took"


def test_annotations_name_file_and_line_where_github_looks_for_them() -> None:
    """Relative to the repository; what has a meaning there is escaped, and each is one line."""
    failed = replace(FAILED, name="a,b:%.tipc", column=4, sentence="5 % differ\n::stop-commands::x")
    error, warning = format_github([PASSED, failed, FLAKY, NOT_RUN], None).splitlines()
    location, _, text = error.removeprefix("::error ").partition("::")
    assert location == (
        "file=a%2Cb%3A%25.tipc,line=2,col=4,title=a%2Cb%3A%25.tipc%3A 5 %25 differ␊%3A%3Astop-commands%3A%3Ax"
    )
    assert text.startswith("a,b:%25.tipc:2:4: 5 %25 differ␊::stop-commands::x%0A  expected")
    assert warning.startswith("::warning file=tests/add.tipc,line=2,title=")
    assert "::flaky: passed at attempt 2, after: tests/add.tipc:2: " in warning
    here = os.getcwd()
    assert ",".join(format_github([FAILED], os.path.dirname(here)).split(",")[:1]) == (
        f"::error file={os.path.basename(here)}/tests/add.tipc"
    )
    assert format_github([FAILED], "/elsewhere").startswith("::error file=tests/add.tipc,")


@given(st.lists(outcomes(), max_size=3))
def test_each_annotation_is_one_line(told: Sequence[Outcome]) -> None:
    """Whatever is in it."""
    text = format_github(told, None)
    assert all(re.match("::(error|warning) file=", line) for line in text.splitlines())
    assert not has_hidden(text.replace("\n", ""))
