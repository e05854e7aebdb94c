"""The command of a script: words as in a shell, without a shell."""

import shlex

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.script.examples import commands
from tui_ipc.script.syntax.commands import read_command, write_command
from tui_ipc.script.syntax.faults import Fault
from tui_ipc.script.syntax.scanner import Line


def read(text: str) -> tuple[str, ...]:
    return read_command(Line(text, 1))


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("python calculator.py --fast", ("python", "calculator.py", "--fast")),
        ("  a \t b\r", ("a", "b")),
        ("a 'b c' \"d e\"", ("a", "b c", "d e")),
        ("a''\"\"b '' \"\"", ("ab", "", "")),
        (r"a b\ c \# \'", ("a", "b c", "#", "'")),
        (r"""a "\"\\\$\`" "\n" '\n' '"' """, ("a", '"\\$`', r"\n", r"\n", '"')),
        (r"a '$HOME' '|' '*' '~/x' b~ \[1] {c}", ("a", "$HOME", "|", "*", "~/x", "b~", "[1]", "{c}")),
        ("a b#c 'd' # e", ("a", "b#c", "d")),
        ("a --opt=b,c:d@e%f+g/h", ("a", "--opt=b,c:d@e%f+g/h")),
        ('["a", "b\\nc", ""] # d', ("a", "b\nc", "")),
        ("é ü", ("é", "ü")),
    ],
)
def test_words(text: str, command: tuple[str, ...]) -> None:
    """Quotes and backslashes as in a shell; an array where that is not enough."""
    assert read(text) == command


@pytest.mark.parametrize(
    ("text", "offset", "words"),
    [
        ("", 0, "a command must follow"),
        (" # c", 1, "a command must follow"),
        ("'' a", 0, "a command has a name"),
        ("[]", 0, "a command has a name"),
        ("a 'b", 2, "unterminated '"),
        ('a b"c', 3, 'unterminated "'),
        ("a b\\", 3, "nothing follows the \\"),
        (
            "a | b",
            2,
            "no shell runs the command, and | would be part of a word; quote it, or spawn sh -c '…'",
        ),
        ("a b;", 3, "no shell runs the command, and ; "),
        ("a >b", 2, "no shell runs the command, and > "),
        ("a && b", 2, "no shell runs the command, and & "),
        ("a $B", 2, "no shell runs the command, and $ "),
        ("~/a", 0, "no shell runs the command, and ~ "),
        ("a b/*.c", 4, "no shell runs the command, and * "),
        ("a b?", 3, "no shell runs the command, and ? "),
        ("a b[1]", 3, "no shell runs the command, and [ "),
        ('a "b $C"', 5, "no shell runs the command, and $ "),
        ("a `b`", 2, "no shell runs the command, and ` "),
        ("a (b)", 2, "no shell runs the command, and ( "),
        ("[1]", 0, "a command that begins with [ is an array of strings"),
        ("[ -f x ]", 2, "not JSON"),
        ('["a"] b', 6, "only a comment can follow the array"),
        ("a b\0", 0, "no word of a command can hold a NUL character"),
    ],
)
def test_what_is_no_command(text: str, offset: int, words: str) -> None:
    """What only a shell would do is not passed over."""
    with pytest.raises(Fault) as caught:
        read(text)
    assert str(caught.value).startswith(words)
    assert caught.value.offset == offset


@given(commands)
@example(("[", "-f"))
@example(("a", "#", "'", '"', "\\", "\n", "\udc80"))
def test_what_is_written_reads_back(command: tuple[str, ...]) -> None:
    """Any command has a text, on one line and safe for a terminal."""
    text = write_command(command)
    assert text.isprintable()
    assert read(text) == command


@given(st.lists(st.text(alphabet="ab'\"\\ $#-\t"), min_size=1).map(tuple))
def test_a_shell_reads_what_is_written(command: tuple[str, ...]) -> None:
    """The words can be copied from a script to a shell and back."""
    text = write_command(command)
    if not text.startswith("["):
        assert tuple(shlex.split(text)) == command
    if command[0] and all(word.isprintable() for word in command):
        assert read(shlex.join(command)) == command
