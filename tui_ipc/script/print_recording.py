"""Prints a recording: every event, as fast as it can be read and our reader takes it.

The one rule: stdout holds the events and nothing else; what is wrong with the recording is told on stderr.
"""

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from tui_ipc.events import AnyEvent, ChildExited, ChildOutput, MessageReceived, MessageSent, json_form
from tui_ipc.events.sentences import WORD_WIDTH, EventText, describe_event
from tui_ipc.osutil.signals import catch_end_signals
from tui_ipc.recording.codec import Recording, RecordingError, open_recording
from tui_ipc.script.exit_codes import SIGNAL_EXIT_BASE, ExitCode
from tui_ipc.script.output import OutputLostError, OutputStream
from tui_ipc.script.report.passthrough import visible
from tui_ipc.text.units import format_clock, format_duration, format_plural, format_size

VALUE_LIMIT: Final = 2000
"""How many characters of a message are shown as text; ``jsonl`` has all."""

LINE_LIMIT: Final = 64 * 1024
"""Bytes of an unfinished line of output that are held back; a longer one is shown in pieces."""

_WRITE_SIZE: Final = 64 * 1024  # characters that are written at once
_FINAL_LINE_TIMEOUT: Final = 1.0  # seconds that our complaint may take


def run_print_recording(path: str, format_: str) -> int:
    """Print a recording.

    Args:
        path: The file.
        format_: One of :data:`FORMATS`.

    Returns:
        0 once every event was printed, 2 if that is no recording, is broken, or cannot be printed, 128 + N
        after signal N. A recording that breaks off, because its session was killed, is told and is 0.
    """
    return asyncio.run(_run(path, FORMATS[format_]))


async def _run(path: str, form: Callable[[Iterable[AnyEvent]], Iterator[str]]) -> int:
    printing = asyncio.create_task(_print(path, form))
    with catch_end_signals(printing.cancel) as interruptions:
        await asyncio.wait([printing])
    if printing.cancelled():
        return SIGNAL_EXIT_BASE + interruptions[0]
    error = printing.exception()
    if error is None:
        complaint, code = printing.result(), int(ExitCode.PASSED)
    elif isinstance(error, RecordingError):
        complaint, code = str(error), int(ExitCode.USAGE)
    elif isinstance(error, OutputLostError):
        complaint, code = "" if error.closed else str(error), error.code
    else:
        raise error
    if complaint:
        try:
            async with asyncio.timeout(_FINAL_LINE_TIMEOUT):
                await OutputStream(sys.stderr, lossy=True).line(f"tui-ipc: {visible(complaint)}")
        except TimeoutError:
            pass
    return code


async def _print(path: str, form: Callable[[Iterable[AnyEvent]], Iterator[str]]) -> str:
    """Print all events; what is missing at the end of the file, empty if nothing is.

    Raises:
        RecordingError: From where on the recording cannot be read; what came before was printed.
        OutputLostError: Standard output takes nothing more.
    """
    recorded = open_recording(path)
    stdout = OutputStream(sys.stdout)
    gathered: list[str] = []
    length = 0
    try:
        for text in form(recorded.events()):
            gathered.append(text)
            length += len(text)
            if length >= _WRITE_SIZE:
                await _write(stdout, gathered)
                length = 0
    finally:
        await _write(stdout, gathered)
    return describe_truncation(path, recorded)


async def _write(stdout: OutputStream, gathered: list[str]) -> None:
    data = stdout.encode("".join(f"{text}\n" for text in gathered))
    gathered.clear()
    await asyncio.sleep(0)  # signals come between two pieces, however fast our reader is
    await stdout.write(data)


def describe_truncation(path: str, recorded: Recording) -> str:
    """What is missing at the end of a recording whose events were all read, empty if nothing is."""
    if not recorded.truncated:
        return ""
    cut = format_plural(recorded.truncated, "byte")
    return f"{path} breaks off in the middle of an event ({cut}): what was recorded before is whole"


def format_as_jsonl(events: Iterable[AnyEvent]) -> Iterator[str]:
    """Each event as a line of JSON, see :mod:`tui_ipc.events.json_form`."""
    return map(json_form.line, events)


def format_as_text(events: Iterable[AnyEvent]) -> Iterator[str]:
    """Each event as a line for people, and each line of output; nothing in it can steer a terminal.

    Time in seconds, run, mark, word, detail; of a message its latency and size as well. A line of output has
    the time of the piece that ended it; one without end comes when the other end of the stream is known.
    """
    unfinished: dict[str, tuple[ChildOutput, bytes]] = {}
    for event in events:
        if isinstance(event, ChildOutput):
            _, held = unfinished.pop(event.stream, (event, b""))
            *lines, rest = (held + event.data).split(b"\n")
            if len(rest) > LINE_LIMIT:
                lines, rest = [*lines, rest], b""
            yield from (_format_output_line(event, data) for data in lines)
            if rest:
                unfinished[event.stream] = event, rest
            continue
        if isinstance(event, ChildExited):
            yield from (_format_output_line(*left) for left in unfinished.values())
            unfinished.clear()
        yield _format_line(event, describe_event(event, VALUE_LIMIT), _format_figures(event))
    yield from (_format_output_line(*left) for left in unfinished.values())


def _format_output_line(event: ChildOutput, data: bytes) -> str:
    text = data.removesuffix(b"\r").decode(errors="backslashreplace")
    return _format_line(event, EventText("│", event.stream, text), "")


def _format_figures(event: AnyEvent) -> str:
    """What stands behind a message: how long its answer took, and its size."""
    if not isinstance(event, MessageSent | MessageReceived):
        return ""
    extent = format_size(len(event.raw))
    if isinstance(event, MessageSent) or event.elapsed is None:
        return f"  ({extent})"
    return f"  ({format_duration(event.elapsed)}, {extent})"


def _format_line(event: AnyEvent, said: EventText, figures: str) -> str:
    detail = visible(said.detail).replace("\t", "\\t")
    return f"{format_clock(event.at)}  {event.run}  {said.mark} {said.word:<{WORD_WIDTH}}  {detail}{figures}"


FORMATS: Final[dict[str, Callable[[Iterable[AnyEvent]], Iterator[str]]]] = {
    "text": format_as_text,
    "jsonl": format_as_jsonl,
}
"""How a recording may be printed."""
