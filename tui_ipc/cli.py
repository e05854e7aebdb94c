"""The command line: picks a face and answers with its exit code.

The one rule: nothing of a face is imported before that face is chosen.
"""

import gc
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from tui_ipc.arguments import FASTEST, Options, parse, refuse
from tui_ipc.script.exit_codes import SIGNALLED

if TYPE_CHECKING:
    from tui_ipc.session.events import Event


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``tui-ipc``.

    Args:
        arguments: Those behind the program's name; None takes this process's own.

    Returns:
        The exit code; what is wrong with the arguments ends the process with 2.
    """
    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
        return _talk(options) if options.replay is None else _replay(options, options.replay)
    except KeyboardInterrupt:  # before there was a child, or after
        return SIGNALLED + signal.SIGINT


def _talk(options: Options) -> int:
    """Run a child, in the face that was asked for."""
    if options.match_by is not None:
        from tui_ipc.session.matching import parts

        try:
            parts(options.match_by)
        except ValueError as error:
            refuse(f"--match-by: {error}")
    settings: dict[str, Any] = {
        "cwd": options.cwd,
        "timeout": 5.0 if options.timeout is None else options.timeout,
        "pty": not options.no_pty,
        "record": options.record,
        "match": options.match_by,
    }
    if options.script is not None:
        return _run_scripts(options, options.script, settings)
    _need_terminal("--script")
    _load_screen()
    from tui_ipc.tui.launch import run_explorer

    return run_explorer(options.command, save_script=_transcribe, **settings)


def _run_scripts(options: Options, files: Sequence[str], settings: dict[str, Any]) -> int:
    """Run scripts, or only read them."""
    if options.check is not None:
        from tui_ipc.script.loading import run_check

        return run_check(files)
    from tui_ipc.script.headless import run_headless

    return run_headless(
        files,
        options.command,
        record_failures=options.record_failures,
        format_=options.format or "text",
        reports=options.report or (),
        update=options.update,
        **settings,
    )


def _replay(options: Options, path: str) -> int:
    """Show or print a recording, or make a script of it."""
    if options.save_script is not None:
        from tui_ipc.script.extracting import run_extracting

        return run_extracting(path, options.save_script)
    if options.format is not None:
        from tui_ipc.script.replaying import run_replaying

        return run_replaying(path, options.format)
    _need_terminal("--format text, or jsonl")
    _load_screen()
    from tui_ipc.tui.launch import run_replay

    speed = 1.0 if options.speed is None else options.speed
    save_script = partial(_transcribe, source=path)
    return run_replay(path, speed=None if speed == FASTEST else speed, save_script=save_script)


def _load_screen() -> None:
    """Import what the explorer needs; to look for garbage meanwhile, where all of it stays, costs 35 ms."""
    gc.disable()
    try:
        import tui_ipc.tui.launch  # noqa: F401
    finally:
        gc.enable()


def _transcribe(
    events: "Iterable[Event]", command: Sequence[str], *, first_missing: bool, source: str = "the explorer"
) -> str:
    """What the explorer calls to save a script: it knows nothing of the other face."""
    from tui_ipc.script.saving import transcribe

    return transcribe(events, command, first_missing=first_missing, source=source)


def _need_terminal(otherwise: str) -> None:
    if not (os.isatty(0) and os.isatty(1)):
        refuse(f"the explorer needs a terminal; for a pipe or CI there is {otherwise}")
