"""What on a command line cannot go together, and the errors."""

import pytest

from tui_ipc.cli.arguments import parse_arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--check",), "--check needs scripts to read; name them: --check FILE"),
        (("--script", "--check"), "--check needs scripts to read; name them: --check FILE"),
        (("--check", "a", "--update"), "--check runs nothing; --update does not go with it"),
        (("--replay", "x", "--check", "a"), "no child; --check does not go with it"),
        (("--replay", "x", "--script", "a"), "no child; --script does not go with it"),
        (
            ("--script", "a", "--check", "--report", "tap=x"),
            "--check runs nothing; --report does not go with it",
        ),
        (("--report", "tap=x"), "--report needs scripts"),
        (("--record-failures", "x"), "--record-failures needs scripts"),
        (("--script", "--record-failures", ""), "--record-failures needs a directory name"),
        (("--script", "a", "--record", "x", "--record-failures", "y"), "give one"),
        (
            ("--script", "a", "b", "--record", "x"),
            "--record takes one script, and 2 are given; --record-failures",
        ),
        (("--script", "-", "a", "-"), "standard input can be only one script, and '-' is given 2 times"),
        (
            ("--script", "--report", "tap"),
            "no file name in 'tap'; write tap=FILE, or tap=- for standard output",
        ),
        (("--script", "--report", "tap="), "no file name in 'tap='"),
        (
            ("--script", "--report", "xml=x"),
            "unknown kind of report in 'xml=x'; write junit=FILE or",
        ),
        (("--script", "--report", "tap=x", "--report", "junit=x"), "'x' is named for two outputs"),
        (("--script", "--report", "tap=x", "--record", "x"), "'x' is named for two outputs"),
        (
            ("--script", "--report", "tap=-", "--report", "junit=-"),
            "--report tap=- and --report junit=- both use standard output",
        ),
        (
            ("--script", "--report", "tap=-", "--format", "jsonl"),
            "--format jsonl and --report tap=- both use standard output",
        ),
        (("--script", "a", "--report", "tap=x", "b"), "script files come right after --script"),
        (("--script", "a", "--repotr", "tap=x"), "unknown option '--repotr'; did you mean --report?"),
        (("--replay", "x", "--report", "tap=x"), "--report does not go with it"),
        (("--script", "--update"), "--update rewrites files; name them with --script FILE"),
        (("--script", "-", "--update"), "--update rewrites files"),
        (("--script", "a", "b", "b", "--update"), "after one run of it, and 'b' is given twice"),
        (("a.tipc", "--timeout", "1"), "put scripts after --script: tui-ipc --script a.tipc --timeout 1"),
        (("--timeout", "1", "a"), "put the child's command after --: tui-ipc --timeout 1 -- a"),
        (("a", "--", "b"), "unknown argument 'a' before --"),
        (("--check", "a", "--timeout", "1", "b"), "script files come right after --script"),
        (("--script", "--wall-clock"), "--wall-clock is for the explorer and for recordings"),
        (("--tap",), "--tap needs the child's command; write it after --"),
        (("--tap", "--script", "--", "a"), "parent and its child say; --script does not go with it"),
        (("--tap", "--timeout", "1", "--", "a"), "--timeout does not go with it"),
        (("--watch", "x", "--", "a"), "while it goes on; a command does not go with it"),
        (("--watch", "x", "--record", "y"), "while it goes on; --record does not go with it"),
        (("--watch", "--format", "text"), "--watch alone lists the taps; name one for --format"),
        (("--save-script", "x"), "--save-script needs a recording"),
        (("--script", "--save-script", "x"), "--save-script needs a recording"),
        (("--replay", "x", "--save-script", ""), "--save-script needs a file name"),
        (("--replay", "x", "--save-script", "y", "--speed", "2"), "--speed does not go with it"),
        (("--replay", "x", "--save-script", "y", "--format", "text"), "--format does not go with it"),
    ],
)
def test_what_contradicts_itself_is_code_2_and_one_line(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with what to do instead, and where to read on."""
    with pytest.raises(SystemExit) as end:
        parse_arguments(arguments)
    assert end.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    sentence, remedy = printed.err.splitlines()
    assert sentence.startswith("tui-ipc: ")
    assert message in sentence
    assert remedy == "Try 'tui-ipc --help'."


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--record", "x", "--match-by", "id", "--timeout", "1", "--cwd", "/", "--no-pty", "--", "./child"),
        ("--script",),
        ("--script", "a", "-", "--report", "tap=x", "--report", "junit=-", "--record-failures", "y"),
        ("--script", "a", "--format", "jsonl", "--report", "tap=x", "--record", "y", "--update"),
        ("--script", "a", "--format", "text", "--report", "tap=-"),
        ("--script", "a", "b", "--check", "--timeout", "1", "--cwd", "/", "--", "./child"),
        ("--replay", "x", "--format", "jsonl"),
        ("--replay", "x", "--speed", "max"),
    ],
)
def test_what_goes_together_is_said_to(arguments: tuple[str, ...]) -> None:
    """Options for the run of a child disturb no check: it can be added to the line that CI has."""
    assert parse_arguments(arguments) is not None
