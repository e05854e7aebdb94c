"""What on a command line cannot go together. Pure.

The one rule: an option that would do nothing is refused, never ignored: who wrote it expects something of it.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tui_ipc.cli.arguments import Options

_FOR_SCRIPTS: Final = ("--check", "--report", "--record-failures", "--update")
_FOR_RUNNING: Final = ("--record", "--match-by", "--timeout", "--cwd", "--no-pty")
_NOT_CHECKED: Final = ("--format", "--report", "--record", "--record-failures", "--update")


def find_conflict(options: "Options") -> str | None:
    """What cannot be done as it was asked for, and the remedy; None if all of it can."""
    rules: tuple[Callable[[Options], str | None], ...] = (
        _check_replay,
        _check_without_replay,
        _check_scripts,
        _check_files,
        _check_stdout,
    )
    return next((complaint for rule in rules if (complaint := rule(options))), None)


def _first_given(options: "Options", *names: str) -> str | None:
    """The first of some options that was given; ``a command`` is one."""
    for name in names:
        value = getattr(options, name.removeprefix("a ").removeprefix("--").replace("-", "_"))
        if value is not None and value is not False:
            return name
    return None


def _check_replay(options: "Options") -> str | None:
    """A recording is shown and no child is run, so whatever is for one contradicts that."""
    if options.replay is None:
        return None
    if name := _first_given(options, "a command", *_FOR_SCRIPTS, "--script", *_FOR_RUNNING):
        return f"--replay shows what was recorded and runs no child; {name} does not go with it"
    if not options.replay:
        return "--replay needs the name of a file"
    if options.save_script is not None and (name := _first_given(options, "--format", "--speed")):
        return f"--save-script writes a script and shows nothing; {name} does not go with it"
    if options.format is not None and options.speed is not None:
        return "--format prints as fast as it can; --speed is for the explorer, without --format"
    return None


def _check_without_replay(options: "Options") -> str | None:
    if options.replay is not None:
        return None
    if name := _first_given(options, "--speed", "--save-script"):
        return f"{name} is for a recording, and none is given; name it with --replay FILE"
    if options.script is not None:
        return None
    if options.format is not None:
        return "--format is for scripts and recordings, and none is given; add --script or --replay FILE"
    if name := _first_given(options, *_FOR_SCRIPTS):
        return f"{name} is for scripts, and none is given; name them with --script FILE"
    return None


def _check_scripts(options: "Options") -> str | None:
    if options.script is None:
        return None
    if options.script.count("-") > 1:
        return f"standard input holds one script, and '-' is given {options.script.count('-')} times"
    if options.check is not None:
        if name := _first_given(options, *_NOT_CHECKED):
            return f"--check runs nothing; {name} does not go with it"
        if not options.script:
            return "--check needs scripts to read; name them: --check FILE"
    if options.update and (not options.script or "-" in options.script):
        return "--update rewrites files; name them with --script FILE"
    if options.update and (twice := _first_duplicate(options.script)):
        return f"--update rewrites a script by one run of it, and {twice!r} is given twice"
    if options.record is not None and len(options.script) > 1:
        return (
            f"--record takes one script, and {len(options.script)} are given; "
            "--record-failures DIR keeps a recording of each that fails"
        )
    return None


def _check_files(options: "Options") -> str | None:
    if options.record == "":
        return "--record needs the name of a file"
    if options.save_script == "":
        return "--save-script needs the name of a file"
    if options.record_failures == "":
        return "--record-failures needs the name of a directory"
    if options.record is not None and options.record_failures is not None:
        return "--record keeps a recording however it ends, --record-failures only of a failure; give one"
    files = [file for _, file in options.report or () if file != "-"]
    if options.record is not None:
        files.append(options.record)
    if twice := _first_duplicate(files):
        return f"{twice!r} is to be written twice; give each report and recording a file of its own"
    return None


def _first_duplicate(files: Sequence[str]) -> str | None:
    """The first file that is named again, None if there is none."""
    return next((file for file in files if files.count(file) > 1), None)


def _check_stdout(options: "Options") -> str | None:
    takers = [f"--report {kind}=-" for kind, file in options.report or () if file == "-"]
    if options.script is not None and options.format == "jsonl":
        takers.insert(0, "--format jsonl")
    if len(takers) > 1:
        return f"standard output holds one thing, and {' and '.join(takers)} want it; write one into a file"
    return None
