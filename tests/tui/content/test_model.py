"""The model: events in, bounded logs out."""

import pytest

from tests.tui.content.test_status import CONNECTED, HELLO, LISTENING, OPEN, SPAWNED, exited
from tui_ipc.session.events import (
    ChildOutput,
    Event,
    HandshakeFailed,
    MessageSent,
    ServerListening,
    Stream,
)
from tui_ipc.tui.content import model as model_module
from tui_ipc.tui.content.model import Model


def fed(*events: Event) -> Model:
    """A model to which events have happened."""
    model = Model()
    for event in events:
        model.apply(event)
    return model


def printed(data: bytes, stream: Stream = "stdout", run: int = 1) -> ChildOutput:
    """A piece of output."""
    return ChildOutput(at=5, run=run, stream=stream, data=data)


def output(model: Model) -> list[str]:
    """The finished lines of output."""
    return [model.output[index].text for index in range(model.output.first, model.output.end)]


def test_the_handshake_is_logged_with_the_time_of_each_step() -> None:
    """Each step knows how long it took; the first has nothing before it."""
    model = fed(LISTENING, SPAWNED, CONNECTED, HELLO, OPEN)
    assert [model.log[index].since for index in range(model.log.end)] == [None, 1, 1, 1, 1]


def test_output_is_no_entry_of_the_log() -> None:
    """What the child prints goes to its own pane, by lines, stderr marked at its edge."""
    model = fed(LISTENING, printed(b"one\ntw"), printed(b"oops\n", "stderr"), printed(b"o\nthr"))
    assert model.log.end == 1
    assert output(model) == ["one", "oops", "two"]
    assert [model.output[index].stream for index in range(3)] == ["stdout", "stderr", "stdout"]
    assert [line.text for line in model.partial_output()] == ["thr"]


def test_streams_do_not_mix_within_a_line() -> None:
    """A line begun on one stream is not continued by the other."""
    model = fed(LISTENING, printed(b"out"), printed(b"err", "stderr"), printed(b"put\n"))
    assert output(model) == ["output"]
    assert [(line.stream, line.text) for line in model.partial_output()] == [("stderr", "err")]


def test_the_last_words_are_shown_at_the_end() -> None:
    """A line that was begun is finished by the child's exit."""
    model = fed(LISTENING, SPAWNED, printed(b"no line feed"), exited())
    assert output(model) == ["no line feed"]
    assert model.partial_output() == []


def test_runs_are_divided_by_a_rule() -> None:
    """The log and the output go on across a restart, with a line between; trouble is forgotten."""
    failed = HandshakeFailed(at=5, run=1, step="hello", sentence="no hello", timed_out=True)
    first = (LISTENING, printed(b"first\n"), failed)
    assert fed(*first).trouble is failed
    model = fed(*first, ServerListening(at=9, run=2, name="/run/s"))
    assert model.trouble is None
    assert [model.log[index].line.text for index in range(model.log.end)][2] == "── run 2 "
    assert output(model) == ["first", "── run 2 "]


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
