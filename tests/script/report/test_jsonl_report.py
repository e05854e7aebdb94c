"""What scripts do, as lines of JSON: what is documented of them."""

import asyncio
import json
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.outcome_strategies import FAILED, INTERRUPTED, NOT_RUN, PASSED, UNRECORDED, outcomes
from tests.support.scripted_session import printed, received
from tui_ipc import __version__
from tui_ipc.events import MessageReceived
from tui_ipc.events.json_form import SCHEMA_VERSION, line
from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.outcome import Outcome, Status
from tui_ipc.script.report.console import Console
from tui_ipc.script.report.jsonl_report import JsonlReporter

SCRIPT = parse_script("> x\n< y\nquit", "talk.tipc")
DOCUMENT = files("tui_ipc").joinpath("docs/RECORDING.md").read_text(encoding="utf-8")


def lines(place: Path, *told: Outcome) -> list[dict[str, Any]]:
    """All lines of scripts with these outcomes, each of which has two events."""

    async def main(console: Console) -> None:
        results = JsonlReporter(console)
        await results.begin([SCRIPT] * len(told))
        for outcome in told:
            if outcome.status is not Status.NOT_RUN:
                await results.begin_script(SCRIPT, ("./child", "-x"), 3)
                await results.tell(received({"a": 1}))
                await results.tell(printed(b"\xff"))
            await results.end_script(outcome)
        await results.end(told)

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
    assert told[2] == json.loads(line(received({"a": 1}))) | {"script": 1}


def test_an_end_tells_what_a_person_is_told(tmp_path: Path) -> None:
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
        "sentence": "another message came than expected",
        "details": [
            {"title": "expected", "text": '"y"'},
            {"title": "", "text": "~~~"},
            {"title": "stderr", "text": "one"},
            {"title": "stderr", "text": "\x1b[31mtwo"},
        ],
        "unclaimed": 0,
        "unexpected": [],
        "recording": "failures/add.rec",
    }
    assert (second["line"], second["sentence"]) == (None, "no room")
    assert (third["status"], third["code"]) == ("interrupted", 130)
    summary = told[-1]
    assert (summary["failed"], summary["interrupted"], summary["code"]) == (2, 1, 130)


def test_messages_that_no_step_took_are_told(tmp_path: Path) -> None:
    """The first of them, and how many there were."""
    message = received({"a": b"x"}, number=7)
    assert isinstance(message, MessageReceived)
    outcome = Outcome("a", Status.PASSED, unexpected=(message,), unclaimed=9)
    end = lines(tmp_path, outcome)[-2]
    assert (end["unclaimed"], end["unexpected"]) == (9, [{"number": 7, "text": '{"a": b"x"}'}])


def test_every_member_is_documented(tmp_path: Path) -> None:
    """In RECORDING.md, kind by kind, in their order."""
    rows = re.findall(
        r"^\| (scripts-begin|script-begin|script-end|summary) \| (.*) \|$", DOCUMENT, re.MULTILINE
    )
    documented = {
        kind: [part.partition(":")[0].strip() for part in re.split(r", (?!each)", members)]
        for kind, members in rows
    }
    told = lines(tmp_path, PASSED)
    for each in told:
        kind = each["event"]
        if "at" not in each:
            assert documented[kind] == [name for name in each if name not in ("schema", "event")]
    assert f"the version of what a line holds, now {SCHEMA_VERSION}." in DOCUMENT


@given(told=st.lists(outcomes(), max_size=3))
def test_whatever_was_said_each_line_is_json(told: Sequence[Outcome], tmp_path_factory: Any) -> None:
    """In ASCII, so that it steers no terminal; a lone surrogate included."""
    ends = [each for each in lines(tmp_path_factory.mktemp("x"), *told) if each["event"] == "script-end"]
    sentences = [each.sentence or each.complaint for each in told]
    assert [end["sentence"] for end in ends] == json.loads(json.dumps(sentences))  # joins pairs of surrogates
