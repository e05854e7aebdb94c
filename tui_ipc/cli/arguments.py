"""The arguments of the command line: what may be written, the help, and what is said of anything else.

The one rule: whatever is wrong is told in one line that says what was meant, and where to read on; the exit
code is 2.
"""

import argparse
import math
from collections.abc import Sequence
from typing import Final, NoReturn

from tui_ipc import __version__
from tui_ipc.cli.options import find_conflict
from tui_ipc.script import EXIT_CODE_MEANINGS, ExitCode

UNLIMITED_SPEED: Final = math.inf
"""What ``--speed max`` stands for."""

REPORT_KINDS: Final = ("junit", "tap")
"""The kinds of report that ``--report`` knows."""

_USAGE: Final = """\
tui-ipc [options] [-- COMMAND ARGS...]
       tui-ipc --script [FILE...] [options] [-- COMMAND ARGS...]
       tui-ipc --check FILE...
       tui-ipc --replay FILE [--format text|jsonl | --speed X]
       tui-ipc --replay FILE --save-script FILE"""

_EXAMPLES: Final = """\
examples:
  tui-ipc                                    explore the built-in child
  tui-ipc -- ./my-plugin --flag              explore a program of your own
  tui-ipc --script                           its built-in conversation, headless
  tui-ipc --script talk.tipc -- ./my-plugin  a conversation of your own, for CI
  tui-ipc --script tests/*.tipc --report junit=report.xml -- ./my-plugin
                                             many, each with a child of its own
  prove --exec "tui-ipc --report tap=- --script" tests/*.tipc
                                             the same, as tests of prove's
  tui-ipc --record run.rec -- ./my-plugin    keep everything that happens, with
                                             or without --script
  tui-ipc --replay run.rec                   explore it later, as it happened
  tui-ipc --replay run.rec --format text     print it; jsonl is for programs
  tui-ipc --replay run.rec --save-script talk.tipc
                                             make a script of it
  tui-ipc --match-by id -- ./my-server       answers name what they answer

The child finds its server by its last argument, channel_name:NAME (or wherever
its command has {channel_name}), and by the environment variable TUI_IPC_SERVER.

What the child prints goes to standard output, to a terminal with its control
characters made visible; its standard error goes to ours, each line marked.
Where a report or --format jsonl takes standard output, what the child prints
goes to standard error as well, marked likewise.
"""


class Options(argparse.Namespace):
    """What the command line says. None stands for what it does not say, as False does for a flag.

    Attributes:
        command: The child's, what stands behind ``--``.
        script: The scripts' files, those of ``--check`` included; empty for the built-in conversation.
        report: Kinds and files of reports.
        speed: Of a replay; :data:`FASTEST` for no pauses.
    """

    command: list[str] | None
    script: list[str] | None
    check: list[str] | None
    format: str | None
    report: list[tuple[str, str]] | None
    record: str | None
    record_failures: str | None
    update: bool
    replay: str | None
    speed: float | None
    save_script: str | None
    match_by: str | None
    timeout: float | None
    no_pty: bool
    cwd: str | None


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Fits any terminal; asking for this one's width would import shutil, at each start."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80, max_help_position=26)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, then where to read on."""

    def error(self, message: str) -> NoReturn:
        self.exit(ExitCode.USAGE, f"{self.prog}: {message}\nTry '{self.prog} --help'.\n")

    def format_help(self) -> str:
        from tui_ipc.script.language.steps import GRAMMAR

        codes = "".join(f"  {code:<4} {meaning}\n" for code, meaning in EXIT_CODE_MEANINGS)
        ends = f"exit codes; of several scripts the highest counts:\n{codes}"
        return "\n".join((super().format_help(), _EXAMPLES, GRAMMAR, ends))


def parse_arguments(words: Sequence[str]) -> Options:
    """Understand the arguments behind the program's name.

    Raises:
        SystemExit: They cannot be understood, or contradict each other, which was told (code 2); or they
            asked for the help or the version (code 0).
    """
    parser = _build_parser()
    given, command = list(words), None
    if "--" in words:
        place = given.index("--")
        given, command = given[:place], given[place + 1 :]
    options, strange = parser.parse_known_args(given, Options())
    if strange:
        parser.error(_explain_unknown_argument(parser, strange[0], list(words), options))
    if command is not None and not (command and command[0]):
        parser.error("a command must follow --")
    options.command = command
    if options.check is not None:
        options.script = [*(options.script or ()), *options.check]
    if complaint := find_conflict(options):
        parser.error(complaint)
    return options


def exit_with_usage_error(complaint: str) -> NoReturn:
    """End the program for what the user asked of it.

    Raises:
        SystemExit: With code 2, after the complaint was told.
    """
    _Parser(prog="tui-ipc", add_help=False).error(complaint)


def _build_parser() -> _Parser:
    parser = _Parser(
        prog="tui-ipc",
        usage=_USAGE,
        description="Spawn a child, talk to it over IPC channels, and see everything that happens.",
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"tui-ipc {__version__}")
    _add_child(parser.add_argument_group("the child"))
    _add_scripts(parser.add_argument_group("scripts"))
    _add_recordings(parser.add_argument_group("recordings"))
    return parser


def _add_child(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--timeout",
        type=_parse_seconds,
        metavar="SECONDS",
        help="for the handshake, and in scripts for each message (default: 5)",
    )
    group.add_argument("--cwd", metavar="DIR", help="start the child in this directory")
    group.add_argument(
        "--no-pty",
        action="store_true",
        help="give the child a pipe as standard output instead of a pseudo-terminal; it may keep lines back",
    )
    group.add_argument(
        "--match-by",
        metavar="KEYPATH",
        help="a message from the child answers the one with the same value there, as in id or header.id "
        "(default: messages are answered in their order)",
    )


def _add_scripts(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--script",
        nargs="*",
        action="extend",
        metavar="FILE",
        help="run scripts one after the other, without a screen; '-' reads one from standard input, without "
        "FILE it is the built-in conversation",
    )
    group.add_argument(
        "--check",
        nargs="*",
        action="extend",
        metavar="FILE",
        help="only read scripts, these and those of --script, and say what is wrong",
    )
    group.add_argument(
        "--report",
        type=_parse_report,
        action="append",
        metavar="KIND=FILE",
        help="write a report, junit=FILE or tap=FILE, '-' for standard output; may be repeated",
    )
    group.add_argument(
        "--record-failures",
        metavar="DIR",
        help="keep a recording of each script that fails in this directory",
    )
    group.add_argument(
        "--update",
        action="store_true",
        help="rewrite the messages and exit codes that scripts expect by those that come; comments, layout "
        "and what matches stay",
    )


def _add_recordings(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--record", metavar="FILE", help="write everything that happens to this file")
    group.add_argument(
        "--replay",
        metavar="FILE",
        help="show a recording instead of running a child; with --format, print it",
    )
    group.add_argument(
        "--speed",
        type=_parse_speed,
        metavar="X",
        help="show the recording so many times as fast as it happened, or 'max' (default: 1)",
    )
    group.add_argument(
        "--save-script",
        metavar="FILE",
        help="write the script that has the recorded session happen again to a new file, '-' for standard "
        "output",
    )
    group.add_argument(
        "--format",
        choices=("text", "jsonl"),
        help="print a recording, or what scripts do: for people, or as one JSON object a line",
    )


def _parse_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return seconds


def _parse_speed(text: str) -> float:
    if text == "max":
        return UNLIMITED_SPEED
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number above 0 nor 'max'")
    return speed


def _parse_report(text: str) -> tuple[str, str]:
    kind, sign, file = text.partition("=")
    if kind not in REPORT_KINDS:
        known = " or ".join(f"{each}=FILE" for each in REPORT_KINDS)
        raise argparse.ArgumentTypeError(f"{text!r} names no kind of report that is known; write {known}")
    if not (sign and file):
        raise argparse.ArgumentTypeError(
            f"{text!r} names no file; write {kind}=FILE, or {kind}=- for standard output"
        )
    return kind, file


def _explain_unknown_argument(parser: _Parser, strange: str, words: list[str], options: Options) -> str:
    """What to do about an argument that is none of ours."""
    if strange.startswith("-"):
        import re

        from tui_ipc.text import suggest_name

        known = re.findall(r"--[a-z-]+", argparse.ArgumentParser.format_help(parser))
        return f"unknown option {strange!r}{suggest_name(strange.partition('=')[0], known)}"
    if options.script is not None or options.check is not None:
        return f"unknown argument {strange!r}; scripts' files come right after --script, a command after --"
    import shlex

    place = words.index(strange)
    if strange.endswith(".tipc") and options.replay is None:
        meant = [*words[:place], "--script", *words[place:]]
        return f"unknown argument {strange!r}; name scripts behind --script: tui-ipc {shlex.join(meant)}"
    if "--" in words:
        return f"unknown argument {strange!r} before --"
    meant = [*words[:place], "--", *words[place:]]
    return f"unknown argument {strange!r}; put the child's command behind --: tui-ipc {shlex.join(meant)}"
