"""A script from the command line to its exit code.

The one rule: whatever happens, the child is ended and one exit code says how it went.
"""

import asyncio
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from tui_ipc.script.exit_codes import SIGNALLED, ExitCode
from tui_ipc.script.interruptions import interrupting
from tui_ipc.script.language import Script, ScriptSyntaxError, parse
from tui_ipc.script.relay import visible
from tui_ipc.script.report import Transcript, story
from tui_ipc.script.runner import Runner
from tui_ipc.script.seed import conversation
from tui_ipc.script.sink import Sink, SinkLostError
from tui_ipc.session.process import signal_name
from tui_ipc.session.session import BUILT_IN_CHILD, Session

if TYPE_CHECKING:
    from tui_ipc.session.recorder import Recorder

_LAST_WORD: Final = 1.0  # seconds that narration may take once we were told to end


class UnreadableScriptError(Exception):
    """There is no script to run; the text says why."""


class UnwritableRecordingError(Exception):
    """There is nothing to record to; the text says why."""


def run_headless(
    file: str | None,
    command: Sequence[str] | None,
    *,
    timeout: float,
    record: str | None = None,
    **options: Any,
) -> int:
    """Run a script and say how it went.

    Args:
        file: A path, ``-`` for standard input, None for the built-in conversation.
        command: The child's command, None for the built-in child.
        timeout: Seconds for the handshake, and for each message in either direction.
        record: Path of a file to write every event to, None for none.
        options: As :class:`~tui_ipc.session.session.Session` takes them.

    Returns:
        An exit code of :mod:`tui_ipc.script.exit_codes`.
    """
    try:
        script = conversation() if file is None else _read(file)
        recorder = None if record is None else _recorder(record, command)
    except (UnreadableScriptError, ScriptSyntaxError, UnwritableRecordingError) as error:
        print(error, file=sys.stderr)
        return ExitCode.USAGE
    session = Session(command, timeout=timeout, record=recorder, **options)
    return asyncio.run(_run(script, session, timeout, recorder, narrated=file is None))


def _recorder(path: str, command: Sequence[str] | None) -> "Recorder":
    """What records to a file.

    Raises:
        UnwritableRecordingError: It cannot be made, or is not ours to replace.
    """
    from tui_ipc.session.recorder import Recorder  # a run that is not recorded does not pay for this
    from tui_ipc.session.recording import RecordingError

    try:
        return Recorder(path, command=BUILT_IN_CHILD if command is None else command)
    except RecordingError as error:
        raise UnwritableRecordingError(visible(f"tui-ipc: {error}")) from None


async def _run(
    script: Script, session: Session, timeout: float, recorder: "Recorder | None", *, narrated: bool
) -> int:
    stderr = Sink(sys.stderr, lossy=True)
    transcript = Transcript(Sink(sys.stdout), stderr, name=script.name, narrated=narrated)
    runner = Runner(script, session, timeout, transcript.tell)
    run = asyncio.create_task(runner.run())
    with interrupting(run.cancel) as interruptions:
        await asyncio.wait([run])
        if run.cancelled():
            number = interruptions[0]
            place = f"{script.name}:{runner.line}" if runner.line else script.name
            lines = [f"{place}: {signal_name(number)} came; the child was ended"]
            code = SIGNALLED + number
        elif isinstance(error := run.exception(), SinkLostError):
            lines = [] if error.closed else [f"{script.name}: {error}"]
            code = SIGNALLED + signal.SIGPIPE if error.closed else ExitCode.USAGE
        else:
            verdict = run.result()
            lines = [] if narrated and verdict.code is ExitCode.PASSED else story(script, verdict)
            code = verdict.code
        if recorder is not None:
            recorder.close()
            if recorder.failure is not None:  # the child is not to blame: what it did stays the verdict
                lines.append(f"{script.name}: {visible(recorder.failure)}")
                code = code or ExitCode.USAGE
        try:
            async with asyncio.timeout(_LAST_WORD if interruptions else None):
                for line in lines:
                    await stderr.line(line)
        except TimeoutError:
            pass
    return code


def _read(file: str) -> Script:
    """The script in a file.

    Raises:
        UnreadableScriptError: There is none.
        ScriptSyntaxError: It is none.
    """
    name = "standard input" if file == "-" else file or "''"
    try:
        data = _contents(file)
    except OSError as error:
        raise UnreadableScriptError(f"{name}: {error.strerror}") from None
    try:
        return parse(data.decode(), name)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableScriptError(
            f"{name}:{line}: a script is UTF-8 text, and this is not; the child's command goes behind --"
        ) from None


def _contents(file: str) -> bytes:
    if file != "-":
        with open(file, "rb") as script:
            return script.read()
    return b"" if sys.stdin is None else sys.stdin.buffer.read()
