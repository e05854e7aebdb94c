"""The log, the output, and the line of the log for each event."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.sample_events import CONNECTED, HELLO, LISTENING, OPEN, SPAWNED, exited
from tests.support.unicode_text import is_safe
from tui_ipc.events import (
    AnyEvent,
    Audit,
    ChannelClosed,
    ChildContinued,
    ChildOutput,
    ChildStopped,
    Fault,
    HandshakeFailed,
    HelloReceived,
    MessageReceived,
    MessageSent,
    ServerListening,
    SignalSent,
    StepLate,
    Stream,
)
from tui_ipc.text.units import format_plural, format_time_of_day
from tui_ipc.tui.model import session_model as model_module
from tui_ipc.tui.model.log_entry import LogEntry, format_log_line, run_separator
from tui_ipc.tui.model.session_model import (
    BACKLOG_LIMIT,
    OutputQueue,
    SessionModel,
)

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (LISTENING, "  0.000  ● listening  /run/s"),
        (SPAWNED, "  0.000  ● spawned    pid 7 · /usr/bin/calculator channel_name:/run/s"),
        (CONNECTED, "  0.000  ● connected  to the one-shot server"),
        (HELLO, "  0.000  ● hello      calc · two channels"),
        (OPEN, "  0.000  ● open       messages may pass"),
        (
            MessageSent(at=SECOND, run=1, number=1, value="Hello", raw=b"123456"),
            '  1.000  → #1   "Hello"  6 B',
        ),
        (
            MessageReceived(
                at=2 * SECOND, run=1, number=1, value={"a": 1}, raw=b"1", answers=1, elapsed=61_000
            ),
            '  2.000  ← #1   {"a": 1}  61 µs       1 B',
        ),
        (
            SignalSent(at=0, run=1, signal=15, reason="it did not end"),
            "  0.000  ▲ signal     SIGTERM · it did not end",
        ),
        (
            HandshakeFailed(at=0, run=1, step="hello", sentence="no hello came", timed_out=True),
            "  0.000  ✕ failed     no hello came",
        ),
        (Fault(at=0, run=1, sentence="not msgpack"), "  0.000  ✕ fault      not msgpack"),
        (ChannelClosed(at=0, run=1), "  0.000  ○ closed     the channel from the child ended"),
        (exited(3), "  0.000  ■ exited     the child exited with code 3"),
        (exited(None, 11), "  0.000  ■ exited     the child was ended by SIGSEGV"),
        (
            Audit(at=0, run=1, processes=(), files=(), unread=0, quit_elapsed=None),
            "  0.000  ✓ clean      nothing was left behind",
        ),
        (
            Audit(
                at=0,
                run=1,
                processes=(8, 9),
                held=("stdout",),
                files=("/s",),
                unread=1,
                quit_elapsed=None,
            ),
            "  0.000  ! left       2 processes (pid 8, 9) · stdout held open · 1 file (/s) · 1 unread byte",
        ),
        (
            Audit(at=0, run=1, processes=(), files=(), unread=0, quit_elapsed=12_000_000),
            '  0.000  ✓ clean      nothing was left behind · ended 12 ms after "quit"',
        ),
        (
            StepLate(at=0, run=1, step="hello", waited=SECOND, sentence="it said nothing for 1 s"),
            "  0.000  ▲ late       it said nothing for 1 s",
        ),
        (
            ChildStopped(at=0, run=1, signal=19),
            "  0.000  ▲ stopped    by SIGSTOP, until it is continued",
        ),
        (ChildContinued(at=0, run=1), "  0.000  ● continued  the child goes on"),
    ],
)
def test_each_event_has_its_line(event: AnyEvent, text: str) -> None:
    """Time, mark, text, latency, size: each event has one line."""
    assert format_log_line(event).text == text


def test_a_step_of_the_handshake_says_how_long_it_took() -> None:
    """The time since the step before is in the column where a message has its latency."""
    assert [span.text.strip() for span in format_log_line(SPAWNED, since=12_000_000).right] == ["+12 ms", ""]


def test_columns_are_aligned() -> None:
    """Whatever the figures, the right parts of two messages are equally wide."""
    rows = [
        MessageReceived(at=0, run=1, number=1, value=0, raw=raw, answers=answers, elapsed=elapsed)
        for raw, answers, elapsed in ((b"1", 1, 61_000), (b"1" * 70_000, None, None), (b"", 2, 12 * SECOND))
    ]
    assert len({sum(len(span.text) for span in format_log_line(row).right) for row in rows}) == 1


def test_the_time_of_day_takes_the_place_of_the_seconds() -> None:
    """Where it is not known the seconds stay, in the same column."""
    time = datetime(2026, 5, 25, 15, 24, 48, 123_000, tzinfo=UTC)
    known = LogEntry(ChildContinued(at=0, run=1), 1, time=time)
    assert known.line.text == "  0.000  ● continued  the child goes on"
    shown = known.format_line(time_of_day=True).text
    assert shown == f"{format_time_of_day(time)}  ● continued  the child goes on"
    unknown = LogEntry(ChildContinued(at=0, run=1), 1).format_line(time_of_day=True).text
    assert unknown == "       0.000  ● continued  the child goes on"
    assert LogEntry(None, 2).format_line(time_of_day=True).text == "── run 2 "


@given(text=st.text())
def test_what_a_child_sends_is_safe_in_the_log(text: str) -> None:
    """Names, values and sentences are sanitised wherever they appear."""
    events: list[AnyEvent] = [
        HelloReceived(at=0, run=1, name=text, pid=1, inline=True, raw=b""),
        MessageSent(at=0, run=1, number=1, value={text: text}, raw=b""),
        HandshakeFailed(at=0, run=1, step="hello", sentence=text, timed_out=False),
        Fault(at=0, run=1, sentence=text),
        StepLate(at=0, run=1, step="hello", waited=1, sentence=text),
    ]
    assert all(is_safe(character) for event in events for character in format_log_line(event).text)


def test_the_line_between_two_runs_names_the_run() -> None:
    """It has the number of the run that begins."""
    assert run_separator(2).text == "── run 2 "


def fed(*events: AnyEvent) -> SessionModel:
    """A model after some events."""
    model = SessionModel()
    for event in events:
        model.apply(event)
    model.output_queue.decode(1.0, lambda: 0.0)
    return model


def printed(data: bytes, stream: Stream = "stdout", run: int = 1) -> ChildOutput:
    """A piece of output."""
    return ChildOutput(at=5, run=run, stream=stream, data=data)


def output(model: SessionModel) -> list[str]:
    """The finished lines of output."""
    return [model.output[index].text for index in range(model.output.first, model.output.end)]


def test_the_handshake_is_logged_with_the_time_of_each_step() -> None:
    """Each step knows how long it took; the first has nothing before it."""
    model = fed(LISTENING, SPAWNED, CONNECTED, HELLO, OPEN)
    assert [model.log[index].since for index in range(model.log.end)] == [None, 1, 1, 1, 1]


def test_output_has_no_line_in_the_log() -> None:
    """What the child prints goes to its own pane, by lines, stderr marked at its edge."""
    model = fed(LISTENING, printed(b"one\ntw"), printed(b"oops\n", "stderr"), printed(b"o\nthr"))
    assert model.log.end == 1
    assert output(model) == ["one", "oops", "two"]
    assert [model.output[index].stream for index in range(3)] == ["stdout", "stderr", "stdout"]
    assert [line.text for line in model.output_queue.partial] == ["thr"]


def test_streams_do_not_mix_within_a_line() -> None:
    """A line that one stream began is not continued by the other."""
    model = fed(LISTENING, printed(b"out"), printed(b"err", "stderr"), printed(b"put\n"))
    assert output(model) == ["output"]
    assert [(line.stream, line.text) for line in model.output_queue.partial] == [("stderr", "err")]


def test_an_unfinished_line_is_shown_at_the_end() -> None:
    """The child's exit finishes it."""
    model = fed(LISTENING, SPAWNED, printed(b"no line feed"), exited())
    assert output(model) == ["no line feed"]
    assert model.output_queue.partial == []


def test_runs_are_divided_by_a_line() -> None:
    """The log and the output go on across a restart, with a line between the runs; the problem goes."""
    failed = HandshakeFailed(at=5, run=1, step="hello", sentence="no hello", timed_out=True)
    first = (LISTENING, printed(b"first\n"), failed)
    assert fed(*first).problem is failed
    model = fed(*first, ServerListening(at=9, run=2, name="/run/s"))
    assert model.problem is None
    assert [model.log[index].line.text for index in range(model.log.end)][2] == "── run 2 "
    assert output(model) == ["first", "── run 2 "]


def decode_slowly(queue: OutputQueue) -> None:
    """Decode a chunk at a time: each look at the clock is too late."""
    while not queue.decode(0.0, lambda: 1.0):
        pass


@given(
    pieces=st.lists(
        st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(max_size=9_000), st.booleans()), max_size=8
    )
)
def test_output_is_decoded_the_same_whenever_that_is_done(
    pieces: list[tuple[Stream, bytes, bool]],
) -> None:
    """Chunk by chunk after all has come, or each piece at once."""
    late, prompt = SessionModel(), SessionModel()
    for stream, data, is_last in pieces:
        events: list[AnyEvent] = [printed(data, stream), *([exited()] if is_last else [])]
        for event in events:
            late.apply(event)
            prompt.apply(event)
            assert prompt.output_queue.decode(1.0, lambda: 0.0)
    assert late.output_queue.lines_behind == sum(data.count(b"\n") for _, data, _ in pieces)
    decode_slowly(late.output_queue)
    assert output(late) == output(prompt)
    assert late.output_queue.partial == prompt.output_queue.partial
    assert late.output_queue.lines_behind == prompt.output_queue.lines_behind == 0


def test_a_message_does_not_wait_for_the_output_before_it() -> None:
    """It is in the log while the output is not decoded yet."""
    model = SessionModel()
    model.apply(printed(b"x\n" * 10_000))
    model.apply(MessageSent(at=6, run=1, number=1, value=1, raw=b"\x01"))
    assert (model.log.end, model.output.end, model.output_queue.lines_behind) == (1, 0, 10_000)


def test_output_that_is_far_behind_is_dropped_and_a_line_says_how_much() -> None:
    """Whole lines, the oldest; those that are left and those that were dropped are all."""
    model = SessionModel()
    line_length, piece_lines = 128, 512
    count = 3 * BACKLOG_LIMIT // (line_length * piece_lines)
    for piece in range(count):
        lines = range(piece * piece_lines, (piece + 1) * piece_lines)
        model.apply(printed(b"".join(b"%0127d\n" % number for number in lines)))
        assert model.output_queue.lines_behind * line_length <= BACKLOG_LIMIT
    behind = model.output_queue.lines_behind
    decode_slowly(model.output_queue)
    note, *kept = output(model)
    dropped = count * piece_lines - behind
    assert note == f"── {format_plural(dropped, 'line')} dropped: printed faster than shown "
    assert [int(text) for text in kept] == list(range(dropped, count * piece_lines))


def test_a_line_without_an_end_is_dropped_whole() -> None:
    """It counts as one; what comes next begins a line."""
    model = SessionModel()
    model.apply(printed(b"a" * BACKLOG_LIMIT + b"b" * 100))
    decode_slowly(model.output_queue)
    assert output(model) == ["── 1 line dropped: printed faster than shown "]
    assert model.output_queue.partial == []
    model.apply(printed(b"next\n"))
    decode_slowly(model.output_queue)
    assert output(model)[1:] == ["next"]


def test_dropping_output_keeps_the_line_between_two_runs() -> None:
    """The end of a run is not output."""
    model = SessionModel()
    half = b"y" * 63 + b"\n"
    model.apply(printed(half * (BACKLOG_LIMIT // 128)))
    model.apply(exited())
    model.apply(ServerListening(at=6, run=2, name="/run/t"))
    model.apply(printed(half * (BACKLOG_LIMIT // 64), run=2))
    decode_slowly(model.output_queue)
    assert output(model)[1] == "── run 2 "
    assert "dropped" in output(model)[0]


def test_the_newest_message_is_known() -> None:
    """The inspector finds the newest message without a search."""
    message = MessageSent(at=5, run=1, number=1, value=1, raw=b"\x01")
    model = fed(LISTENING, message, exited())
    assert model.latest is not None
    assert model.log[model.latest].event is message


def test_heavy_messages_are_forgotten_by_their_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is bounded in bytes as well as in lines."""
    monkeypatch.setattr(model_module, "LOG_BUDGET", 10_000)
    model = fed(*(MessageSent(at=n, run=1, number=n, value=0, raw=bytes(1_000)) for n in range(1, 101)))
    assert model.log.end == 100
    assert len(model.log) == 4
