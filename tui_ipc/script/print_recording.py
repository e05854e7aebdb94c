"""Prints a recording: each event as a line of text or of JSON.

Standard output holds the events and nothing else; problems with the recording go to standard error.
"""

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from tui_ipc.events import AnyEvent, ChildExited, ChildOutput, MessageReceived, MessageSent, json_form
from tui_ipc.events.sentences import WORD_WIDTH, EventText, describe_event
from tui_ipc.recording.codec import RecordingError
from tui_ipc.recording.reader import open_recording
from tui_ipc.script import ExitCode
from tui_ipc.script.output import EndedBySignal, OutputLostError, OutputStream, run_until_signal
from tui_ipc.text.safe_text import decode_output, make_visible
from tui_ipc.text.units import format_clock, format_duration, format_size

VALUE_LIMIT: Final = 2000
"""The characters of a message that are shown as text; ``jsonl`` has all."""

LINE_LIMIT: Final = 64 * 1024
"""Bytes of an unfinished line of output that are held back; a longer line is shown in pieces."""

_WRITE_SIZE: Final = 64 * 1024  # characters that are written at once
_COMPLAINT_TIMEOUT: Final = 1.0  # seconds for the line on standard error


def run_print_recording(path: str, format_: str) -> int:
    """Print a recording.

    Args:
        path: The file.
        format_: One of :data:`FORMATS`.

    Returns:
        0 once every event was printed, 2 if the file is not a recording, is damaged, or cannot be printed,
        128 + N after signal N. A recording that was cut off, because its session was killed, is reported
        and is 0.
    """
    try:
        problems, code = run_until_signal(_print(path, FORMATS[format_])), int(ExitCode.PASSED)
    except EndedBySignal as end:
        return end.code
    except RecordingError as error:
        problems, code = [str(error)], int(ExitCode.USAGE)
    except OutputLostError as error:
        problems, code = [] if error.closed else [str(error)], error.code
    if problems:
        asyncio.run(_write_problems(problems))
    return code


async def _write_problems(problems: list[str]) -> None:
    try:
        async with asyncio.timeout(_COMPLAINT_TIMEOUT):
            for problem in problems:
                await OutputStream(sys.stderr, lossy=True).line(f"tui-ipc: {make_visible(problem)}")
    except TimeoutError:
        pass  # its reader has stopped; the exit code says the rest


async def _print(path: str, format_events: Callable[[Iterable[AnyEvent]], Iterator[str]]) -> list[str]:
    """Print all events; returns what is wrong with the recording, a sentence each.

    Raises:
        RecordingError: The recording cannot be read further; all events before that were printed.
        OutputLostError: Standard output takes nothing more.
    """
    recorded = open_recording(path)
    stdout = OutputStream(sys.stdout)
    pending: list[str] = []
    length = 0
    try:
        for text in format_events(recorded.events()):
            pending.append(text)
            length += len(text)
            if length >= _WRITE_SIZE:
                await _write(stdout, pending)
                length = 0
    finally:
        await _write(stdout, pending)
    return recorded.problems()


async def _write(stdout: OutputStream, pending: list[str]) -> None:
    data = stdout.encode("".join(f"{text}\n" for text in pending))
    pending.clear()
    await asyncio.sleep(0)  # lets signals in, which a fast reader would keep out
    await stdout.write(data)


def format_as_jsonl(events: Iterable[AnyEvent]) -> Iterator[str]:
    """Format each event as a line of JSON, see :mod:`tui_ipc.events.json_form`."""
    return map(json_form.line, events)


def format_as_text(events: Iterable[AnyEvent]) -> Iterator[str]:
    """Format each event, and each line of a child's output, as a line that is safe to show.

    A line has the time in seconds, the run, a mark, a word and a detail; for a message its latency and size
    as well. A line of output has the time of the piece that ended it; an unfinished line comes at the child's
    end.
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
    text = decode_output(data.removesuffix(b"\r"))
    return _format_line(event, EventText("│", event.stream, text), "")


def _format_figures(event: AnyEvent) -> str:
    """The figures after a message: how long its answer took, and its size."""
    if not isinstance(event, MessageSent | MessageReceived):
        return ""
    size = format_size(len(event.raw))
    if isinstance(event, MessageSent) or event.elapsed is None:
        return f"  ({size})"
    return f"  ({format_duration(event.elapsed)}, {size})"


def _format_line(event: AnyEvent, line: EventText, figures: str) -> str:
    detail = make_visible(line.detail)
    return f"{format_clock(event.at)}  {event.run}  {line.mark} {line.word:<{WORD_WIDTH}}  {detail}{figures}"


FORMATS: Final[dict[str, Callable[[Iterable[AnyEvent]], Iterator[str]]]] = {
    "text": format_as_text,
    "jsonl": format_as_jsonl,
}
"""The formats in which a recording can be printed."""
