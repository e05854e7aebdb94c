"""A recording becomes a script in a file.

The one rule: there is a script or a sentence that says why there is none, and never half a script.
"""

import asyncio
import shlex
import sys

from tui_ipc.script.asides import say
from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.files import UnwritableScriptError, create
from tui_ipc.script.relay import visible
from tui_ipc.script.replaying import breaking_off
from tui_ipc.script.saving import transcribe
from tui_ipc.script.sink import Sink, SinkLostError
from tui_ipc.session.recording import RecordingError, read


def run_extracting(recording: str, file: str) -> int:
    """Write the script that has a recorded session happen again.

    Args:
        recording: The recording's file.
        file: A file that does not exist yet, ``-`` for standard output.

    Returns:
        0 once it is written, 2 if there is no recording that can be read, or no place for the script; 128 + N
        after signal N. A recording that breaks off is told and is 0.
    """
    try:
        recorded = read(recording)
        source = f"{recording}, recorded {recorded.began:%Y-%m-%d %H:%M} UTC"
        text = transcribe(recorded.events(), recorded.command, source=source)
        if file == "-":
            asyncio.run(_print(text))
        else:
            create(file, text)
            _say(f"{file} is written; run it with: tui-ipc --script {shlex.quote(file)}")
    except (RecordingError, UnwritableScriptError) as error:
        _say(str(error))
        return ExitCode.USAGE
    except SinkLostError as error:
        if not error.closed:
            _say(str(error))
        return error.code
    if complaint := breaking_off(recording, recorded):
        _say(complaint)
    return ExitCode.PASSED


async def _print(text: str) -> None:
    await Sink(sys.stdout).write(text.encode())  # a script is UTF-8, whatever the terminal takes


def _say(sentence: str) -> None:
    say(f"tui-ipc: {visible(sentence)}")
