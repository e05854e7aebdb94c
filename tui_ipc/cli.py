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

_OPTIONS: Final = ("--script", "--timeout", "--no-pty", "--cwd", "--version", "--help")

_EXAMPLES: Final = """\
examples:
  tui-ipc                                    explore the built-in child
  tui-ipc -- ./my-plugin --flag              explore a program of your own
  tui-ipc --script                           its built-in conversation, headless
  tui-ipc --script talk.tipc -- ./my-plugin  a conversation of your own, for CI

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
        usage="tui-ipc [--script [FILE]] [options] [-- COMMAND ARGS...]",
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
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=5.0,
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
    settings = {"cwd": options.cwd, "timeout": options.timeout, "pty": not options.no_pty}
    if options.script is not None:
        from tui_ipc.script.headless import run_headless

        file = None if options.script is _CONVERSATION else options.script
        return run_headless(file, command, **settings)
    if not (os.isatty(0) and os.isatty(1)):
        parser.error("the explorer needs a terminal; for a pipe or CI there is --script")
    from tui_ipc.tui.app import run_explorer

    return run_explorer(command, **settings)


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
