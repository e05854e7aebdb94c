"""The documents are true: their programs run, their scripts pass, and their links lead somewhere."""

import doctest
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.builtin_conversation import assert_is_builtin_conversation
from tests.support.documents import DOCS, README, ROOT, find_block, find_blocks
from tui_ipc.script import EXIT_CODE_MEANINGS
from tui_ipc.script.language.writer import GRAMMAR

LIBRARY = DOCS / "LIBRARY.md"
SCRIPTS = DOCS / "SCRIPTS.md"
DOCUMENTS = [README, *sorted(DOCS.iterdir()), *sorted(ROOT.glob(".github/*.md")), ROOT / "CHANGELOG.md"]
SPAWNING = "import sys\n\nfrom tui_ipc import spawn"
BY_HAND = "import subprocess"
THREE_LINES = "from tui_ipc.child import serve"


def run_script(
    text: str, tmp_path: Path, *command: str, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a script, against a command or the child that it names."""
    (tmp_path / "talk.tipc").write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "tui_ipc", "--script", "talk.tipc", *(("--", *command) if command else ())],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def run_bank(script: str, tmp_path: Path) -> "subprocess.CompletedProcess[str]":
    """Run a script against the bank; ``python`` in it is the Python that has ``tui_ipc``."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    (tmp_path / "bank.py").write_text(find_block(SCRIPTS, "python", "# bank.py"))
    path = f"{python.parent}:{os.environ['PATH']}"
    return run_script(script, tmp_path, env={**os.environ, "PATH": path})


def test_the_example_script_passes_against_its_child(tmp_path: Path) -> None:
    """SCRIPTS.md: as it is printed, run as it says."""
    done = run_bank(find_block(SCRIPTS, "text", "# bank.tipc"), tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("start", ["# output.tipc", "# names.tipc", "# conditions.tipc"])
def test_the_other_examples_pass_against_their_child(start: str, tmp_path: Path) -> None:
    """SCRIPTS.md: each construct has an example that was run."""
    child = str(Path(__file__).parent / "support" / "children" / "desk.py")
    env = {**os.environ, "USER": "Ann"}
    done = run_script(find_block(SCRIPTS, "text", start), tmp_path, sys.executable, child, env=env)
    assert (done.returncode, "warning" in done.stderr) == (0, False), done.stderr


def test_a_failure_looks_as_the_document_shows_it(tmp_path: Path) -> None:
    """SCRIPTS.md: character by character, except for the account, the process and the time."""
    script = find_block(SCRIPTS, "text", "# bank.tipc").replace('"balance": 2.5}  ', '"balance": 3}  ')
    done = run_bank(script, tmp_path)
    assert done.returncode == 1
    shown = find_block(SCRIPTS, "text", "bank.tipc:9")
    printed = done.stderr.replace("talk.tipc", "bank.tipc")
    for changing in (r'"[0-9a-f]{8}"', r"pid \d+", r"in \d+\.\d\d s"):
        example = re.search(changing, shown)
        assert example is not None
        printed = re.sub(changing, example[0], printed)
    assert printed == shown


def test_the_steps_are_those_of_the_help() -> None:
    """SCRIPTS.md has the same text."""
    assert find_block(SCRIPTS, "text", "A script is a transcript") == GRAMMAR


def test_the_exit_codes_are_those_of_the_help() -> None:
    """SCRIPTS.md has the same meanings."""
    rows = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODE_MEANINGS)
    assert f"| code | meaning |\n|---|---|\n{rows}\n" in SCRIPTS.read_text(encoding="utf-8")


@pytest.mark.parametrize("start", [SPAWNING, BY_HAND])
def test_the_parent_and_the_child_of_the_library_talk(start: str, tmp_path: Path) -> None:
    """LIBRARY.md: saved as parent.py and child.py, they print the example conversation."""
    (tmp_path / "parent.py").write_text(find_block(LIBRARY, "python", start))
    (tmp_path / "child.py").write_text(find_block(LIBRARY, "python", "import os"))
    done = subprocess.run(
        [sys.executable, "parent.py"], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert_is_builtin_conversation(done.stdout, is_met=start == SPAWNING)


def test_the_child_of_the_library_can_be_explored(tmp_path: Path) -> None:
    """LIBRARY.md: `tui-ipc -- python child.py` shakes hands with it."""
    (tmp_path / "child.py").write_text(find_block(LIBRARY, "python", "import os"))
    done = run_script("> hi\n< Child received: hi\n", tmp_path, sys.executable, "child.py")
    assert done.returncode == 0, done.stderr


def test_the_examples_of_the_library_give_what_they_show() -> None:
    """LIBRARY.md: its interactive examples, one after the other."""
    text = "\n".join(find_blocks(LIBRARY, "pycon"))
    examples = doctest.DocTestParser().get_doctest(text, {}, LIBRARY.name, str(LIBRARY), 0)
    results = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(examples)
    assert results.attempted > 20
    assert results.failed == 0


LOGGED = r"""DEBUG:tui_ipc:made a channel: <Sender on descriptor \d+>, <Receiver on descriptor \d+>
DEBUG:tui_ipc:closing <Sender on descriptor \d+>
DEBUG:tui_ipc:closing <Receiver on descriptor \d+>
"""


@pytest.mark.parametrize(
    ("program", "printed", "logged"),
    [
        ("typed", "job 7 is done\n", ""),
        ("with_attrs", "job 7 is done\n", ""),
        ("with_msgspec", "job 7 is done\n", ""),
        ("with_pydantic", "job 7 is done\n", ""),
        ("with_numpy", "(1080, 1920, 3) 200.0\n", ""),
        ("processes", "[0, 1, 4, 9, 16]\n", ""),
        ("with_trio", "5\n1000000\n", ""),
        ("with_a_log", "", LOGGED),
    ],
)
def test_a_program_of_the_library(program: str, printed: str, logged: str, tmp_path: Path) -> None:
    """LIBRARY.md: saved and run, it prints what it is to."""
    status, out, errors = run_program(f"# {program}.py", tmp_path)
    assert (status, out) == (0, printed), errors
    assert re.fullmatch(logged, errors)


@pytest.mark.parametrize("program", ["with_attrs", "with_msgspec", "with_pydantic"])
def test_typed_messages_of_other_packages_are_checked(program: str, tmp_path: Path) -> None:
    """LIBRARY.md: a number that is none does not come through."""
    text = find_block(LIBRARY, "python", f"# {program}.py")
    changed = text.replace("jobs.send(Job(number=7, reply=reply), move=True)", WRONG)
    assert changed != text
    status, _, error = run_text(changed, tmp_path)
    assert status == 1
    assert "number" in error


WRONG = r'jobs.send_raw(b"\x82\xa6number\xa1x\xa5reply\xc0"); reply.close()'


def run_program(start: str, tmp_path: Path) -> tuple[int, str, str]:
    """Save a program of LIBRARY.md and run it; its exit status, stdout and stderr."""
    return run_text(find_block(LIBRARY, "python", start), tmp_path)


def run_text(program: str, tmp_path: Path) -> tuple[int, str, str]:
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "-W", "error", "program.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_parent_is_the_same_in_both_documents() -> None:
    """README.md shows the parent of LIBRARY.md."""
    assert find_block(README, "python", SPAWNING) == find_block(LIBRARY, "python", SPAWNING)


@pytest.mark.parametrize("document", [README, LIBRARY], ids=lambda path: path.name)
def test_the_child_in_three_lines_passes_the_script(document: Path, tmp_path: Path) -> None:
    """The script in README.md is true of it."""
    (tmp_path / "three.py").write_text(find_block(document, "python", THREE_LINES))
    script = find_block(README, "text", "# greet.tipc")
    done = run_script(script, tmp_path, sys.executable, "three.py")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file_or_a_heading(document: Path) -> None:
    """Links to the web are left out."""
    text = document.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    for link in re.findall(r"\]\(([^)]+)\)", text):
        if link.startswith("#"):
            assert link[1:] in headings, link
        elif not link.startswith("https://"):
            assert (document.parent / link).exists(), link
