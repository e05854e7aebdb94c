"""``--update``: files of scripts rewritten by what a child says, as a person meets it."""

import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.test_cli import TUI_IPC, python
from tui_ipc.script.files import UnwritableScriptError
from tui_ipc.script.language import parse
from tui_ipc.script.reporting.outcome import Outcome, Status
from tui_ipc.script.rewriting import renew

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
        ('> 1\n< {"handle": {{h}}}\n> {{h}}\n< ...\n', 1, "nothing was captured as h"),
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
    """That of a child which was told to quit, or ended by itself."""
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
        renew(str(file), parse("> 1\n< 2\n"), passed(line2=5))
    assert held is None or file.read_text() == held


def test_blanks_that_changed_meanwhile_are_kept(tmp_path: Path) -> None:
    """Only the value's own place is written to, wherever it stands by now."""
    file = tmp_path / "talk.tipc"
    file.write_text("> 1\n  <   2  # two\n")
    assert renew(str(file), parse("> 1\n< 2\n"), passed(line2=5)) == "line 2 rewritten"
    assert file.read_text() == "> 1\n  <   5  # two\n"


def test_not_a_number_is_the_same_script(tmp_path: Path) -> None:
    """Although it differs from itself."""
    file = tmp_path / "talk.tipc"
    file.write_text("< NaN\n< 2\n")
    assert renew(str(file), parse("< NaN\n< 2\n"), passed(line2=5)) == "line 2 rewritten"


def test_a_name_that_is_captured_no_more_is_told(tmp_path: Path) -> None:
    """The file stays as it was: it would be no script."""
    file, text = tmp_path / "talk.tipc", "< {{h}}\n> {{h}}\n"
    file.write_text(text)
    with pytest.raises(UnwritableScriptError, match=r"cannot be rewritten: .*h"):
        renew(str(file), parse(text), passed(line1=5))
    assert file.read_text() == text
