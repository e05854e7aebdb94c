"""The command line: picks a face and turns everything that a user may get wrong into one clear line.

The one rule: nothing of a face is imported before that face is chosen.
"""

import argparse
import math
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from tui_ipc import __version__
from tui_ipc.script.exit_codes import MEANINGS, SIGNALLED, ExitCode

_CONVERSATION: Final = object()
"""What ``--script`` stands for without a file."""

_FASTEST: Final = math.inf
"""What ``--speed max`` stands for."""

_OPTIONS: Final = (
    *("--script", "--record", "--replay", "--format", "--speed", "--match-by"),
    *("--timeout", "--no-pty", "--cwd", "--version", "--help"),
)

_EXAMPLES: Final = """\
examples:
  tui-ipc                                    explore the built-in child
  tui-ipc -- ./my-plugin --flag              explore a program of your own
  tui-ipc --script                           its built-in conversation, headless
  tui-ipc --script talk.tipc -- ./my-plugin  a conversation of your own, for CI
  tui-ipc --record run.rec -- ./my-plugin    keep everything that happens, with or
                                             without --script
  tui-ipc --replay run.rec                   explore it later, as it happened
  tui-ipc --replay run.rec --format text     print it; jsonl is for programs
  tui-ipc --match-by id -- ./my-server       answers name the message they answer

The child finds its server by its last argument, channel_name:NAME (or wherever
its command has {channel_name}), and by the environment variable TUI_IPC_SERVER.

scripts, one step a line:
  > VALUE   send a message: JSON; a Python literal of bytes, tuple, list, dict;
            any other text is a string as it stands
  < VALUE   the next message must be this
  quit      tell the child to quit, and see it end well (implied at the end)
  # ...     a comment

What the child prints goes to standard output, to a terminal with its control
characters made visible; its standard error goes to ours, each line marked.

exit codes:
"""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Fits any terminal; asking for this one's width would import shutil, at each start."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, then where to read on."""

    def error(self, message: str) -> NoReturn:
        self.exit(ExitCode.USAGE, f"{self.prog}: {message}\nTry '{self.prog} --help'.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="tui-ipc",
        usage="tui-ipc [--script [FILE]] [options] [-- COMMAND ARGS...]\n"
        "       tui-ipc --replay FILE [--format text|jsonl | --speed X]",
        description="Spawn a child, talk to it over IPC channels, and see everything that happens.",
        epilog=_EXAMPLES + "\n".join(f"  {code:<4} {meaning}" for code, meaning in MEANINGS),
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--script",
        nargs="?",
        const=_CONVERSATION,
        metavar="FILE",
        help="run a script without a screen; '-' reads it from standard input, without FILE it is the "
        "built-in conversation",
    )
    parser.add_argument("--record", metavar="FILE", help="write everything that happens to this file")
    parser.add_argument(
        "--replay",
        metavar="FILE",
        help="show a recording instead of running a child; with --format, print it",
    )
    parser.add_argument(
        "--format",
        choices=("text", "jsonl"),
        help="print the recording: for people, or one JSON object a line",
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        metavar="X",
        help="show the recording so many times as fast as it happened, or 'max' (default: 1)",
    )
    parser.add_argument(
        "--match-by",
        metavar="KEYPATH",
        help="a message from the child answers the one with the same value there, as in id or header.id "
        "(default: messages are answered in their order)",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        metavar="SECONDS",
        help="for the handshake, and in scripts for each message (default: 5)",
    )
    parser.add_argument(
        "--no-pty",
        action="store_true",
        help="give the child a pipe as standard output instead of a pseudo-terminal; it may keep lines back",
    )
    parser.add_argument("--cwd", metavar="DIR", help="start the child in this directory")
    parser.add_argument("--version", action="version", version=f"tui-ipc {__version__}")
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return seconds


def _speed(text: str) -> float:
    if text == "max":
        return _FASTEST
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number above 0 nor 'max'")
    return speed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``tui-ipc``.

    Args:
        arguments: Those behind the program's name; None takes this process's own.

    Returns:
        The exit code; what is wrong with the arguments ends the process with 2.
    """
    try:
        return _run(list(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:  # before there was a child, or after
        return SIGNALLED + signal.SIGINT


def _run(words: list[str]) -> int:
    parser = _parser()
    given, command = words, None
    if "--" in words:
        place = words.index("--")
        given, command = words[:place], words[place + 1 :]
    options, strange = parser.parse_known_args(given)
    if strange:
        parser.error(_about(strange[0], words, after_script=options.script is _CONVERSATION))
    if command is not None and not (command and command[0]):
        parser.error("a command must follow --")
    if options.replay is not None:
        return _replay(parser, options, command)
    for name, value in (("--format", options.format), ("--speed", options.speed)):
        if value is not None:
            parser.error(f"{name} is for a recording, and none is given; name it with --replay FILE")
    return _talk(parser, options, command)


def _talk(parser: argparse.ArgumentParser, options: argparse.Namespace, command: list[str] | None) -> int:
    """Run a child, in the face that was asked for."""
    if options.record == "":
        parser.error("--record needs the name of a file")
    if options.match_by is not None:
        from tui_ipc.session.matching import parts

        try:
            parts(options.match_by)
        except ValueError as error:
            parser.error(f"--match-by: {error}")
    settings = {
        "cwd": options.cwd,
        "timeout": 5.0 if options.timeout is None else options.timeout,
        "pty": not options.no_pty,
        "record": options.record,
        "match": options.match_by,
    }
    if options.script is not None:
        from tui_ipc.script.headless import run_headless

        file = None if options.script is _CONVERSATION else options.script
        return run_headless(file, command, **settings)
    if not (os.isatty(0) and os.isatty(1)):
        parser.error("the explorer needs a terminal; for a pipe or CI there is --script")
    from tui_ipc.tui.launch import run_explorer

    return run_explorer(command, **settings)


def _replay(parser: argparse.ArgumentParser, options: argparse.Namespace, command: list[str] | None) -> int:
    """Show or print a recording; no child is run, so whatever is for one contradicts that."""
    foreign = {
        "a command": command,
        "--script": options.script,
        "--record": options.record,
        "--match-by": options.match_by,
        "--timeout": options.timeout,
        "--cwd": options.cwd,
        "--no-pty": options.no_pty or None,
    }
    for name, value in foreign.items():
        if value is not None:
            parser.error(f"--replay shows what was recorded and runs no child; {name} does not go with it")
    if not options.replay:
        parser.error("--replay needs the name of a file")
    if options.format is not None:
        if options.speed is not None:
            parser.error("--format prints as fast as it can; --speed is for the explorer, without --format")
        from tui_ipc.script.replaying import run_replaying

        return run_replaying(options.replay, options.format)
    if not (os.isatty(0) and os.isatty(1)):
        parser.error("the explorer needs a terminal; for a pipe or CI there is --format text, or jsonl")
    from tui_ipc.tui.launch import run_replay

    speed = 1.0 if options.speed is None else options.speed
    return run_replay(options.replay, speed=None if speed == _FASTEST else speed)


def _about(strange: str, words: list[str], *, after_script: bool) -> str:
    """What to do about an argument that is none of ours."""
    if strange.startswith("-"):
        import difflib

        meant = difflib.get_close_matches(strange.partition("=")[0], _OPTIONS, 1)
        return f"unknown option {strange!r}" + (f"; did you mean {meant[0]}?" if meant else "")
    if after_script:
        return f"unknown argument {strange!r}; a script's file comes right after --script, a command after --"
    if "--" in words:
        return f"unknown argument {strange!r} before --"
    import shlex

    place = words.index(strange)
    meant = [*words[:place], "--", *words[place:]]
    return f"unknown argument {strange!r}; put the child's command behind --: tui-ipc {shlex.join(meant)}"
