"""The options of the command line, and which of them cannot go together. Pure.

An option that would do nothing is refused and not ignored: the user expects something of it.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from typing import Any, Final

UNLIMITED_SPEED: Final = math.inf
"""The value of ``--speed max``."""

REPORT_KINDS: Final = ("junit", "tap", "github")
"""The kinds of report that ``--report`` knows."""


class Options(argparse.Namespace):
    """The parsed command line. An option that was not given is None, a flag False.

    Attributes:
        command: The child's command, what comes after ``--``.
        script: The files of scripts, those of ``--check`` included; empty for the built-in conversation.
        report: Kinds and files of reports.
        speed: Of a replay; :data:`UNLIMITED_SPEED` for no pauses.
        watch: The name of a tap; empty to list them.
    """

    command: list[str] | None
    script: list[str] | None
    check: list[str] | None
    format: str | None
    report: list[tuple[str, str]] | None
    record: str | None
    record_failures: str | None
    strict: bool
    variables: list[tuple[str, Any]] | None
    jobs: int | None
    retries: int | None
    exit_first: bool
    quiet: bool | None
    update: bool
    replay: str | None
    follow: bool
    wall_clock: bool
    speed: float | None
    save_script: str | None
    match_by: str | None
    max_message_size: int | None
    timeout: float | None
    no_pty: bool
    cwd: str | None
    tap: bool
    watch: str | None


_FOR_RUNNING_SCRIPTS: Final = (
    "--report",
    "--record-failures",
    "--jobs",
    "--retries",
    "--exitfirst",
    "--quiet",
    "--update",
)
_FOR_SCRIPTS: Final = ("--check", "--set", "--strict", *_FOR_RUNNING_SCRIPTS)
_FOR_RUNNING: Final = (
    "--record",
    "--match-by",
    "--max-message-size",
    "--timeout",
    "--cwd",
    "--no-pty",
)
_NOT_FOR_CHECK: Final = ("--format", "--record", *_FOR_RUNNING_SCRIPTS)

_ATTRIBUTES: Final = {
    "a command": "command",
    "--check": "check",
    "--cwd": "cwd",
    "--exitfirst": "exit_first",
    "--follow": "follow",
    "--format": "format",
    "--jobs": "jobs",
    "--match-by": "match_by",
    "--max-message-size": "max_message_size",
    "--no-pty": "no_pty",
    "--quiet": "quiet",
    "--record": "record",
    "--record-failures": "record_failures",
    "--replay": "replay",
    "--report": "report",
    "--retries": "retries",
    "--script": "script",
    "--set": "variables",
    "--save-script": "save_script",
    "--speed": "speed",
    "--strict": "strict",
    "--tap": "tap",
    "--timeout": "timeout",
    "--update": "update",
    "--wall-clock": "wall_clock",
    "--watch": "watch",
}
"""Where :class:`Options` has each option."""


def find_conflict(options: Options) -> str | None:
    """Find what cannot be done as it was asked for; return the fact and the remedy, None if all of it can."""
    checks: tuple[Callable[[Options], str | None], ...] = (
        _check_tap,
        _check_watch,
        _check_replay,
        _check_without_replay,
        _check_scripts,
        _check_files,
        _check_stdout,
    )
    return next((conflict for check in checks if (conflict := check(options))), None)


def _first_given(options: Options, *names: str) -> str | None:
    """Return the first of some options that was given; ``a command`` is one."""
    attributes = vars(options)
    for name in names:
        if attributes[_ATTRIBUTES[name]] not in (None, False):
            return name
    return None


def _check_tap(options: Options) -> str | None:
    if not options.tap:
        return None
    if options.command is None:
        return "--tap needs the child's command; write it after --"
    others = ("--script", "--replay", "--watch", "--format", "--timeout", "--cwd", "--no-pty", "--wall-clock")
    if name := _first_given(options, *_FOR_SCRIPTS, *others):
        return f"--tap passes on what a parent and its child say; {name} does not go with it"
    return None


def _check_watch(options: Options) -> str | None:
    if options.watch is None:
        return None
    others = ("a command", "--script", "--replay", "--follow", "--speed", "--save-script")
    if name := _first_given(options, *others, *_FOR_SCRIPTS, *_FOR_RUNNING):
        return f"--watch shows a tap while it goes on; {name} does not go with it"
    if not options.watch and (name := _first_given(options, "--format", "--wall-clock")):
        return f"--watch alone lists the taps; name one for {name}"
    return None


def _check_replay(options: Options) -> str | None:
    if options.replay is None:
        return None
    if name := _first_given(options, "a command", *_FOR_SCRIPTS, "--script", *_FOR_RUNNING):
        return f"--replay shows a recording and runs no child; {name} does not go with it"
    if not options.replay:
        return "--replay needs a file name"
    if options.save_script is not None and (
        name := _first_given(options, "--format", "--speed", "--follow", "--wall-clock")
    ):
        return f"--save-script writes a script and shows nothing; {name} does not go with it"
    if options.format is not None and options.speed is not None:
        return "--format prints as fast as it can; --speed is for the explorer, without --format"
    if options.follow and options.speed is not None:
        return "--follow shows what happens as it happens; --speed does not go with it"
    return None


def _check_without_replay(options: Options) -> str | None:
    if options.replay is not None or options.watch is not None:
        return None
    if name := _first_given(options, "--speed", "--save-script", "--follow"):
        return f"{name} needs a recording; name it with --replay FILE"
    if options.script is not None:
        if options.wall_clock:
            return "--wall-clock is for the explorer and for recordings; it does not go with --script"
        return None
    if options.format is not None:
        return "--format needs scripts or a recording; add --script or --replay FILE"
    if name := _first_given(options, *_FOR_SCRIPTS):
        return f"{name} needs scripts; name them with --script FILE"
    return None


def _check_scripts(options: Options) -> str | None:
    if options.script is None:
        return None
    if options.script.count("-") > 1:
        count = options.script.count("-")
        return f"standard input can be only one script, and '-' is given {count} times; name files"
    if options.check is not None:
        if name := _first_given(options, *_NOT_FOR_CHECK):
            return f"--check runs nothing; {name} does not go with it"
        if not options.script:
            return "--check needs scripts to read; name them: --check FILE"
    if options.update and (not options.script or "-" in options.script):
        return "--update rewrites files; name them with --script FILE"
    if options.update and (twice := _first_duplicate(options.script)):
        return f"--update rewrites a script after one run of it, and {twice!r} is given twice; give it once"
    if options.record is not None and len(options.script) > 1:
        return (
            f"--record takes one script, and {len(options.script)} are given; "
            "--record-failures DIR keeps a recording of each that fails"
        )
    if options.record is not None and options.retries:
        return "--record takes one run of a script; with --retries, use --record-failures DIR"
    return None


def _check_files(options: Options) -> str | None:
    if options.record == "":
        return "--record needs a file name"
    if options.save_script == "":
        return "--save-script needs a file name"
    if options.record_failures == "":
        return "--record-failures needs a directory name"
    if options.record is not None and options.record_failures is not None:
        return "--record keeps a recording in any case, --record-failures only of a failure; give one of them"
    files = [file for _, file in options.report or () if file != "-"]
    if options.record is not None:
        files.append(options.record)
    if twice := _first_duplicate(files):
        return f"{twice!r} is named for two outputs; give each report and recording a file of its own"
    return None


def _first_duplicate(files: Sequence[str]) -> str | None:
    return next((file for file in files if files.count(file) > 1), None)


def _check_stdout(options: Options) -> str | None:
    users = [f"--report {kind}=-" for kind, file in options.report or () if file == "-"]
    if options.script is not None and options.format == "jsonl":
        users.insert(0, "--format jsonl")
    if len(users) > 1:
        return f"{' and '.join(users)} both use standard output; write one of them to a file"
    return None
