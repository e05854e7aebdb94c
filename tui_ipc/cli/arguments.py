"""The parser of the command line: the arguments, the help, and the errors.

An error is one line with the fact and the remedy, and one that names the help; the exit code is 2.
"""

import argparse
import math
import re
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from tui_ipc import __version__
from tui_ipc.cli.options import REPORT_KINDS, UNLIMITED_SPEED, Options, find_conflict
from tui_ipc.script import EXIT_CODE_MEANINGS, ExitCode

_SIZE_UNITS: Final = {"": 1, "k": 1 << 10, "M": 1 << 20, "G": 1 << 30}

_MAX_DIGITS: Final = 4  # of a number of jobs or retries

_USAGE: Final = """\
tui-ipc [options] [-- COMMAND ARGS...]
       tui-ipc --script [FILE...] [options] [-- COMMAND ARGS...]
       tui-ipc --check FILE...
       tui-ipc --replay FILE [--follow] [--format text|jsonl | --speed X]
       tui-ipc --replay FILE --save-script FILE
       tui-ipc --tap [--record FILE] -- COMMAND ARGS...
       tui-ipc --watch [NAME] [--format text|jsonl]"""

_EXAMPLES: Final = """\
examples:
  tui-ipc                                    explore the built-in child
  tui-ipc -- ./my-plugin --flag              explore a program of your own
  tui-ipc --script                           run the built-in conversation
  tui-ipc --script talk.tipc -- ./my-plugin  run a script of your own, for CI
  tui-ipc --script tests/*.tipc --report junit=report.xml -- ./my-plugin
                                             run many, each with its own child
  prove --exec "tui-ipc --report tap=- --script" tests/*.tipc
                                             run them as tests under prove
  tui-ipc --record run.rec -- ./my-plugin    record it; also with --script
  tui-ipc --replay run.rec                   explore the recording later
  tui-ipc --replay run.rec --format text     print it; jsonl is for programs
  tui-ipc --replay run.rec --follow          see it while it is still recorded
  tui-ipc --replay run.rec --save-script talk.tipc
                                             make a script from it
  tui-ipc --match-by id -- ./my-server       match answers by their key "id"
  tui-ipc --tap -- ./my-plugin --flag        in your own parent, in the place of
                                             ./my-plugin --flag: tap the two
  tui-ipc --watch                            list the taps; or follow one: NAME

The child is given the server's name as its last argument, channel_name:NAME
(or wherever its command has {channel_name}), and in TUI_IPC_SERVER.

A script copies what the child prints to standard output, and makes control
characters visible on a terminal. The child's standard error goes to standard
error, each line marked. If a report or --format jsonl uses standard output, all
that the child prints goes to standard error, marked.
"""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    # The width is fixed: asking for the terminal's would import shutil, at each start.

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80, max_help_position=26)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(ExitCode.USAGE, f"{self.prog}: {message}\nTry '{self.prog} --help'.\n")

    def format_help(self) -> str:
        from tui_ipc.script.language.writer import GRAMMAR

        codes = "".join(f"  {code:<4} {meaning}\n" for code, meaning in EXIT_CODE_MEANINGS)
        exit_codes = f"exit codes; with several scripts, the highest one:\n{codes}"
        return "\n".join((super().format_help(), _EXAMPLES, GRAMMAR, exit_codes))


def parse_arguments(argv: Sequence[str]) -> Options:
    """Parse the arguments after the program's name.

    Raises:
        SystemExit: They are wrong, or conflict with each other, and an error was printed (code 2); or they
            asked for the help or the version (code 0).
    """
    parser = _build_parser()
    arguments, command = list(argv), None
    if "--" in argv:
        index = arguments.index("--")
        arguments, command = arguments[:index], arguments[index + 1 :]
    options, unknown = parser.parse_known_args(arguments, Options())
    if unknown:
        parser.error(_explain_unknown_argument(parser, unknown[0], list(argv), options))
    if command is not None and not (command and command[0]):
        parser.error("a command must follow --")
    options.command = command
    if options.check is not None:
        options.script = [*(options.script or ()), *options.check]
    if conflict := find_conflict(options):
        parser.error(conflict)
    return options


def exit_with_usage_error(message: str) -> NoReturn:
    """Print an error about how the program was called, and end it.

    Raises:
        SystemExit: With code 2.
    """
    _Parser(prog="tui-ipc", add_help=False).error(message)


def _build_parser() -> _Parser:
    parser = _Parser(
        prog="tui-ipc",
        usage=_USAGE,
        description="Run a child, talk to it over IPC channels, and see everything that happens.",
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"tui-ipc {__version__}")
    _add_child(parser.add_argument_group("the child"))
    _add_scripts(parser.add_argument_group("scripts"))
    _add_recordings(parser.add_argument_group("recordings"))
    _add_taps(parser.add_argument_group("between your own parent and child"))
    return parser


def _add_child(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--timeout",
        type=_parse_seconds,
        metavar="SECONDS",
        help="limit for the handshake, and in scripts for each message (default: 5)",
    )
    group.add_argument("--cwd", metavar="DIR", help="start the child in this directory")
    group.add_argument(
        "--no-pty",
        action="store_true",
        help="give the child a pipe as standard output instead of a pseudo-terminal; many "
        "programs then print late",
    )
    group.add_argument(
        "--match-by",
        metavar="KEYPATH",
        help="match an answer to the message that has the same value at this key path, such as id, "
        "header.id or $.calls[0].id; after it, ,!KEYPATH names what an answer does not have: id,!method "
        "(default: answers are matched in the order of the messages)",
    )
    group.add_argument(
        "--max-message-size",
        type=_parse_size,
        metavar="SIZE",
        help="limit for a message in either direction, such as 500k or 256M (default: 64M)",
    )


def _add_scripts(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--script",
        nargs="*",
        action="extend",
        metavar="FILE",
        help="run scripts, without a screen, each with its own child; '-' reads one from standard input; "
        "without FILE, run the built-in conversation",
    )
    group.add_argument(
        "--check",
        nargs="*",
        action="extend",
        metavar="FILE",
        help="run nothing; report all mistakes in scripts, these and those of --script",
    )
    group.add_argument(
        "--jobs",
        type=_parse_jobs,
        metavar="N",
        help="run N scripts at the same time (default: one for each processor)",
    )
    group.add_argument(
        "--retries",
        type=_parse_retries,
        metavar="N",
        help="run a script that fails up to N times more; one that then passes is reported as flaky",
    )
    group.add_argument(
        "-x",
        "--exitfirst",
        dest="exit_first",
        action="store_true",
        help="start no further script once one has failed",
    )
    group.add_argument(
        "--quiet",
        action=argparse.BooleanOptionalAction,
        help="show what a child prints only if its script fails; the default where CI is set",
    )
    group.add_argument(
        "--report",
        type=_parse_report,
        action="append",
        metavar="KIND=FILE",
        help="write a report: junit=FILE or tap=FILE, '-' for standard output; github for annotations of a "
        "workflow's step; can be repeated",
    )
    group.add_argument(
        "--record-failures",
        metavar="DIR",
        help="keep a recording of each failed script in this directory",
    )
    group.add_argument(
        "--set",
        type=_parse_variable,
        action="append",
        dest="variables",
        metavar="NAME=VALUE",
        help="what {{NAME}} in scripts stands for, a value as in a message; can be repeated",
    )
    group.add_argument(
        "--strict",
        action="store_true",
        help="fail a script if there are messages that no step took; with --check, if there are warnings",
    )
    group.add_argument(
        "--update",
        action="store_true",
        help="rewrite the messages and exit codes that scripts expect to those that came; comments, layout "
        "and what matched stay",
    )


def _add_recordings(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--record",
        metavar="FILE",
        help="record everything that happens to this file; a recording in it is replaced",
    )
    group.add_argument(
        "--replay",
        metavar="FILE",
        help="show a recording instead of running a child; with --format, print it; '-' reads it from "
        "standard input",
    )
    group.add_argument(
        "--follow",
        action="store_true",
        help="go on while the recording is still written, and wait for one that is not there yet",
    )
    group.add_argument(
        "--wall-clock",
        action="store_true",
        help="show the local time of day of each event (in jsonl: UTC) instead of the seconds since the "
        "session began",
    )
    group.add_argument(
        "--speed",
        type=_parse_speed,
        metavar="X",
        help="replay X times as fast as it happened, or 'max' for no pauses (default: 1)",
    )
    group.add_argument(
        "--save-script",
        metavar="FILE",
        help="write a script that repeats the recorded session to a new file, '-' for standard output",
    )
    group.add_argument(
        "--format",
        choices=("text", "jsonl"),
        help="print a recording, or what scripts do: as text, or as one JSON object per line",
    )


def _add_taps(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--tap",
        action="store_true",
        help="to be put before the child's command, in a parent of your own: run the child, and record what "
        "the two say to each other",
    )
    group.add_argument(
        "--watch",
        nargs="?",
        const="",
        metavar="NAME",
        help="follow a tap in the explorer, or with --format print it; without NAME, list the taps",
    )


def _parse_seconds(text: str) -> float:
    return _parse_positive(text, f"invalid number of seconds {text!r}; give a number above 0")


def _parse_speed(text: str) -> float:
    if text == "max":
        return UNLIMITED_SPEED
    return _parse_positive(text, f"invalid speed {text!r}; give a number above 0, or 'max'")


def _parse_positive(text: str, complaint: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(complaint)
    return number


def _parse_jobs(text: str) -> int:
    return _parse_count(text, 1, "jobs")


def _parse_retries(text: str) -> int:
    return _parse_count(text, 0, "retries")


def _parse_count(text: str, least: int, noun: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS and int(text) >= least):
        raise argparse.ArgumentTypeError(
            f"invalid number of {noun} {text!r}; give a number from {least} to {10**_MAX_DIGITS - 1}"
        )
    return int(text)


def _parse_size(text: str) -> int:
    found = re.fullmatch(r"([1-9]\d{0,11})([kMG]?)", text)
    if found is None:
        raise argparse.ArgumentTypeError(
            f"invalid size {text!r}; give a number of bytes, such as 500k, 256M or 2G"
        )
    return int(found[1]) * _SIZE_UNITS[found[2]]


def _parse_variable(text: str) -> tuple[str, Any]:
    from tui_ipc.text.notation import parse_value

    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier() or not name.isascii():
        raise argparse.ArgumentTypeError(f"no name and value in {text!r}; write NAME=VALUE")
    return name, parse_value(value)


def _parse_report(text: str) -> tuple[str, str]:
    kind, sign, file = text.partition("=")
    if text == "github":
        return kind, "/dev/stderr"  # a step's log has both streams
    if kind not in REPORT_KINDS:
        known = " or ".join(f"{each}=FILE" for each in REPORT_KINDS)
        raise argparse.ArgumentTypeError(f"unknown kind of report in {text!r}; write {known}")
    if not (sign and file):
        raise argparse.ArgumentTypeError(
            f"no file name in {text!r}; write {kind}=FILE, or {kind}=- for standard output"
        )
    return kind, file


def _explain_unknown_argument(parser: _Parser, unknown: str, argv: list[str], options: Options) -> str:
    """Return the fact that an argument is unknown, with the likely remedy."""
    if unknown.startswith("-"):
        import re

        from tui_ipc.text import suggest_name

        known = re.findall(r"--[a-z-]+", argparse.ArgumentParser.format_help(parser))
        return f"unknown option {unknown!r}{suggest_name(unknown.partition('=')[0], known)}"
    if options.script is not None or options.check is not None:
        return f"unknown argument {unknown!r}; script files come right after --script, a command after --"
    import shlex

    index = argv.index(unknown)
    if unknown.endswith(".tipc") and options.replay is None:
        suggested = [*argv[:index], "--script", *argv[index:]]
        return f"unknown argument {unknown!r}; put scripts after --script: tui-ipc {shlex.join(suggested)}"
    if "--" in argv:
        return f"unknown argument {unknown!r} before --"
    suggested = [*argv[:index], "--", *argv[index:]]
    return f"unknown argument {unknown!r}; put the child's command after --: tui-ipc {shlex.join(suggested)}"
