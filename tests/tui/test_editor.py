"""A message over lines and in one line, and the editor in a real terminal."""

import os
import select
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.app_harness import WAIT_SECONDS
from tests.support.explorer_terminal import Terminal, terminal
from tui_ipc.text import notation
from tui_ipc.tui.editor import EditorError, editor_command, fold, unfold

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=8,
)


@given(value=VALUES)
def test_editing_without_a_change_changes_nothing(value: Any) -> None:
    """What an editor is given and gives back is the same message."""
    text = notation.render_value(value)
    assert notation.render_value(notation.parse_value(fold(unfold(text) + "\n").text)) == text


@given(text=st.text())
def test_whatever_is_edited_comes_back_in_one_line(text: str) -> None:
    """Any text gives a line, which encodes the same value."""
    folded = fold(text).text
    assert "\n" not in folded
    line = text.removesuffix("\n").removesuffix("\r")
    assert notation.render_value(notation.parse_value(folded)) == notation.render_value(
        notation.parse_value(line)
    )


@pytest.mark.parametrize(
    ("box", "editor"),
    [
        ('{"op": "add", "args": [1]}', '{\n  "op": "add",\n  "args": [\n    1\n  ]\n}'),
        ('"one\\ntwo"', "one\ntwo"),
        ("plain words", "plain words"),
        ('"42"', '"42"'),
        ('"{\\n}"', '"{\\n}"'),
        ('{1: b"x"}', '{1: b"x"}'),
        ("[]", "[]"),
        ("[1, NaN]", "[\n  1,\n  NaN\n]"),
    ],
)
def test_a_value_is_spread_by_its_structure(box: str, editor: str) -> None:
    """Lists, maps and strings with line ends take lines; what would then mean something else does not."""
    assert unfold(box) == editor


def test_a_text_that_is_nearly_json_is_reported_with_its_position() -> None:
    """Several lines that are nearly JSON become a string, and the complaint says where they fail."""
    folded = fold('{\n  "a": 1,\n  "b" 2\n}\n')
    assert notation.parse_value(folded.text) == '{\n  "a": 1,\n  "b" 2\n}'
    assert folded.complaint == "not JSON: expecting ':' at line 3, column 7"


def test_a_text_of_one_line_stays_as_it_is() -> None:
    """Nothing is quoted or rendered without need."""
    assert fold("{'a':1}\n") == ("{'a':1}", "")
    assert fold("a\r\n") == ("a", "")
    assert fold("") == ("", "")


def find_nothing(name: str) -> None:
    """Find no program: nothing is installed."""


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        ({"VISUAL": "emacs -nw", "EDITOR": "ed"}, ["emacs", "-nw"]),
        ({"VISUAL": " ", "EDITOR": "'/opt/my editor/run' --wait"}, ["/opt/my editor/run", "--wait"]),
        ({}, ["vim"]),
    ],
)
def test_the_environment_names_the_editor(environment: dict[str, str], command: list[str]) -> None:
    """VISUAL comes before EDITOR; both are read as a shell reads them; else a usual one is taken."""
    assert editor_command(environment, lambda name: name if name.startswith("v") else None) == command


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "no editor found: nano, vim, vi are not installed; name yours in EDITOR"),
        ({"EDITOR": "'vim"}, "EDITOR is not a valid command: No closing quotation"),
    ],
)
def test_no_editor_is_explained(environment: dict[str, str], sentence: str) -> None:
    """The sentence says what to set."""
    with pytest.raises(EditorError, match=sentence):
        editor_command(environment, find_nothing)


def run_editor(it: Terminal, before: bytes, sees: bytes) -> None:
    """Type a text, open the editor, and return once the explorer is back and shows something."""
    it.read_until(b"connected")
    it.type(before)
    it.read_until(b"string, ")
    it.forget()
    it.type(b"\x05")
    it.read_until(sees)


def script(path: Path, text: str) -> str:
    """An editor that is a Python program; ``file`` is what it edits."""
    program = path / "editor.py"
    program.write_text(f"import os, sys\nfrom pathlib import Path\nfile = Path(sys.argv[1])\n{text}\n")
    return f"{sys.executable} {program}"


def test_a_message_is_written_in_an_editor(tmp_path: Path) -> None:
    """The editor gets the text over lines, in a file of the user's own that is gone afterwards.

    What it leaves is in the box, and is sent with Enter, not before.
    """
    note = tmp_path / "note"
    editor = script(
        tmp_path,
        f"mode = oct(file.stat().st_mode & 0o777), oct(file.parent.stat().st_mode & 0o777)\n"
        f"Path({str(note)!r}).write_text(repr((str(file), mode, file.read_text(), os.isatty(0))))\n"
        "file.with_suffix('.bak').write_text('a copy')\n"
        "file.write_text('{\\n  \"edited\": true\\n}\\n')",
    )
    with terminal(EDITOR=editor) as it:
        it.read_until(b"connected")
        it.type(b"[1, 2]")
        it.read_until(b"array")
        it.type(b"\x05")
        it.read_until(b"map, 1 key")
        assert b"'edited'" not in it.screen
        it.type(b"\r")
        it.read_until(b"{'edited': True}")
        it.type(b"\x11")
        assert it.finish() == 0
    name, modes, text, is_terminal = eval(note.read_text())
    assert (modes, text, is_terminal) == (("0o600", "0o700"), "[\n  1,\n  2\n]\n", True)
    assert not Path(name).parent.exists()
    assert b"\x1b[?1049l" in it.screen
    assert b"Traceback" not in it.screen


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("sys.exit(3)", b"ended with code 3"),
        ("os.kill(os.getpid(), 9)", b"ended with SIGKILL"),
        ("file.unlink()", b"left no text"),
        ("file.write_bytes(b'ab\\xff')", b"not UTF-8 at byte 3"),
        ("file.write_text('[1,\\n2 3]')", b"sent as a string"),
    ],
)
def test_a_failing_editor_is_reported(tmp_path: Path, text: str, sentence: bytes) -> None:
    """The explorer is back, the message as it was, and a sentence says what happened."""
    with terminal(EDITOR=script(tmp_path, text)) as it:
        run_editor(it, b"hello", sentence)
        it.type(b"\x11")
        assert it.finish() == 0
    assert b"Traceback" not in it.screen


def test_a_missing_editor_is_reported() -> None:
    """The sentence has its name, and says what to do."""
    with terminal(EDITOR="/nowhere/ed") as it:
        run_editor(it, b"hello", b"/nowhere/ed cannot")
        it.type(b"\x11")
        assert it.finish() == 0


def test_the_child_is_read_while_the_editor_is_open(tmp_path: Path) -> None:
    """An editor that stays open for long stops no child: what it prints meanwhile is there afterwards."""
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    child = (
        "import os, sys\nfrom tui_ipc.child import serve\n"
        "def answer(message):\n"
        "    for _ in range(20_000): print('x' * 50)\n"
        f"    open({str(fifo)!r}, 'w').write('printed')\n"
        "    return 'all printed'\n"
        "sys.exit(serve(answer))\n"
    )
    editor = script(tmp_path, f"open({str(fifo)!r}).read()")
    with terminal("--", sys.executable, "-c", child, EDITOR=editor) as it:
        it.read_until(b"connected")
        it.type(b"go\r\x05")
        it.read_until(b"all printed")
        it.type(b"\x11")
        assert it.finish() == 0


def test_an_interrupt_is_for_the_editor(tmp_path: Path) -> None:
    """^C while the editor is open ends neither it nor the explorer, whose child is still there afterwards."""
    editor = script(
        tmp_path,
        "import signal\n"
        "try:\n    print('editing', flush=True)\n    signal.pause()\n"
        "except KeyboardInterrupt:\n    file.write_text('interrupted')",
    )
    with terminal(EDITOR=editor) as it:
        run_editor(it, b"hello", b"editing")
        it.type(b"\x03")
        it.read_until(b"string, 12 bytes")
        it.type(b"\r")
        it.read_until(b"Received from parent: interrupted")
        it.type(b"\x11")
        assert it.finish() == 0


def test_what_ends_the_explorer_ends_its_editor(tmp_path: Path) -> None:
    """SIGTERM while the editor is open: the editor is ended, no file stays, and the code is the signal's."""
    note = tmp_path / "note"
    editor = script(
        tmp_path,
        "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        f"Path({str(note)!r}).write_text(f'{{os.getpid()}} {{file}}')\n"
        "print('editing', flush=True)\nsignal.pause()",
    )
    with terminal(EDITOR=editor) as it:
        run_editor(it, b"hello", b"editing")
        it.process.terminate()
        assert it.finish() == 143
    assert b"Traceback" not in it.screen
    pid, _, name = note.read_text().partition(" ")
    assert not Path(name).parent.exists()
    deadline = monotonic() + WAIT_SECONDS
    while Path("/proc", pid, "exe").exists():
        assert monotonic() < deadline
        select.select([], [], [], 0.01)
