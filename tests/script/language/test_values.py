"""Messages and patterns in a line: what a bare text is, and what might be meant in two ways."""

import shlex
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.script_strategies import commands
from tests.support.unicode_text import is_safe
from tui_ipc.script.language.commands import Word, read_command, write_command
from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.language.scanner import LineError, LineScanner, ScriptSyntaxError
from tui_ipc.script.language.steps import Expect, Send
from tui_ipc.text.placeholders import ANY_REST, ANY_VALUE, Capture, Regex, Template
from tui_ipc.text.safe_text import has_hidden


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("> ...", "..."),
        ("> /ready/", "/ready/"),
        ("> /usr/bin within 2s", "/usr/bin within 2s"),
        ("> Hello within 2s", "Hello within 2s"),
        ("> raw", "raw"),
        ("> raw 9", "raw 9"),
        ("> ~ 5", "~ 5"),
        ('> {"a": "{{b}}"}', {"a": "{{b}}"}),
        ('> "{{"', "{{"),
        ("> 42 apples", "42 apples"),
        ("> 1_000", "1_000"),
    ],
)
def test_what_is_sent(text: str, value: Any) -> None:
    """A text that begins like no JSON and no literal is a string, to the end of the line."""
    assert parse_script(text).steps == (Send(value),)


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("< ...", Expect(ANY_REST)),
        ("< ... within 2s # c", Expect(ANY_REST, 2.0)),
        ("<~ ... # c", Expect(ANY_REST, skipping=True)),
        ("< ...and more", Expect("...and more")),
        ("< ... and more", Expect("... and more")),
        ("< wait...", Expect("wait...")),
        ("< {{name}} within 1m", Expect(Capture("name"), 60.0)),
        ("< [{{_}}, {{_}}]", Expect([ANY_VALUE, ANY_VALUE])),
        ("< /a b/", Expect(Regex("a b"))),
        (r"< /a\/ # b/ within 2s", Expect(Regex("a/ # b"), 2.0)),
        ("< /a/ # b", Expect(Regex("a"))),
        ("< //", Expect(Regex(""))),
        ("< /usr/bin", Expect("/usr/bin")),
        ("< /", Expect("/")),
        ("< see /usr/bin/ there", Expect("see /usr/bin/ there")),
        ("< 42 within 2s", Expect(42, 2.0)),
        ("<~ [1] within 2s", Expect([1], 2.0, skipping=True)),
        ('< "within 2s" within 3s', Expect("within 2s", 3.0)),
        ("< it's 'quoted'", Expect("it's 'quoted'")),
        ("< within reason", Expect("within reason")),
        ("< what is within", Expect("what is within")),
        ("< 42 apples", Expect("42 apples")),
        ("<~ ~ 5", Expect("~ 5", skipping=True)),
        ("< raw 93", Expect("raw 93")),
    ],
)
def test_what_is_expected(text: str, step: Expect) -> None:
    """Placeholders are alone or inside; a bare text is a string, if nothing else can be meant."""
    assert parse_script(text).steps == (step,)


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        (
            "< Hello {{name}}",
            9,
            "nothing is named name above; a group captures a part: /(?P<name>.*)/; if a string is meant, quo",
        ),
        ("> Hello {{\tname\t}}!", 9, "nothing is named name above; < {{name}} captures it, and set "),
        ("< Hello within 2s", 9, 'A deadline, or part of the string? If a string is meant, quote it: < "…"'),
        (
            "<~ Hello within 2 # c",
            19,
            'A comment, or part of the string? If a string is meant, quote it: <~ "…"',
        ),
        ("< Hello within 2", 9, "A deadline, or part of the string?"),
        ("< Hello\twithin 2s", 9, "A deadline, or part of the string?"),
        ("< Hello within\t2s", 9, "A deadline, or part of the string?"),
        ("< within 2s", 3, "Any message is < ... within DURATION. If a string is meant, quote it: <"),
        ("< ~ 5", 3, "The step that skips messages until one matches is <~, without a space. If a"),
        ("> raw 93 01", 3, "Bytes are sent with >raw HEX."),
        ("< 5 within", 11, "a duration must follow"),
        ("< 5 within 2", 12, "2 has no unit; write 2s"),
        ("< 5 within 2s 3", 15, "only a comment can follow the deadline"),
        ("< /+/", 4, "not a regular expression: nothing to repeat"),
        ("< /ready/i", 10, "a regular expression has no flags after it; write (?i) at its beginning; if a"),
        (
            "< /usr/local/",
            8,
            "a regular expression ends at the second /; a / inside it is written \\/; if a str",
        ),
        ("< /usr/local/ within 2s", 8, "a regular expression ends at the second /"),
        ("< [1]within 2s", 6, "text after the value; if a string is meant, quote it"),
        ("< [1] within2s", 7, "text after the value; if a string is meant, quote it"),
        (
            "> [1] within 2s",
            7,
            "text after the value; a deadline is for what is expected; if a string is meant",
        ),
        ("> [...]", 4, "a message that is sent is written out: ... and /re/ are for what is expected"),
        ('> {"a": /b/}', 9, "a message that is sent is written out"),
        ("> {...}", 4, "a message that is sent is written out"),
        ("> [{{_}}]", 4, "{{_}} captures nothing; a message that is sent is written out"),
        (
            "> {{a}}",
            3,
            "nothing is named a above; < {{a}} captures it, and set a VALUE sets it; if a string is",
        ),
        ("> {{a}", 3, "a captured value is written {{name}}; if a string is meant, quote it"),
        ("> [{{a}}]", 4, "nothing is named a above; < {{a}} captures it, and set a VALUE"),
        ("< [1, {{a]", 7, "a captured value is written {{name}}"),
        ("< [99999999999999999999, ...]", 3, "a message cannot hold this"),
        ('< {"a": "\\ud800", "b": {{c}}}', 3, "a message cannot hold this"),
        ("> 'Hello'", 3, 'Single quotes would be part of the string. If a string is meant, quote it: > "…"'),
        ("< {{a}}\n> {{x}}", 3, "nothing is named x above, only a"),
        (
            "< [{{b}}, {{a}}]\n< {{d}}\n< [{{c}}, {{a}}]\n> {{x}}",
            3,
            "nothing is named x above, only b, a, d, c; if",
        ),
        (
            "< [{{a}}, {{b}}, {{c}}, {{d}}, {{e}}, {{f}}]\n> {{x}}",
            3,
            "nothing is named x above, only a, b, c, d, e, …",
        ),
        ("< True", 3, "the JSON value is spelled true; if a string is meant, quote it"),
    ],
)
def test_what_is_not_guessed(text: str, column: int, words: str) -> None:
    """What might be meant in two ways, or not at all, says how to write it."""
    with pytest.raises(ScriptSyntaxError) as caught:
        parse_script(text)
    assert (caught.value.column, caught.value.sentence[: len(words)]) == (column, words)


def test_errors_of_placeholders_do_not_advise_to_quote() -> None:
    """Where a placeholder inside a value is wrong, quoting would not help."""
    with pytest.raises(ScriptSyntaxError) as caught:
        parse_script("> [{{a}}]")
    assert caught.value.sentence.endswith("sets it")


def read(text: str) -> tuple[Word, ...]:
    return read_command(LineScanner(text, 1), ["known"])


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
        ("'' a", 0, "the first word of a command names a program"),
        ("[]", 0, "the first word of a command names a program"),
        ("a 'b", 2, "unterminated '"),
        ('a b"c', 3, 'unterminated "'),
        ("a b\\", 3, "nothing follows the \\"),
        (
            "a | b",
            2,
            "no shell runs the command: | would be part of a word; quote it, or spawn sh -c '…'",
        ),
        ("a b;", 3, "no shell runs the command: ; "),
        ("a >b", 2, "no shell runs the command: > "),
        ("a && b", 2, "no shell runs the command: & "),
        ("a $B", 2, "no shell runs the command: $ "),
        ("~/a", 0, "no shell runs the command: ~ "),
        ("a b/*.c", 4, "no shell runs the command: * "),
        ("a b?", 3, "no shell runs the command: ? "),
        ("a b[1]", 3, "no shell runs the command: [ "),
        ('a "b $C"', 5, "no shell runs the command: $ "),
        ("a `b`", 2, "no shell runs the command: ` "),
        ("a (b)", 2, "no shell runs the command: ( "),
        ("[1]", 0, "a command that begins with [ is an array of strings"),
        ("[ -f x ]", 2, "not JSON"),
        ('["a"] b', 6, "only a comment can follow the array"),
        ("a b\0", 0, "a word of a command cannot hold a NUL character"),
    ],
)
def test_errors_of_commands(text: str, offset: int, words: str) -> None:
    """What only a shell would do is not passed over."""
    with pytest.raises(LineError) as caught:
        read(text)
    assert str(caught.value).startswith(words)
    assert caught.value.offset == offset


@given(commands)
@example(("[", "-f"))
@example(("a", "#", "'", '"', "\\", "\n", "\udc80"))
def test_what_is_written_reads_back(command: tuple[str, ...]) -> None:
    """Any command has a text, on one line and safe for a terminal."""
    text = write_command(command)
    assert is_safe(text)
    assert read(text) == command


@given(st.lists(st.text(alphabet="ab'\"\\ $#-\t"), min_size=1).map(tuple))
def test_a_shell_reads_what_is_written(command: tuple[str, ...]) -> None:
    """The words can be copied from a script to a shell and back."""
    text = write_command(command)
    if not text.startswith("["):
        assert tuple(shlex.split(text)) == command
    if command[0] and not any(map(has_hidden, command)):
        assert read(shlex.join(command)) == command


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("a {{known}}/b", ("a", Template(("", "known", "/b")))),
        ('a "x {{known}}"c', ("a", Template(("x ", "known", "c")))),
        ("a '{{known}}' {{unknown}}", ("a", "{{known}}", "{{unknown}}")),
        ('["a", "b {{known}}", "\\u007b{known}}"]', ("a", Template(("b ", "known", "")), "{{known}}")),
    ],
)
def test_names_in_a_command(text: str, command: tuple[Word, ...]) -> None:
    """Not in single quotes, as in a shell."""
    assert read(text) == command
    assert read(write_command(command)) == command


def test_a_command_has_its_variables_replaced() -> None:
    """Each word stays one, whatever the value has in it."""
    script = parse_script("set port 80\nspawn ./a {{dir}}/b --port={{port}}", variables={"dir": "x y"})
    assert script.command == ("./a", "x y/b", "--port=80")


def test_what_a_script_uses_of_its_variables_is_known() -> None:
    """So that a call can say that it set a name that none uses."""
    used = {"a": 1, "env.B": "b", "c": 2}
    script = parse_script("> {{a}} and {{env.B}}\n< /{{c}}/", variables={**used, "d": 3})
    assert script.variables == used


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("< {{env.HOMER}}", 3, "the environment has no variable HOMER; did you mean env.HOME?"),
        ("> {{env.XYZZY}}", 3, "the environment has no variable XYZZY; export it"),
        ("> {{x: int}}", 3, "a condition is for a message that is expected; write the value to send"),
        ("set 1a 2", 5, '"1a" is not a name, which has letters, digits and _'),
        ("set", 4, "a name and a value must follow: set port 8080"),
        ("set a", 6, "a value must follow"),
        ("> 1\nset a 2", 1, "set comes before all other steps, and line 1 comes before it"),
        ("< {{id: integer}}", 9, "unknown condition integer; did you mean int?"),
        ("< {{id: foo}}", 9, "unknown condition foo; those in words are int, float,"),
        ("< {{id: }}", 9, "expecting a condition, such as int, 1..5"),
        ("< {{id: int | }}", 15, "expecting a condition, such as int, 1..5"),
        ("< {{id int}}", 3, "a colon comes between a name and its condition: {{id: …}}"),
        ("< {{: int}}", 3, "a condition without a name is written {{_: CONDITION}}"),
        ("< {{1..5}}", 3, "a condition without a name is written {{_: CONDITION}}"),
        ('< {"a": int}', 9, "not JSON: expecting a value (a type is written {{_: int}})"),
        ("< {{id: int or null}}", 13, "unknown condition or; alternatives are separated by |"),
        ("< {{id: not null}}", 9, "unknown condition not; a condition says what a value is"),
        ("< {{id: > 5}}", 9, "a range is written 5.. or ..5"),
        ("> {{round}}", 3, "only a repeat has a {{round}}"),
        ("set a = 5", 7, "no = comes between a name and its value: set a 5"),
        ("!expect stderr empty", 9, "to expect no output, write expect stderr empty"),
        ("< {{id: 5..1}}", 9, "an empty range"),
        ("< {{id: length x}}", 16, "a number or a range must follow: length 3, length 1..5"),
        ("< {{id: length 3..1}}", 16, "an empty range"),
        ("< {{id: unordered 5}}", 19, "unordered is followed by a list"),
        ('< {{id: "a""b"}}', 12, "expecting a space, | or }} after a condition"),
        ("< {{id: 1e999..}}", 9, "not a number that a message can hold"),
        ("< {{id: 1 +- -1}}", 14, "a tolerance is not negative"),
        ("< {{id: each each int}}", 14, "write each {{_: each ...}}"),
        ("< " + "{{_: " * 17 + "1" + "}}" * 17, 83, "conditions nest at most 16 deep"),
    ],
)
def test_errors_of_names_and_conditions(text: str, column: int, words: str) -> None:
    """The fact, then what is meant instead."""
    with pytest.raises(ScriptSyntaxError) as caught:
        parse_script(text, variables={"env.HOME": "/"})
    assert (caught.value.column, caught.value.sentence[: len(words)]) == (column, words)


def test_a_name_that_is_not_known_is_plain_text_within_quotes() -> None:
    """As it was before there were names in strings; the script's author is warned."""
    script = parse_script('> {"a": "{{b}}"}\n< /x{{c}}/\n< {"k": "\\u007b{d}}"}')
    assert script.steps == (Send({"a": "{{b}}"}), Expect(Regex("x{{c}}")), Expect({"k": "{{d}}"}))
    assert [(warning.line, warning.column) for warning in script.warnings] == [(1, 10), (2, 5)]
