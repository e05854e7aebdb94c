"""A script from the command line to its exit code.

The one rule: whatever happens, the child is ended and one exit code says how it went.
"""

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tui_ipc.script.exit_codes import SIGNALLED, ExitCode
from tui_ipc.script.language import Script, ScriptSyntaxError, parse
from tui_ipc.script.report import Transcript, give_up_stdout, narrate
from tui_ipc.script.runner import Verdict, run_script
from tui_ipc.script.seed import conversation
from tui_ipc.session.session import Session


class UnreadableScriptError(Exception):
    """There is no script to run; the text says why."""


def run_headless(file: str | None, command: Sequence[str] | None, *, timeout: float, **options: Any) -> int:
    """Run a script and say how it went.

    Args:
        file: A path, ``-`` for standard input, None for the built-in conversation.
        command: The child's command, None for the built-in child.
        timeout: Seconds for the handshake, and for each message in either direction.
        options: As :class:`~tui_ipc.session.session.Session` takes them.

    Returns:
        An exit code of :mod:`tui_ipc.script.exit_codes`.
    """
    try:
        script = conversation() if file is None else _read(file)
    except (UnreadableScriptError, ScriptSyntaxError) as error:
        print(error, file=sys.stderr)
        return ExitCode.USAGE
    session = Session(command, timeout=timeout, **options)
    try:
        verdict = asyncio.run(_interruptible(script, session, timeout, narrated=file is None))
    except KeyboardInterrupt:
        return SIGNALLED + signal.SIGINT
    except _TerminatedError:
        return SIGNALLED + signal.SIGTERM
    except BaseExceptionGroup as group:
        if group.subgroup(BrokenPipeError) is None:
            raise
        give_up_stdout()
        return SIGNALLED + signal.SIGPIPE
    narrate(verdict, script.name)
    return verdict.code


class _TerminatedError(Exception):
    """SIGTERM came."""


async def _interruptible(script: Script, session: Session, timeout: float, *, narrated: bool) -> Verdict:
    """Run a script; SIGTERM ends it as Ctrl-C does."""
    loop = asyncio.get_running_loop()
    run = asyncio.create_task(run_script(script, session, timeout, Transcript(narrate=narrated).tell))
    loop.add_signal_handler(signal.SIGTERM, run.cancel)
    try:
        return await run
    except asyncio.CancelledError:
        this = asyncio.current_task()
        if this is not None and this.cancelling():
            raise
        raise _TerminatedError from None
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


def _read(file: str) -> Script:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UnreadableScriptError(f"{file}: {error.strerror}") from None
    name = "standard input" if file == "-" else file
    try:
        return parse(data.decode(), name)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableScriptError(f"{name}:{line}: a script is UTF-8 text: {error.reason}") from None
