"""What the README shows is what the project does: its programs run, its script passes."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.seed import assert_tells_the_conversation
from tui_ipc.script.language import GRAMMAR

README = Path(__file__).parent.parent / "README.md"


def block(language: str, start: str) -> str:
    """The one fenced block of a language that begins with a text."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    (found,) = [one for one in blocks if one.startswith(start)]
    return str(found)


def test_the_parent_and_the_child_of_the_library_section_talk(tmp_path: Path) -> None:
    """Saved as parent.py and child.py, the two programs print the seed's conversation and end well."""
    (tmp_path / "parent.py").write_text(block("python", "import subprocess"))
    (tmp_path / "child.py").write_text(block("python", "import os"))
    done = subprocess.run(
        [sys.executable, "parent.py"], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert_tells_the_conversation(done.stdout)


def run_script(
    text: str, tmp_path: Path, *command: str, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
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


def test_the_script_of_the_scripts_section_passes_against_its_child(tmp_path: Path) -> None:
    """As it stands, started as it says; the Python that it names is the one that has tui_ipc."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    (tmp_path / "bank.py").write_text(block("python", "# bank.py"))
    path = f"{python.parent}:{os.environ['PATH']}"
    done = run_script(block("text", "# bank.tipc"), tmp_path, env={**os.environ, "PATH": path})
    assert done.returncode == 0, done.stderr


def test_the_readme_has_the_grammar() -> None:
    """The same text as the help."""
    assert block("text", "A script is a transcript") == GRAMMAR


def test_the_child_of_the_library_section_can_be_explored(tmp_path: Path) -> None:
    """`tui-ipc -- python child.py` shakes hands with it."""
    (tmp_path / "child.py").write_text(block("python", "import os"))
    done = run_script("> hi\n< Child received: hi\n", tmp_path, sys.executable, "child.py")
    assert done.returncode == 0, done.stderr


def test_the_child_in_three_lines_answers(tmp_path: Path) -> None:
    """serve() makes a child of a function."""
    (tmp_path / "three.py").write_text(block("python", "from tui_ipc.child import serve"))
    done = run_script('> hi\n< {"you said": "hi"}\n', tmp_path, sys.executable, "three.py")
    assert done.returncode == 0, done.stderr
