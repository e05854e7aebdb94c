"""Single lines: their steps and their errors."""

import pytest

from tui_ipc.script.language.line_parser import MAX_ROUNDS
from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.language.scanner import ScriptSyntaxError
from tui_ipc.script.language.steps import (
    Expect,
    ExpectExit,
    ExpectNoOutput,
    ExpectNothing,
    ExpectOutput,
    ExpectSignal,
    SendRaw,
    Signal,
    Sleep,
    Step,
    Strict,
    Timeout,
)
from tui_ipc.text.placeholders import ANY_REST, Regex


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("timeout 500ms", Timeout(0.5)),
        ("timeout 0.1s # c", Timeout(0.1)),
        ("sleep 35ms", Sleep(0.035)),
        ("strict # c", Strict()),
        ("  sleep\t1.5m ", Sleep(90.0)),
        ("sleep 1440m", Sleep(86400.0)),
        ("!<", ExpectNothing()),
        ("!< within 2s # c", ExpectNothing(2.0)),
        ("!< # c", ExpectNothing()),
        ("expect stdout /a # b/ # c", ExpectOutput("stdout", Regex("a # b"))),
        ("expect stderr /within 2s/ within 3s", ExpectOutput("stderr", Regex("within 2s"), 3.0)),
        ("expect stderr /'\"[\\/]/", ExpectOutput("stderr", Regex("'\"[/]"))),
        ("expect stdout raw /a/ within 1s # c", ExpectOutput("stdout", Regex("a"), 1.0, raw=True)),
        ("!expect stdout raw /a/ within 1s # c", ExpectNoOutput("stdout", Regex("a"), 1.0, raw=True)),
        ("expect stderr empty # c", ExpectNoOutput("stderr", None)),
        ("expect stdout empty within 1s", ExpectNoOutput("stdout", None, 1.0)),
        ("< ... within 1ms..2s # c", Expect(ANY_REST, 2.0, at_least=0.001)),
        ("<~ [1] within 1s..1s", Expect([1], 1.0, skipping=True, at_least=1.0)),
        ("expect stderr   raw\t/raw/", ExpectOutput("stderr", Regex("raw"), raw=True)),
        ("signal HUP", Signal(1)),
        ("signal SIGHUP", Signal(1)),
        ("signal 1", Signal(1)),
        ("signal 64", Signal(64)),
        (">raw 00", SendRaw(b"\0")),
        (">raw DEAD be ef # c", SendRaw(b"\xde\xad\xbe\xef")),
        ("? exit 0", ExpectExit(0)),
        ("?\texit 255 # c", ExpectExit(255)),
        ("? signal KILL", ExpectSignal(9)),
    ],
)
def test_a_step(text: str, step: Step) -> None:
    """Blanks and comments around what a line says are no part of it."""
    assert parse_script(text).steps == (step,)


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        # What begins no line.
        ("import os", 1, 'unknown step "import"; a line begins with >raw, <~'),
        ("exepct stdout /x/", 1, 'unknown step "exepct"; did you mean expect?'),
        ("REPEAT 2", 1, 'unknown step "REPEAT"; it is written repeat'),
        ("wait 2s", 1, 'unknown step "wait"; write sleep'),
        ("exit 0", 1, 'unknown step "exit"; write quit, or ? exit CODE for how the child must end'),
        ("stdout /x/", 1, 'unknown step "stdout"; write expect stdout /re/'),
        ("// comment", 1, 'unknown step "//"; a comment begins with #'),
        ("-- comment", 1, 'unknown step "--"; a comment begins with #'),
        ("→5", 1, 'unknown step "→5"; write > and a space before the value'),
        ("! 5", 1, 'unknown step "!"; a line begins with >raw, <~, !<, !expect, >, <, ?, # or one of set, '),
        # Marks.
        ("?exit 0", 2, "a space must follow '?'"),
        ("<~5", 3, "a space must follow '<~'"),
        (">raw93", 5, "a space must follow '>raw'"),
        ("!<5", 3, "a space must follow '!<'"),
        ("<- 5", 2, "a space must follow '<'"),
        # The child's end.
        ("?", 2, "exit CODE, signal NAME, clean or p99 < DURA"),
        ("? exti 0", 3, 'unknown "exti"; did you mean ? exit?'),
        ("? 0", 3, 'unknown "0"; ? is followed by exit CODE, signal NAME, clean o'),
        ("? exit", 7, "an exit code must follow, from 0 to 255"),
        ("? exit 256", 8, "an exit code is from 0 to 255"),
        ("? exit -1", 8, '"-1" is not a number; an exit code is from 0 to 255'),
        ("? exit ٣", 8, '"٣" is not a number'),
        ("? exit 0 0", 10, "only a comment can follow the exit code"),
        ("? clean now", 9, "only a comment can follow clean"),
        ("? signal KIL", 10, '"KIL" is not a signal; did you mean SIGKILL?'),
        # Signals.
        ("signal", 7, "a signal must follow, for instance SIGTERM"),
        ("signal sigterm", 8, '"sigterm" is not a signal; did you mean SIGTERM?'),
        ("signal xyzzy", 8, '"xyzzy" is not a signal'),
        ("signal 0", 8, "a signal's number is from 1 to 64"),
        ("signal 65", 8, "a signal's number is from 1 to 64"),
        ("signal TERM 5", 13, "only a comment can follow the signal"),
        # Durations.
        ("sleep", 6, "a duration must follow, for instance 500ms, 2s or 1m"),
        ("sleep 2", 7, "2 has no unit; write 2s"),
        ("sleep 2 # s", 7, "2 has no unit; write 2s"),
        ("sleep 500 ms", 7, "500 has no unit; write 500ms"),
        ("sleep 1.5 minutes", 7, "1.5 has no unit; write 1.5m"),
        ("sleep 2sec", 7, "2sec is not a duration; write 2s"),
        ("sleep 2,5s", 7, "2,5s is not a duration; write 2.5s"),
        ("sleep 1h", 7, '"1h" is not a duration; write a number and its unit, for instance 500ms, 2s or 1m'),
        ("sleep 2 days", 7, '"2" is not a duration; write a number and its unit'),
        ("sleep soon", 7, '"soon" is not a duration; write a number and its unit, for instance 500ms, 2s or'),
        ("sleep -1s", 7, '"-1s" is not a duration'),
        ("sleep 0s", 7, "a duration is more than 0s and at most a day, 86400s"),
        ("sleep 1441m", 7, "a duration is more than 0s and at most a day, 86400s"),
        ("sleep 2s 3", 10, "only a comment can follow the duration"),
        ("timeout 5", 9, "5 has no unit; write 5s"),
        ("!< 5", 4, "only within DURATION can follow !<, which expects no message at all"),
        ("!< within", 10, "a duration must follow"),
        ("!< within 2s 3", 14, "only a comment can follow the deadline"),
        # Bytes.
        (">raw", 5, "bytes must follow, each as two hexadecimal digits: >raw 93 01 02"),
        (">raw # c", 6, "bytes must follow"),
        (">raw 9", 6, "an odd number of digits, 1; write each byte as two of them: >raw 93 01 02"),
        (">raw 93 012", 9, "an odd number of digits, 3"),
        (">raw 93 0x01", 10, '"x" is not a hexadecimal digit; write two for each byte: >raw 93 01'),
        # Output.
        ("expect", 7, "stdout or stderr must follow"),
        ("expect ready", 8, "stdout or stderr must follow"),
        ("expect stdotu /x/", 8, "stdout or stderr must follow; did you mean stdout?"),
        ("expect /ready/", 8, "stdout or stderr must come before the regular expression"),
        ("expect stdout", 14, "a regular expression must follow, between two /"),
        ("expect stdout ready", 15, "a regular expression must follow, between two /, for instance /ready/"),
        ("expect stdout /ready", 15, "a regular expression that begins with / ends with another /"),
        ("expect stdout /rea(dy/", 19, "not a regular expression: missing ), unterminated subpattern"),
        ("expect stdout /ready/i", 22, "a regular expression has no flags after it; write (?i) at its begin"),
        ("expect stdout /a/b/", 18, r"a regular expression ends at the second /; a / inside it is"),
        ("expect stdout raw", 18, "a regular expression must follow, between two /"),
        ("expect stdout rwa /x/", 15, "a regular expression must follow, between two /, for instance /rwa/"),
        ("expect stdout /x/ 5s", 19, "only within DURATION can follow the regular expression"),
        # Blocks.
        ("repeat", 7, "a number of rounds must follow, from 1 to 1 000 000 000"),
        ("repeat 0", 8, "a number of rounds is from 1 to 1 000 000 000"),
        ("repeat _1", 8, '"_1" is not a number; a number of rounds is from 1 to'),
        (f"repeat {MAX_ROUNDS + 1}", 8, "a number of rounds is from 1 to 1 000 000 000"),
        ("repeat 3 times", 10, "only a comment can follow the number of rounds"),
        ("end repeat", 5, "only a comment can follow end"),
        ("strict 3", 8, "only a comment can follow strict"),
        ("restart 3", 9, "only a comment can follow restart"),
        ("spawn a 'b", 9, "unterminated '"),
        ("< ... within 2s..1s", 14, "an empty span of time: its first duration is the longer one"),
        ("< ... within 1..2s", 14, "1 has no unit; write 1s"),
        ("< ... within 1s..", 18, "a duration must follow"),
        ("!< within 1s..2s", 4, "a least time is for messages: < and <~"),
        ("!expect stdout", 15, "a regular expression must follow"),
        ("? p99 < 5ms", 1, "p99 measures the answers of a repeat: write one above this line"),
        ("? p0 < 5ms", 3, "a percentile is more than p0 and at most p100"),
        ("? p99 5ms", 7, "< and a duration must follow: ? p99 < 5ms"),
    ],
)
def test_errors_of_single_lines(text: str, column: int, words: str) -> None:
    """The character at which it goes wrong, and what was meant."""
    with pytest.raises(ScriptSyntaxError) as caught:
        parse_script(text)
    assert (caught.value.column, caught.value.sentence[: len(words)]) == (column, words)
