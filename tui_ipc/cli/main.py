"""The command line: chooses the explorer or scripts, runs them and returns the exit code.

Nothing of either is imported before it is chosen: each start pays only for what it uses.
"""

import gc
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from tui_ipc.cli.arguments import exit_with_usage_error, parse_arguments
from tui_ipc.cli.options import UNLIMITED_SPEED, Options
from tui_ipc.script import SIGNAL_EXIT_BASE, ExitCode

if TYPE_CHECKING:
    from tui_ipc.events import AnyEvent
    from tui_ipc.session.run import SessionOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``tui-ipc``.

    Args:
        arguments: Those after the program's name; None for this process's own.

    Returns:
        The exit code.

    Raises:
        SystemExit: With code 2 if the arguments are wrong, 0 if they asked for the help or the version, 70 if
            this program failed.
    """
    try:
        options = parse_arguments(sys.argv[1:] if arguments is None else arguments)
        if options.tap:
            return _run_tap(options)
        if options.watch is not None:
            return _run_watch(options, options.watch)
        return _run_child(options) if options.replay is None else _run_replay(options, options.replay)
    except KeyboardInterrupt:  # before there was a child, or after
        return SIGNAL_EXIT_BASE + signal.SIGINT
    except (
        Exception
    ) as error:  # of the explorer or of scripts: whatever a user, a child or a file did is handled there
        from tui_ipc.cli.defects import report_defect

        raise SystemExit(report_defect(error)) from error


def _run_child(options: Options) -> int:
    session_options = _make_session_options(options)
    if options.script is not None:
        return _run_scripts(options, options.script, session_options)
    _require_terminal("--script")
    _import_explorer()
    from tui_ipc.tui.launch import run_explorer

    return run_explorer(
        options.command,
        session_options,
        record=options.record,
        save_script=_session_to_script,
        wall_clock=options.wall_clock,
    )


def _make_session_options(options: Options) -> "SessionOptions":
    from tui_ipc.ipc.wire import DEFAULT_MAX_MESSAGE_SIZE
    from tui_ipc.osutil.spawn import find_colour_terminal
    from tui_ipc.session.run import SessionOptions

    try:
        return SessionOptions(
            cwd=options.cwd,
            timeout=5.0 if options.timeout is None else options.timeout,
            pty=not options.no_pty,
            terminal="dumb" if options.script is not None else find_colour_terminal(),
            match=options.match_by,
            max_message_size=options.max_message_size or DEFAULT_MAX_MESSAGE_SIZE,
        )
    except ValueError as error:
        exit_with_usage_error(f"--match-by: {error}")


def _run_scripts(options: Options, files: Sequence[str], session_options: "SessionOptions") -> int:
    """Run scripts, or only check them."""
    variables = dict(options.variables or ())
    if options.check is not None:
        from tui_ipc.script.files import run_check_scripts

        return run_check_scripts(files, variables, strict=options.strict)
    from tui_ipc.script.runner.runner import RunOptions
    from tui_ipc.script.suite import SuiteOptions, run_scripts

    return run_scripts(
        files,
        options.command,
        session_options,
        RunOptions(options.update, options.strict),
        SuiteOptions(
            options.jobs,
            options.exit_first,
            options.retries or 0,
            options.record,
            options.record_failures,
            options.format or "text",
            options.report or (),
            options.quiet,
            variables,
        ),
    )


def _run_tap(options: Options) -> int:
    """Become the child of a parent that is not ours; returns only if that is not possible."""
    from tui_ipc.ipc.wire import DEFAULT_MAX_MESSAGE_SIZE
    from tui_ipc.osutil.spawn import SpawnError
    from tui_ipc.tap.launch import NothingToTapError, TapOptions, run_tap

    assert options.command is not None
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # as it is for the child
    if options.match_by is not None:
        from tui_ipc.session.correlation import parse_rule

        try:
            parse_rule(options.match_by)
        except ValueError as error:
            exit_with_usage_error(f"--match-by: {error}")
    tap_options = TapOptions(
        record=None if options.record is None else os.path.abspath(options.record),
        match_by=options.match_by,
        max_message_size=options.max_message_size or DEFAULT_MAX_MESSAGE_SIZE,
    )
    try:
        run_tap(options.command, tap_options)
    except NothingToTapError as error:
        exit_with_usage_error(str(error))
    except SpawnError as error:
        sys.stderr.write(f"tui-ipc: {error}\n")
        return ExitCode.NO_HANDSHAKE


def _run_watch(options: Options, name: str) -> int:
    """List the taps, or follow one."""
    from tui_ipc.recording.codec import RecordingError
    from tui_ipc.tap.tap_files import describe_tap_files, find_tap_file

    try:
        if not name:
            width = os.get_terminal_size(1).columns if os.isatty(1) else None
            sys.stdout.write(describe_tap_files(width or None))
            return ExitCode.PASSED
        options.follow = True
        return _run_replay(options, find_tap_file(name).path)
    except RecordingError as error:
        exit_with_usage_error(str(error))


def _run_replay(options: Options, path: str) -> int:
    """Show or print a recording, or make a script from it."""
    has_terminal = os.isatty(1) and (path == "-" or os.isatty(0))
    if path == "-":
        from tui_ipc.recording.reader import spool

        # The explorer needs descriptor 0 for the keys, so the recording is read from a duplicate.
        path = spool(os.dup(0), in_background=options.follow)
    if options.save_script is not None:
        from tui_ipc.script.record_to_script import run_record_to_script

        return run_record_to_script(path, options.save_script)
    if options.format is not None:
        from tui_ipc.script.print_recording import run_print_recording

        return run_print_recording(path, options.format, follow=options.follow, wall_clock=options.wall_clock)
    if not has_terminal:
        _require_terminal("--format text, or jsonl")
    if not os.isatty(0):
        _take_terminal_as_input()
    _import_explorer()
    from tui_ipc.tui.launch import run_replay

    speed = 1.0 if options.speed is None else options.speed
    save_script = partial(_session_to_script, source=path)
    return run_replay(
        path,
        speed=None if speed == UNLIMITED_SPEED or options.follow else speed,
        follow=options.follow,
        wall_clock=options.wall_clock,
        save_script=save_script,
    )


def _take_terminal_as_input() -> None:
    """Have standard input be the terminal again, for the keys, after something else was read from it."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        exit_with_usage_error(
            "the explorer needs a terminal for its keys; print with --format text, or jsonl"
        )
    os.dup2(terminal, 0)
    os.close(terminal)


def _import_explorer() -> None:
    # Saves 35 ms: the collector would look again and again through what is imported, all of which stays.
    gc.disable()
    try:
        import tui_ipc.tui.launch  # noqa: F401
    finally:
        gc.enable()


def _session_to_script(
    events: "Iterable[AnyEvent]", command: Sequence[str], *, first_missing: bool, source: str = "the explorer"
) -> str:
    """Write a script for the explorer, which may not import the scripts' package."""
    from tui_ipc.script.record_to_script import convert_events_to_script

    return convert_events_to_script(events, command, first_missing=first_missing, source=source)


def _require_terminal(alternative: str) -> None:
    if not (os.isatty(0) and os.isatty(1)):
        exit_with_usage_error(f"the explorer needs a terminal; for a pipe or CI, use {alternative}")
