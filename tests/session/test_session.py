"""Each misbehaving child is a small real program in tests/session/children; each test is a session with one."""

import asyncio
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.session.playing import Watch, child, environment, only, play, printed, transcript
from tui_ipc.session import events as ev
from tui_ipc.session.session import HandshakeError, NotListening, Session

LADDER = ["listening", "spawned", "connected"]
OPEN = [*LADDER, "hello by-library", "open"]


async def refused(session: Session, _: Watch) -> HandshakeError:
    """Wait for the handshake to fail."""
    with pytest.raises(HandshakeError) as caught:
        await session.ready()
    return caught.value


# ------------------------------------------------------------------------------------------------- good conversations


def test_a_conversation_with_the_built_in_child_is_told_from_the_first_rung_to_the_audit() -> None:
    """Each step is an event, answers are matched to their questions, and quitting ends the child in good order."""

    async def act(session: Session, watch: Watch) -> None:
        await session.ready()
        await session.send("Hello from parent")
        await watch.until(ev.MessageReceived)
        await session.send({"n": [1, b"\0", None]})
        await watch.until(ev.MessageReceived, lambda event: event.number == 2)

    events = play(None, act)
    name = only(events, ev.ServerListening).name
    lines = [line for line in transcript(events) if not line.startswith("stdout")]
    assert lines == [
        *LADDER,
        "hello echo",
        "open",
        "> 'Hello from parent'",
        "< 'Child received: Hello from parent' answers 1",
        "> {'n': [1, b'\\x00', None]}",
        "< \"Child received: {'n': [1, b'\\\\x00', None]}\" answers 2",
        "> 'quit'",
        "closed",
        "exited 0",
        "clean",
    ]
    assert printed(events).decode() == (
        f"Child process started\nOne Shot Server name: {name}\nReceived from parent: Hello from parent\n"
        "Received from parent: {'n': [1, b'\\x00', None]}\nReceived from parent: quit\nChild process exiting.\n"
    )
    audit = only(events, ev.Audit)
    assert audit.quit_elapsed is not None
    assert 0 < audit.quit_elapsed < audit.at


def test_events_carry_one_monotonic_clock_the_run_the_bytes_and_the_time_to_each_answer() -> None:
    """What the statistics, the recording and the inspector need is in the events themselves."""

    async def act(session: Session, watch: Watch) -> None:
        await session.ready()
        sent = await session.send("ping")
        assert (sent.number, sent.value, sent.raw) == (1, "ping", b"\xa4ping")
        await watch.until(ev.MessageReceived)

    events = play(None, act)
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert {event.run for event in events} == {1}
    answer = only(events, ev.MessageReceived)
    question = next(event for event in events if isinstance(event, ev.MessageSent))
    assert answer.raw == b"\xb4Child received: ping"
    assert answer.elapsed == answer.at - question.at > 0
    hello, spawned = only(events, ev.HelloReceived), only(events, ev.ChildSpawned)
    assert hello.pid == spawned.pid
    assert hello.raw.startswith(b"\x85\xa7tui-ipc\x01")


def test_an_inline_child_carries_both_directions_on_its_connection() -> None:
    """A child in a language without descriptor passing needs a socket and nothing else."""

    async def act(session: Session, watch: Watch) -> None:
        await session.ready()
        await session.send("hello")
        await watch.until(ev.MessageReceived)

    events = play(child("inline_echo"), act)
    assert transcript(events) == [
        *LADDER,
        "hello by-hand inline",
        "open",
        "> 'hello'",
        "< 'inline: hello' answers 1",
        "> 'quit'",
        "closed",
        "exited 0",
        "clean",
    ]


def test_a_message_that_nobody_asked_for_answers_nothing() -> None:
    """A child may speak first."""
    events = play(child("breaks_the_wire", "cut off"), lambda _, watch: watch.until(ev.ChildExited))
    first = only(events, ev.MessageReceived)
    assert (first.value, first.answers, first.elapsed) == ("so far so good", None, None)


def test_handles_that_a_child_sends_are_shown_as_text_and_closed() -> None:
    """Events hold nothing alive; the leak check of every test sees that nothing stays open."""

    async def act(session: Session, watch: Watch) -> None:
        await watch.until(ev.MessageReceived)

    message = only(play(child("sends_handles"), act), ev.MessageReceived)
    assert message.value == {
        "both": ["<sender>", {"nested": "<receiver>"}],
        "<sender>": "a key",
        "same": "<sender>",
    }


def test_raw_bytes_go_out_as_they_are() -> None:
    """What is no message can be sent on purpose; the child then says goodbye in its own way."""

    async def act(session: Session, watch: Watch) -> None:
        await session.ready()
        sent = await session.send_raw(b"\xa2ok")
        assert sent.value == sent.raw == b"\xa2ok"
        await watch.until(ev.MessageReceived)
        with pytest.raises(ValueError, match="no bytes"):
            await session.send_raw(b"")

    assert "< 'inline: ok' answers 1" in transcript(play(child("inline_echo"), act))


@pytest.mark.parametrize(
    ("value", "error"),
    [(object(), TypeError), (2**64, ValueError), (b"x" * (64 * 1024 * 1024), ValueError)],
    ids=["no type of ours", "too big a number", "too large"],
)
def test_what_no_message_can_hold_is_refused_and_sends_nothing(value: object, error: type[Exception]) -> None:
    """The mistake is the sender's, and an exception; the conversation goes on."""

    async def act(session: Session, watch: Watch) -> None:
        await session.ready()
        with pytest.raises(error):
            await session.send(value)

    assert transcript(play(child("inline_echo"), act))[5:] == ["> 'quit'", "closed", "exited 0", "clean"]


# -------------------------------------------------------------------------------------------------- failed handshakes


@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize(
    ("rung", "reached", "says"),
    [
        ("spawned", [], "the child exited with code {} before it connected; "),
        ("connected", ["connected"], "the child connected and exited with code {} before its hello; "),
        (
            "half a hello",
            ["connected"],
            "the child connected and exited with code {} before its hello, 9 bytes into its first message; ",
        ),
    ],
)
def test_a_child_that_exits_on_a_rung_of_the_ladder_is_reported_at_once(
    rung: str, reached: list[str], says: str, code: int
) -> None:
    """The sentence has the step, the exit status, its last words and what a child has to do."""
    events = play(child("exits", rung, str(code)), refused)
    step = "hello" if reached else "connected"
    assert transcript(events) == [
        "listening",
        "spawned",
        *reached,
        "stderr 'giving up\\n'",
        f"failed to reach {step!r}",
        f"exited {code}",
        "clean",
    ]
    sentence = only(events, ev.HandshakeFailed).sentence
    assert sentence.startswith(says.format(code) + 'it printed on stderr: "giving up". ')
    assert "channel_name:" in sentence or "PROTOCOL.md" in sentence


def test_a_child_that_exits_right_after_its_hello_had_a_good_handshake() -> None:
    """The channels were open, if not for long."""
    events = play(child("exits", "hello", "0"), lambda _, watch: watch.until(ev.Audit))
    assert [line for line in transcript(events) if not line.startswith("stderr")] == [
        *LADDER,
        "hello by-hand inline",
        "open",
        "closed",
        "exited 0",
        "clean",
    ]


@pytest.mark.parametrize(
    ("name", "reached", "says"),
    [
        ("absent", [], "the child did not connect within 0.5 s, and still runs; "),
        ("silent", ["connected"], "the child connected and said nothing for "),
    ],
)
def test_a_child_that_keeps_us_waiting_fails_at_the_deadline_and_is_ended(
    name: str, reached: list[str], says: str
) -> None:
    """The whole handshake has one deadline, and what did not take part in it does not go on running."""
    failure: list[HandshakeError] = []

    async def act(session: Session, watch: Watch) -> None:
        failure.append(await refused(session, watch))

    events = play(child(name), act, timeout=0.5)
    step = "hello" if reached else "connected"
    lines = [line for line in transcript(events) if not line.startswith("stdout")]
    assert lines == [
        "listening",
        "spawned",
        *reached,
        f"failed to reach {step!r} in time",
        "SIGTERM: the handshake failed",
        "ended by SIGTERM",
        "clean",
    ]
    told = only(events, ev.HandshakeFailed)
    assert told.sentence.startswith(says)
    assert (str(failure[0]), failure[0].timed_out) == (told.sentence, told.timed_out)
    assert told.at >= 0.5e9
