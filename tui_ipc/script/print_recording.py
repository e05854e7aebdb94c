"""Prints a recording: each event as a line of text or of JSON.

Standard output holds the events and nothing else; problems with the recording go to standard error.
"""

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from time import monotonic
from typing import Final, TypeAlias

from tui_ipc.events import AnyEvent, ChildExited, ChildOutput, MessageReceived, MessageSent, json_form
from tui_ipc.events.sentences import WORD_WIDTH, EventText, describe_event
from tui_ipc.recording.codec import NothingRecordedError, RecordingError
from tui_ipc.recording.reader import FOLLOW_INTERVAL, FollowedRecording, name_file, open_recording
from tui_ipc.script import ExitCode
from tui_ipc.script.output import EndedBySignal, OutputLostError, OutputStream, run_until_signal, write_stderr
from tui_ipc.text.safe_text import decode_output, make_visible
from tui_ipc.text.units import format_clock, format_duration, format_iso_time, format_size, to_local_time

TimeOf: TypeAlias = Callable[[int], datetime | None]
"""Returns the wall clock at a moment of the events, None where it is not known."""

Format: TypeAlias = Callable[[Iterable[AnyEvent | None], TimeOf | None], Iterator[str | None]]
"""Makes lines of events; None, for no event now, is passed on."""

VALUE_LIMIT: Final = 2000
"""The characters of a message that are shown as text; ``jsonl`` has more."""

LINE_LIMIT: Final = 64 * 1024
"""Bytes of an unfinished line of output that are held back; a longer line is shown in pieces."""

_PIECE_SIZE: Final = 64 * 1024  # bytes of output that are split into lines at once
_WRITE_SIZE: Final = 64 * 1024  # characters that are written at once
_TURN: Final = 0.1  # seconds until what there is is written, and signals are let in
_COMPLAINT_TIMEOUT: Final = 1.0  # seconds for the line on standard error


def run_print_recording(path: str, format_: str, *, follow: bool = False, wall_clock: bool = False) -> int:
    """Print a recording.

    Args:
        path: The file.
        format_: One of :data:`FORMATS`.
        follow: Whether to go on while the recording is written, and to wait for it.
        wall_clock: Whether to say when each event happened by the wall clock, as far as that is recorded.

    Returns:
        0 once every event was printed, 2 if the file is not a recording, is damaged, or cannot be printed,
        128 + N after signal N. A recording that was cut off, because its session was killed, is reported
        and is 0.
    """
    printing = _print(path, FORMATS[format_], follow=follow, wall_clock=wall_clock)
    try:
        problems, code = run_until_signal(printing), int(ExitCode.PASSED)
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


async def _print(path: str, format_events: Format, *, follow: bool, wall_clock: bool) -> list[str]:
    """Print all events; returns what is wrong with the recording, a sentence each.

    Raises:
        RecordingError: The recording cannot be read further; all events before that were printed.
        OutputLostError: Standard output takes nothing more.
    """
    source: _FollowedSource | _PlainSource = _FollowedSource(path) if follow else _PlainSource(path)
    stdout = OutputStream(sys.stdout)
    pending: list[str] = []
    length, due = 0, monotonic() + _TURN
    try:
        for text in format_events(source.events(), source.time_of if wall_clock else None):
            if text is None:
                await _write(stdout, pending)
                await asyncio.sleep(FOLLOW_INTERVAL)
                continue
            pending.append(text)
            length += len(text)
            if length >= _WRITE_SIZE or monotonic() >= due:
                await _write(stdout, pending)
                length, due = 0, monotonic() + _TURN
    finally:
        await _write(stdout, pending)
    return source.problems()


class _PlainSource:
    """The events of a recording that is there."""

    def __init__(self, path: str) -> None:
        self._recording = open_recording(path)
        self.events = self._recording.events
        self.time_of = self._recording.time_of
        self.problems = self._recording.problems


class _FollowedSource:
    """The events of a recording that is still written, and of those that replace it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._followed: FollowedRecording | None = None
        self._is_reported = False

    def events(self) -> Iterator[AnyEvent | None]:
        """Give the events; None where there is none now."""
        while self._followed is None or self._followed.ending == "replaced":
            try:
                followed = FollowedRecording(self._path)
            except NothingRecordedError:
                self._report(f"waiting for {name_file(self._path)}, which has no recording yet")
                yield None
                continue
            if self._followed is not None:
                self._followed.close()
                self._report(f"{name_file(self._path)} was replaced: another recording follows")
            self._followed, self._is_reported = followed, False
            while not followed.ending:
                yield followed.take()
        self._followed.close()

    def time_of(self, at: int) -> datetime | None:
        """Return the wall clock at a moment of the events."""
        return None if self._followed is None else self._followed.recording.time_of(at)

    def problems(self) -> list[str]:
        """Return what is wrong with the recording."""
        return [] if self._followed is None else self._followed.problems()

    def _report(self, sentence: str) -> None:
        """Say on standard error what is waited for, once."""
        if not self._is_reported:
            self._is_reported = True
            write_stderr(f"tui-ipc: {make_visible(sentence)}")


async def _write(stdout: OutputStream, pending: list[str]) -> None:
    data = stdout.encode("".join(f"{text}\n" for text in pending))
    pending.clear()
    await asyncio.sleep(0)  # lets signals in, which a fast reader would keep out
    await stdout.write(data)


def format_as_jsonl(events: Iterable[AnyEvent | None], time_of: TimeOf | None = None) -> Iterator[str | None]:
    """Format each event as a line of JSON, see :mod:`tui_ipc.events.json_form`.

    Args:
        events: The events; for None, None is given.
        time_of: What says when something happened by the wall clock: then each line has a ``time``.
    """
    for event in events:
        if event is None:
            yield None
        else:
            time = time_of(event.at) if time_of is not None else None
            yield json_form.format_line(event, None if time is None else format_iso_time(time))


def format_as_text(events: Iterable[AnyEvent | None], time_of: TimeOf | None = None) -> Iterator[str | None]:
    """Format each event, and each line of a child's output, as a line that is safe to show.

    A line has the time in seconds, the run, a mark, a word and a detail; for a message its latency and size
    as well. A line of output has the time of the piece that ended it; an unfinished line comes at the child's
    end.

    Args:
        events: The events; for None, None is given.
        time_of: What says when something happened by the wall clock, which is shown in local time
            instead of the seconds.
    """

    def show_clock(at: int) -> str:
        time = time_of(at) if time_of is not None else None
        return format_clock(at) if time is None else format_iso_time(to_local_time(time))

    unfinished: dict[str, ChildOutput] = {}  # with the line that each stream has begun
    for event in events:
        if event is None:
            yield None
            continue
        clock = show_clock(event.at)
        if isinstance(event, ChildOutput):
            begun = unfinished.pop(event.stream, None)
            rest = b"" if begun is None else begun.data
            for start in range(0, len(event.data), _PIECE_SIZE):
                *lines, rest = (rest + event.data[start : start + _PIECE_SIZE]).split(b"\n")
                if len(rest) > LINE_LIMIT:
                    lines, rest = [*lines, rest], b""
                yield from (_format_output_line(event, data, clock) for data in lines)
            if rest:
                unfinished[event.stream] = replace(event, data=rest)
            continue
        if isinstance(event, ChildExited):
            yield from (
                _format_output_line(left, left.data, show_clock(left.at)) for left in unfinished.values()
            )
            unfinished.clear()
        yield _format_line(event, describe_event(event, VALUE_LIMIT), _format_figures(event), clock)
    yield from (_format_output_line(left, left.data, show_clock(left.at)) for left in unfinished.values())


def _format_output_line(event: ChildOutput, data: bytes, clock: str) -> str:
    text = decode_output(data.removesuffix(b"\r"))
    return _format_line(event, EventText("│", event.stream, text), "", clock)


def _format_figures(event: AnyEvent) -> str:
    """The figures after a message: how long its answer took, and its size."""
    if not isinstance(event, MessageSent | MessageReceived):
        return ""
    size = format_size(len(event.raw))
    if isinstance(event, MessageSent) or event.elapsed is None:
        return f"  ({size})"
    return f"  ({format_duration(event.elapsed)}, {size})"


def _format_line(event: AnyEvent, line: EventText, figures: str, clock: str) -> str:
    detail = make_visible(line.detail)
    return f"{clock}  {event.run}  {line.mark} {line.word:<{WORD_WIDTH}}  {detail}{figures}"


FORMATS: Final[dict[str, Format]] = {
    "text": format_as_text,
    "jsonl": format_as_jsonl,
}
"""The formats in which a recording can be printed."""
