"""What the README shows is what the project does: its programs run, its script passes."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from textual.app import App
from textual.binding import Binding

from tests.support.builtin_conversation import assert_is_builtin_conversation
from tui_ipc.script.exit_codes import EXIT_CODE_MEANINGS
from tui_ipc.script.language.steps import GRAMMAR
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.child_actions import ChildActions
from tui_ipc.tui.file_actions import FileActions
from tui_ipc.tui.keys import check_keys, collect_bindings
from tui_ipc.tui.replay_app import ReplayApp
from tui_ipc.tui.settings import load_settings
from tui_ipc.tui.view_actions import PaneActions
from tui_ipc.tui.widgets.bytes_view import BytesView
from tui_ipc.tui.widgets.inputs import MessageInput
from tui_ipc.tui.widgets.inspector import Inspector
from tui_ipc.tui.widgets.key_bar import group_rank
from tui_ipc.tui.widgets.line_view import LineView
from tui_ipc.tui.widgets.log_view import LogView
from tui_ipc.tui.widgets.output_view import OutputView
from tui_ipc.tui.widgets.searchable_view import SearchableView
from tui_ipc.tui.widgets.tail_view import TailView
from tui_ipc.tui.widgets.tree_view import TreeView

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"

PLACES = {
    "anywhere": (ChildActions, FileActions, PaneActions, ExplorerApp),
    "message box": (MessageInput,),
    "log": (LogView,),
    "output": (OutputView,),
    "log, output": (SearchableView, TailView, LineView),
    "inspector": (Inspector, TreeView, BytesView),
    "a recording": (ReplayApp,),
}
"""Where keys work, and the classes that bind them there."""


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
    assert_is_builtin_conversation(done.stdout)


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


def run_bank(script: str, tmp_path: Path) -> "subprocess.CompletedProcess[str]":
    """Run a script against the bank; the Python that it names is the one that has tui_ipc."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    (tmp_path / "bank.py").write_text(block("python", "# bank.py"))
    path = f"{python.parent}:{os.environ['PATH']}"
    return run_script(script, tmp_path, env={**os.environ, "PATH": path})


def test_the_script_of_the_scripts_section_passes_against_its_child(tmp_path: Path) -> None:
    """As it stands, started as it says."""
    done = run_bank(block("text", "# bank.tipc"), tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_failure_looks_as_the_scripts_section_shows_it(tmp_path: Path) -> None:
    """Word for word and mark for mark, but for the account, the process and the time."""
    script = block("text", "# bank.tipc").replace('"balance": 2.5}  ', '"balance": 3}  ')
    done = run_bank(script, tmp_path)
    assert done.returncode == 1
    told = done.stderr.replace("talk.tipc", "bank.tipc")
    for changing in (r'"[0-9a-f]{8}"', r"pid \d+", r"in \d+\.\d\d s"):
        shown = re.search(changing, block("text", "bank.tipc:9"))
        assert shown is not None
        told = re.sub(changing, shown[0], told)
    assert told == block("text", "bank.tipc:9")


def test_the_readme_has_the_grammar() -> None:
    """The same text as the help."""
    assert block("text", "A script is a transcript") == GRAMMAR


def test_the_readme_has_the_exit_codes() -> None:
    """With the meanings that the help gives them."""
    rows = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODE_MEANINGS)
    assert f"| code | meaning |\n|---|---|\n{rows}\n" in README.read_text()


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


def bindings() -> Iterator[tuple[str, list[Binding]]]:
    """For each place the bindings that explain themselves, in the order of the groups in the key bar."""
    for place, kinds in PLACES.items():
        there = [each for kind in kinds for each in vars(kind)["BINDINGS"] if each.tooltip]
        yield place, sorted(there, key=group_rank)


def test_the_readme_has_every_key() -> None:
    """Each action that the palette offers, with its key and its title, where it works."""
    app: App[None] = App()
    rows = [
        f"| {place} | {' · '.join(f'`{app.get_key_display(each)}` {each.description}' for each in there)} |"
        for place, there in bindings()
    ]
    assert README.read_text().split("| where | keys |\n|---|---|\n")[1].split("\n\n")[0].splitlines() == rows


def test_no_key_is_missing_from_the_places_of_the_readme() -> None:
    """Every binding that explains itself belongs to one of the places."""
    listed = {each.id for _, there in bindings() for each in there}
    assert {name for name, binding in collect_bindings().items() if binding.tooltip} <= listed


def test_the_settings_of_the_readme_are_settings(tmp_path: Path) -> None:
    """The file can be read without a complaint, and its keys belong to something."""
    path = tmp_path / "settings.toml"
    path.write_text(block("toml", "theme"))
    settings = load_settings(path)
    assert (settings.problems, settings.theme, settings.remember) == ((), "nord", True)
    assert check_keys(settings.keys, collect_bindings()) == ({"app.restart": "f12"}, [])


def test_the_readme_shows_every_picture() -> None:
    """Each picture in screenshots/ once, with a text for whoever cannot see it."""
    shown = re.findall(r"!\[[^\]]+\]\((screenshots/[^)]+)\)", README.read_text())
    assert sorted(shown) == sorted(f"screenshots/{path.name}" for path in (ROOT / "screenshots").iterdir())
