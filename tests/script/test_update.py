"""Expectations rewritten by what came: what changes, and all that does not."""

import stat
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.command_line import TUI_IPC, python
from tests.support.message_strategies import arrived, keys, values
from tui_ipc.ipc.wire import NESTING_LIMIT
from tui_ipc.script.files import UnwritableScriptError
from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.language.steps import Expect, Script
from tui_ipc.script.language.values import render_pattern
from tui_ipc.script.outcome import Outcome, Status
from tui_ipc.script.update import LearnedPatterns, merge_pattern, rewrite_expectations, update_script_file
from tui_ipc.text.conditions import IsType
from tui_ipc.text.notation import render_value
from tui_ipc.text.pattern_match import find_difference
from tui_ipc.text.placeholders import ANY_REST, ANY_VALUE, Capture, Regex, Template

placeholders = st.one_of(
    st.sampled_from((ANY_REST, ANY_VALUE, Regex("a|b"), Regex("^"), Template(("x", "known", "")))),
    st.sampled_from("xyz").map(Capture),
    st.just(Capture("_", (("",), (0, IsType("int"))))),
)


def one_rest(items: list[Any]) -> list[Any]:
    """An array has at most one ``...``."""
    return [item for place, item in enumerate(items) if item is not ANY_REST or ANY_REST not in items[:place]]


patterns: st.SearchStrategy[Any] = st.recursive(
    values | placeholders,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(one_rest),
        st.dictionaries(keys, inner, max_size=4),
        st.dictionaries(keys, inner, max_size=3).map(lambda entries: {ANY_REST: ANY_REST, **entries}),
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("pattern", "received", "merged"),
    [
        (5, 6, 6),
        (5, "5", "5"),
        (ANY_REST, 6, ANY_REST),
        (Regex("^a"), "abc", Regex("^a")),
        (Regex("^a"), "cba", "cba"),
        (Capture("h"), [1], Capture("h")),
        ([1, ANY_REST, 3], [1, 2, 4], [1, ANY_REST, 4]),
        ([1, ANY_REST, 3], [2], [2, ANY_REST]),
        ([ANY_REST, 3], [], [ANY_REST]),
        ([1, 2, 3], [1, 5], [1, 5]),
        ([Regex("a"), 2], ["a", 3, 4], [Regex("a"), 3, 4]),
        ({"a": 1, "b": Capture("h")}, {"b": 2, "a": 2}, {"a": 2, "b": Capture("h")}),
        ({"a": 1, "b": 2}, {"c": 3, "b": 2}, {"b": 2, "c": 3}),
        ({ANY_REST: ANY_REST, "a": 1, "b": 2}, {"c": 3, "b": 5}, {ANY_REST: ANY_REST, "b": 5}),
        ({"a": {"b": [ANY_REST]}}, {"a": 5}, {"a": 5}),
        ([Capture("h"), Capture("h")], [1, 2], [Capture("h"), 2]),
        (Capture("known"), 2, 2),
        (Capture("known"), 1, Capture("known")),
        ({1: "a"}, {True: "b"}, {True: "b"}),
    ],
    ids=render_value,
)
def test_a_pattern_changes_only_where_it_was_not_met(pattern: Any, received: Any, merged: Any) -> None:
    """Holes that were met stay, and the order of keys."""
    found, _ = merge_pattern(pattern, received, {"known": 1})
    assert render_value(found) == render_value(merged)


@given(patterns, values.map(arrived))
def test_a_merged_pattern_is_met_and_then_stays(pattern: Any, received: Any) -> None:
    """By what came; merging again changes nothing, and names what it captures."""
    merged, captured = merge_pattern(pattern, received, {"x": 1})
    assert find_difference(merged, received, {"x": 1}) is None
    assert merge_pattern(merged, received, {"x": 1}) == (merged, captured)


@given(patterns, values.map(arrived))
def test_merging_changes_neither_side(pattern: Any, received: Any) -> None:
    """Both may be in use elsewhere."""
    before = render_value(pattern), render_value(received)
    merge_pattern(pattern, received, {})
    assert (render_value(pattern), render_value(received)) == before


def test_a_pattern_as_deep_as_messages_go_is_merged() -> None:
    """Nothing recurses."""
    pattern: Any = 1
    received: Any = 2
    for _ in range(NESTING_LIMIT):
        pattern, received = [pattern, ANY_REST], [received]
    merged, _ = merge_pattern(pattern, received, {})
    assert render_value(merged) == "[" * NESTING_LIMIT + "2" + ", ...]" * NESTING_LIMIT


def test_a_capture_works_in_a_message_that_differs() -> None:
    """Later lines may use it."""
    assert merge_pattern({"id": Capture("h"), "n": 1}, {"id": 7, "n": 2}, {})[1] == {"h": 7}


def test_rounds_that_agree_are_learned_from() -> None:
    """As one expectation."""
    changes: dict[int, Any] = {}
    learned = LearnedPatterns(changes)
    step = Expect([1, ANY_REST], line=4)
    assert learned.learn(step, [2], {}) == {}
    assert learned.learn(step, [2, 5], {}) == {}
    assert changes == {4: [2, ANY_REST]}


@pytest.mark.parametrize("rounds", [(1, 2), (2, 1), (2, 3)])
def test_rounds_that_differ_are_reported(rounds: tuple[int, int]) -> None:
    """No value is right for both, whichever of them was expected."""
    learned = LearnedPatterns({})
    step = Expect(1, line=4)
    assert learned.learn(step, rounds[0], {}) == {}
    assert learned.learn(step, rounds[1], {}) is None


def changed(text: str, changes: dict[int, Any]) -> str:
    return rewrite_expectations(text, parse_script(text), changes)


def test_only_the_value_of_a_line_changes() -> None:
    """Indentation, spaces, comments, the end of the line and other lines stay as they are."""
    text = '# head\r\n  >  "a"\t# sent\r\n\t<   {"n":1}   within 2s  # due\r\n\r\n<~ [1]# more\nquit'
    text = text.replace("[1]#", "[1] #")
    after = changed(text, {3: {"n": 2}, 5: [2, ANY_REST]})
    assert after == text.replace('{"n":1}', '{"n": 2}').replace("[1]", "[2, ...]")


def test_the_first_line_may_begin_with_a_byte_order_mark() -> None:
    """Which counts as no column, and stays."""
    assert changed("\ufeff< 1\nquit\n", {1: 2}) == "\ufeff< 2\nquit\n"


def test_a_line_in_a_block_changes() -> None:
    """However deep it is."""
    text = "repeat 2\n  repeat 3\n    > 1\n    < 1 # one\n  end\nend\n"
    assert changed(text, {4: 2}) == text.replace("< 1", "< 2")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("Hello", "Good bye", "< Good bye"),
        ('"Hello"', "Good bye", '< "Good bye"'),
        ("Hello", "42", '< "42"'),
        ("Hello", " padded ", '< " padded "'),
        ("Hello", "within 2s", '< "within 2s"'),
        ("Hello", "a # b", '< "a # b"'),
        ("Hello", "two\nlines", '< "two\\nlines"'),
        ("Hello", "", '< ""'),
        ("Hello", "...", '< "..."'),
        ("Hello", "/re/", '< "/re/"'),
        ("Hello", 5, "< 5"),
    ],
)
def test_a_string_stays_without_quotes_where_that_can_be(old: str, new: Any, line: str) -> None:
    """Else it gets them."""
    after = changed(f"< {old}\n", {1: new})
    assert after == f"{line}\n"
    (step,) = parse_script(after).steps
    assert isinstance(step, Expect)
    assert render_value(step.value) == render_value(new)


def test_a_name_stays_even_if_its_condition_is_not_met() -> None:
    """Lines below may use it."""
    pattern = [Capture("id", ((IsType("int"),),)), Capture("_", ((IsType("int"),),))]
    assert merge_pattern(pattern, ["a", "b"], {}) == ([Capture("id"), "b"], {"id": "a"})
    assert merge_pattern(pattern, ["a", 1], {"id": 5})[0] == ["a", pattern[1]]


def test_conditions_that_are_met_stay() -> None:
    """Whatever else in the message changes."""
    pattern_text = '{"id": {{id: int 1..}}, "of": {{_: each {"x": {{_: 1|2}} } }}, "{{a}}": "{{a}}", "n": 1}'
    text = f"set a b\n< {pattern_text}\n"
    script = parse_script(text)
    expected = script.steps[1]
    assert isinstance(expected, Expect)
    received = {"id": 7, "of": [{"x": 2}], "b": "b", "n": "{{a}}"}
    pattern, captured = merge_pattern(expected.value, received, {"a": "b"})
    after = rewrite_expectations(text, script, {2: pattern})
    rewritten = pattern_text.replace('"n": 1', r'"n": "\u007b{a}}"').replace("1|2}} } }}", "1 | 2}}}}}")
    assert after == f"set a b\n< {rewritten}\n"
    assert captured == {"id": 7}
    assert parse_script(after).steps[1] == replace(expected, value=pattern)


@given(st.lists(st.tuples(patterns, values.map(arrived)), min_size=1, max_size=4))
def test_a_rewritten_script_is_met_and_stays(pairs: list[tuple[Any, Any]]) -> None:
    """Its expectations are those that were learned; to learn again changes no byte."""
    text = "".join(f"< {render_pattern(pattern)}  # {place}\n" for place, (pattern, _) in enumerate(pairs))
    after = learn(text, parse_script(text, variables=KNOWN), [received for _, received in pairs])
    assert learn(after, parse_script(after, variables=KNOWN), [received for _, received in pairs]) == after


def learn(text: str, script: Script, received: list[Any]) -> str:
    """The text once these messages came, one after the other."""
    changes: dict[int, Any] = {}
    learned = LearnedPatterns(changes)
    known: dict[str, Any] = {**KNOWN}
    for step, message in zip(script.steps, received, strict=True):
        assert isinstance(step, Expect)
        captured = learned.learn(step, message, known)
        assert captured is not None
        known |= captured
    return rewrite_expectations(text, script, changes)


KNOWN = {"known": "x{{known}}y"}

COUNTS = """
from tui_ipc.child import serve
said = []
def answer(message):
    said.append(message)
    return {"n": len(said), "echo": message, "extra": [1, 2]}
serve(answer)
"""

EXITS = """
import os, signal, sys
from tui_ipc.child import serve
def answer(message):
    if message == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if message == "exit":
        os._exit(7)
    while True:
        signal.pause()
serve(answer)
sys.exit(7)
"""

OUTDATED = """\
# what the counter says
timeout 20s    # it may be slow
> "a"
<  {"n": 7, "echo": /a/, ...}   within 10s  # the first
> "b"
<~ {"echo": "b", "n": {{second}}, ...}
> {"again": {{second}}}
\t< {"n":3,"echo":{"again":{{second}}},"more":true} # the third
> bare
< Hello
quit
? exit 0
"""

CURRENT = (
    OUTDATED.replace('{"n": 7,', '{"n": 1,')
    .replace(
        '{"n":3,"echo":{"again":{{second}}},"more":true}',
        '{"n": 3, "echo": {"again": {{second}}}, "extra": [1, 2]}',
    )
    .replace("< Hello", '< {"n": 4, "echo": "bare", "extra": [1, 2]}')
)


def update(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*TUI_IPC, "--update", "--script", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_did_not_match_is_rewritten_and_nothing_else(tmp_path: Path) -> None:
    """The script passes then, and passing again changes no byte; permissions stay."""
    child = python(tmp_path / "counts.py", COUNTS)
    file = tmp_path / "talk.tipc"
    file.write_text(OUTDATED)
    file.chmod(0o640)
    done = update(str(file), "--", *child)
    assert done.returncode == 0, done.stderr
    assert f"{file}: lines 4, 8 and 10 rewritten\n" in done.stderr
    assert file.read_text() == CURRENT
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    before = file.stat()
    done = update(str(file), "--", *child)
    assert (done.returncode, "rewritten" in done.stderr) == (0, False)
    assert (file.read_text(), file.stat().st_mtime_ns) == (CURRENT, before.st_mtime_ns)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("> 1\n< 2\n< 3 within 100ms\n", 4, "no message came within 0.1 s"),
        ("> 1\n< 2\n? exit 0\n", 4, "the child did not end"),
        ("> 1\n< 2\n> {{name}}\n", 2, "name"),
        ("repeat 2\n> 1\n< 2\nend\n", 1, "what comes here differs between the rounds of its repeat"),
        ('> 1\n< {"handle": {{h}}}\n> {{h}}\n< ...\n', 1, "nothing is named h yet"),
    ],
    ids=["timeout", "does not end", "syntax", "rounds disagree", "capture lost"],
)
def test_a_script_that_fails_otherwise_is_left_alone(text: str, code: int, said: str, tmp_path: Path) -> None:
    """With the code of that failure."""
    file = tmp_path / "talk.tipc"
    file.write_text(text)
    done = update(str(file), "--timeout", "2", "--", *python(tmp_path / "counts.py", COUNTS))
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert file.read_text() == text
    assert code == 2 or f"{file}: not rewritten, as it did not pass\n" in done.stderr


@pytest.mark.parametrize("said", ["quit", "exit"])
def test_an_exit_code_is_rewritten(said: str, tmp_path: Path) -> None:
    """That of a child which was reported to quit, or ended by itself."""
    child = python(tmp_path / "exits.py", EXITS)
    file = tmp_path / "talk.tipc"
    file.write_text(f"> {said}\n?  exit   0 # fine\n? clean\n")
    done = update(str(file), "--", *child)
    assert done.returncode == 0, done.stderr
    assert file.read_text() == f"> {said}\n?  exit   7 # fine\n? clean\n"
    assert update(str(file), "--", *child).returncode == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("> die\n? exit 0\n", "was ended by SIGKILL"),
        ("> die\n? signal SIGTERM\n", "was ended by SIGKILL"),
        ("> stay\nquit\n? exit 0\n", "SIGTERM"),
    ],
)
def test_a_child_that_was_killed_is_a_failure(text: str, said: str, tmp_path: Path) -> None:
    """Nobody wants that to become what is expected."""
    file = tmp_path / "talk.tipc"
    file.write_text(text)
    done = update(str(file), "--", *python(tmp_path / "exits.py", EXITS))
    assert done.returncode in (1, 5), done.stderr
    assert said in done.stderr
    assert file.read_text() == text


def test_each_of_several_scripts_is_rewritten_for_itself(tmp_path: Path) -> None:
    """One that fails keeps no other from it."""
    child = python(tmp_path / "counts.py", COUNTS)
    good, bad = tmp_path / "good.tipc", tmp_path / "bad.tipc"
    good.write_text("> 1\n< 1\n")
    bad.write_text("< 1 within 100ms\n")
    done = update(str(bad), str(good), "--", *child)
    assert done.returncode == 4
    assert good.read_text() == '> 1\n< {"n": 1, "echo": 1, "extra": [1, 2]}\n'
    assert bad.read_text() == "< 1 within 100ms\n"


def passed(**updates: Any) -> Outcome:
    changes = {int(line.removeprefix("line")): value for line, value in updates.items()}
    return Outcome("talk.tipc", Status.PASSED, updates=changes)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ("> 1\n< 3\n", "was changed meanwhile"),
        ("\n> 1\n< 2\n", "was changed meanwhile"),
        ("no script", "was changed meanwhile"),
        ("> 1\n< nan\n", "was changed meanwhile"),
        (None, "cannot be rewritten: No such file or directory"),
    ],
)
def test_a_file_that_does_not_hold_the_script_any_more_is_left_alone(
    held: str | None, said: str, tmp_path: Path
) -> None:
    """An editor may have saved it while the script ran."""
    file = tmp_path / "talk.tipc"
    if held is not None:
        file.write_text(held)
    with pytest.raises(UnwritableScriptError, match=said):
        update_script_file(str(file), parse_script("> 1\n< 2\n"), passed(line2=5))
    assert held is None or file.read_text() == held


def test_blanks_that_changed_meanwhile_are_kept(tmp_path: Path) -> None:
    """Only the value's own columns are replaced, wherever they are by now."""
    file = tmp_path / "talk.tipc"
    file.write_text("> 1\n  <   2  # two\n")
    assert update_script_file(str(file), parse_script("> 1\n< 2\n"), passed(line2=5)) == (
        "line 2 rewritten",
        "@@ -2 +2 @@",
        "-  <   2  # two",
        "+  <   5  # two",
    )
    assert file.read_text() == "> 1\n  <   5  # two\n"


def test_not_a_number_is_the_same_script(tmp_path: Path) -> None:
    """Although it differs from itself."""
    file = tmp_path / "talk.tipc"
    file.write_text("< NaN\n< 2\n")
    sentence, *_ = update_script_file(str(file), parse_script("< NaN\n< 2\n"), passed(line2=5))
    assert sentence == "line 2 rewritten"


def test_a_name_that_is_no_longer_captured_is_reported(tmp_path: Path) -> None:
    """The file stays as it was: it would be no script."""
    file, text = tmp_path / "talk.tipc", "< {{h}}\n> {{h}}\n"
    file.write_text(text)
    with pytest.raises(UnwritableScriptError, match=r"cannot be rewritten: .*h"):
        update_script_file(str(file), parse_script(text), passed(line1=5))
    assert file.read_text() == text
