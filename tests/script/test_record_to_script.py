"""A session saved as a script: what it expects, and that it passes at once against the same child."""

import math
import signal
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.event_strategies import any_event, texts
from tests.support.message_strategies import arrived, values
from tui_ipc import events as ev
from tui_ipc.ipc.wire import NESTING_LIMIT, encode
from tui_ipc.script.language import steps
from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.record_to_script import convert_events_to_script
from tui_ipc.session.session import BUILTIN_CHILD_COMMAND
from tui_ipc.text.notation import render_value
from tui_ipc.text.placeholders import ANY_REST, ANY_VALUE

CALC = ("./calc", "--fast")
SECOND = 1_000_000_000
SERVER = "/run/tipc-1/server"


def sent(value: Any, at: int = 10) -> ev.MessageSent:
    return ev.MessageSent(at=at, run=1, number=1, value=value, raw=encode(value))


def received(
    value: Any, at: int = 10, *, raw: bytes | None = None, elapsed: int | None = None
) -> ev.AnyEvent:
    raw = encode(value) if raw is None else raw
    answers = None if elapsed is None else 1
    return ev.MessageReceived(at=at, run=1, number=1, value=value, raw=raw, answers=answers, elapsed=elapsed)


def signalled(number: int, reason: str = ev.USER_REQUESTED, at: int = 10) -> ev.SignalSent:
    return ev.SignalSent(at=at, run=1, signal=number, reason=reason)


def exited(code: int | None = 0, by: int | None = None, at: int = 20) -> ev.ChildExited:
    return ev.ChildExited(at=at, run=1, code=code, signal=by, user_seconds=0.0, system_seconds=0.0, max_rss=1)


OPEN: tuple[ev.AnyEvent, ...] = (
    ev.ServerListening(at=0, run=1, name=SERVER),
    ev.ChildSpawned(at=1, run=1, pid=4242, command=(*CALC, f"channel_name:{SERVER}")),
    ev.ChildConnected(at=2, run=1),
    ev.ChannelsOpen(at=3, run=1),
)
CLEAN = ev.Audit(at=30, run=1, processes=(), files=(), unread=0, quit_elapsed=1)
QUIT = (sent("quit", 15), exited(), CLEAN)


def saved(*events: ev.AnyEvent, command: Sequence[str] = CALC, **options: Any) -> str:
    return convert_events_to_script(events, command, **options)


def read_steps(text: str) -> list[steps.Step]:
    return list(parse_script(text).steps)


def comments(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("#")]


SPAWN = steps.Spawn(CALC)
GOOD_END = [steps.Quit(), steps.ExpectExit(0), steps.ExpectClean()]


def test_a_conversation_is_a_transcript_of_it() -> None:
    """Command, messages in their order, the end; what was printed and the handshake are no steps."""
    output = ev.ChildOutput(at=5, run=1, stream="stdout", data=b"> no step\n")
    text = saved(*OPEN, sent({"n": 1}), output, sent(2), received([1]), received("two"), *QUIT)
    assert read_steps(text) == [
        SPAWN,
        steps.Send({"n": 1}),
        steps.Send(2),
        steps.Expect([1]),
        steps.Expect("two"),
        *GOOD_END,
    ]


def test_it_reads_well() -> None:
    """A heading, then what a person would have written."""
    text = saved(*OPEN, sent("hi"), received("Child received: hi"), *QUIT, source="a.rec")
    assert text == (
        "# Saved from a.rec.\n"
        "# Run it with: tui-ipc --script FILE\n"
        "\n"
        "spawn ./calc --fast\n"
        "\n"
        '> "hi"\n'
        '< "Child received: hi"\n'
        "\n"
        "quit\n"
        "? exit 0\n"
        "? clean\n"
    )


def test_the_built_in_child_needs_no_command() -> None:
    """Whatever Python it ran in."""
    command = ("/elsewhere/python", *BUILTIN_CHILD_COMMAND[1:])
    assert read_steps(saved(*OPEN, *QUIT, command=command)) == GOOD_END


@pytest.mark.parametrize("command", [(), ("a\0b",), ("",)], ids=["unknown", "null", "empty"])
def test_a_command_that_cannot_be_written_is_a_comment(command: tuple[str, ...]) -> None:
    """As it was."""
    text = saved(*OPEN, *QUIT, command=command)
    assert read_steps(text) == GOOD_END
    assert len(comments(text)) == 3


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        datetime(2026, 11, 24, 12, tzinfo=UTC),
        b"\x00\xff",
        {(1, 2): None},
        "...",
        "/re/",
        "{{name}}",
        "# no comment",
        "within 2s",
        "",
        "\x1b[2J",
        ["...", {"...": "..."}],
    ],
    ids=render_value,
)
def test_every_value_expects_itself(value: Any) -> None:
    """Also one that looks like a placeholder, a comment or part of a step."""
    text = saved(*OPEN, sent(value), received(value), *QUIT)
    _, send, expect, *_ = read_steps(text)
    assert isinstance(send, steps.Send)
    assert isinstance(expect, steps.Expect)
    assert render_value(send.value) == render_value(expect.value) == render_value(value)
    assert not any("..." in line for line in comments(text))


def test_a_message_as_deep_as_can_be_is_saved() -> None:
    """Nothing recurses."""
    value: Any = 1
    for _ in range(NESTING_LIMIT):
        value = [value]
    _, expect, *_ = read_steps(saved(*OPEN, received(value), *QUIT))
    assert isinstance(expect, steps.Expect)
    assert render_value(expect.value) == render_value(value)


def test_bytes_that_were_sent_as_they_are_are_sent_so() -> None:
    """A message of bytes is another thing."""
    raw = ev.MessageSent(at=10, run=1, number=1, value=b"\xc1", raw=b"\xc1")
    assert read_steps(saved(*OPEN, raw, sent(b"\xc1"), *QUIT))[1:3] == [
        steps.SendRaw(b"\xc1"),
        steps.Send(b"\xc1"),
    ]


def test_what_differs_in_each_run_is_a_placeholder() -> None:
    """Handles, the child's pid under its name, the server's name; the heading says so."""
    value = {
        "work": "<sender>",
        "all": ["<receiver>", "<shared memory>"],
        "pid": 4242,
        "n": 4242,
        "argv": [f"channel_name:{SERVER}"],
    }
    text = saved(*OPEN, received(value, raw=b"\xd4\x01\x00"), *QUIT)
    assert read_steps(text)[1] == steps.Expect(
        {
            "work": ANY_REST,
            "all": [ANY_VALUE, ANY_VALUE],
            "pid": ANY_REST,
            "n": 4242,
            "argv": [ANY_VALUE],
        }
    )
    assert value["work"] == "<sender>"
    assert any("..." in line for line in comments(text))


def test_a_string_that_reads_like_a_handle_is_a_string() -> None:
    """Its bytes show it."""
    assert read_steps(saved(*OPEN, received("<sender>"), *QUIT))[1] == steps.Expect("<sender>")


def test_slow_answers_get_more_time() -> None:
    """Twice what they took, where the usual time is not twice as long; what is unasked counts from before."""
    text = saved(
        *OPEN,
        sent(1),
        received(1, 10 * SECOND, elapsed=SECOND),
        sent(2, 11 * SECOND),
        received(2, 15 * SECOND, elapsed=4 * SECOND),
        received(3, 16 * SECOND),
        received(4, 21 * SECOND),
        received(5, 200_000 * SECOND),
        *QUIT,
    )
    expected = [step for step in read_steps(text) if isinstance(step, steps.Expect)]
    assert [step.within for step in expected] == [None, 8.0, None, 10.0, 86400.0]


def test_a_slow_handshake_is_noted() -> None:
    """No script can say how long it may take; the command line can."""
    late = ev.ChannelsOpen(at=3 * SECOND, run=1)
    text = saved(*OPEN[:-1], late, *QUIT)
    assert "# Run it with: tui-ipc --script FILE --timeout 6" in comments(text)


def test_signals_that_were_asked_for_are_sent_again() -> None:
    """After the same pause, within reason; others are the session's own affair."""
    text = saved(
        *OPEN,
        signalled(signal.SIGUSR1, at=SECOND // 50),
        received(1, at=2 * SECOND, elapsed=1),
        signalled(signal.SIGUSR2, at=2 * SECOND + SECOND // 3),
        signalled(signal.SIGUSR2, at=600 * SECOND),
        signalled(signal.SIGCONT, "the child is stopped"),
        *QUIT,
    )
    assert read_steps(text)[1:7] == [
        steps.Signal(signal.SIGUSR1),
        steps.Expect(1),
        steps.Sleep(0.3),
        steps.Signal(signal.SIGUSR2),
        steps.Sleep(2.0),
        steps.Signal(signal.SIGUSR2),
    ]
    assert len(comments(text)) == 2


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ((exited(3),), [steps.ExpectExit(3)]),
        ((exited(None, signal.SIGSEGV),), [steps.ExpectSignal(signal.SIGSEGV)]),
        ((exited(None, None),), []),
        ((sent("quit"), exited(7)), [steps.Quit(), steps.ExpectExit(7)]),
        ((exited(0, at=4 * SECOND),), [steps.Timeout(8.0), steps.ExpectExit(0)]),
        (
            (sent("quit"), signalled(signal.SIGTERM, "it lives"), exited(None, signal.SIGTERM)),
            [steps.Quit(), steps.ExpectSignal(signal.SIGTERM)],
        ),
        (
            (sent("quit"), signalled(signal.SIGTERM, "it lives"), exited(0)),
            [steps.Send("quit"), steps.Signal(signal.SIGTERM), steps.ExpectExit(0)],
        ),
        (
            (sent("quit"), received("bye"), exited(0)),
            [steps.Quit(), steps.Expect("bye"), steps.ExpectExit(0)],
        ),
        (
            (
                sent("x"),
                received(1, elapsed=1),
                sent("quit"),
                received({"pid": 4242}),
                received(1),
                exited(7),
            ),
            [
                *(steps.Send("x"), steps.Expect(1)),
                *(steps.Quit(), steps.Expect({"pid": ANY_REST}), steps.Expect(1), steps.ExpectExit(7)),
            ],
        ),
        (
            (received("tick"), sent("quit"), received("tick"), exited(0)),
            [steps.Expect("tick"), steps.Quit(), steps.ExpectExit(0)],
        ),
        (
            (sent("quit"), received("no"), sent("quit"), exited(0)),
            [steps.Send("quit"), steps.Expect("no"), steps.Quit(), steps.ExpectExit(0)],
        ),
        (
            (signalled(signal.SIGTERM, "it reads nothing"), exited(0)),
            [steps.Signal(signal.SIGTERM), steps.ExpectExit(0)],
        ),
        (
            (sent("quit"), sent("please"), exited(0)),
            [steps.Send("quit"), steps.Send("please"), steps.Quit(), steps.ExpectExit(0)],
        ),
        (
            (sent("quit"), signalled(signal.SIGINT), exited(0)),
            [steps.Send("quit"), steps.Signal(signal.SIGINT), steps.Quit(), steps.ExpectExit(0)],
        ),
    ],
)
def test_the_end_is_expected_as_it_came(end: tuple[ev.AnyEvent, ...], expected: list[steps.Step]) -> None:
    """By itself, told to, or made to."""
    assert read_steps(saved(*OPEN, *end, CLEAN))[1:] == [*expected, steps.ExpectClean()]


def test_after_quit_what_a_child_says_that_speaks_unasked_is_a_comment() -> None:
    """Another time it may come before, or be one more."""
    text = saved(*OPEN, received("tick"), sent("quit"), received("bye\n"), exited(), CLEAN)
    assert comments(text)[-1] == '# After "quit" came "bye\\n"'


def test_a_signal_in_the_handshake_is_a_comment() -> None:
    """No step comes before the handshake is over."""
    text = saved(*OPEN[:-1], signalled(signal.SIGUSR1, at=2), OPEN[-1], *QUIT)
    assert read_steps(text) == [SPAWN, *GOOD_END]
    assert any("SIGUSR1" in line for line in comments(text))


def test_what_was_left_behind_is_a_comment() -> None:
    """A script that expected it would be of no use."""
    left = ev.Audit(at=30, run=1, processes=(7,), files=(), unread=35, quit_elapsed=1)
    clearing = signalled(signal.SIGTERM, "the child left a process behind", 25)
    text = saved(*OPEN, sent("quit"), exited(), clearing, left)
    assert read_steps(text)[1:] == [steps.Quit(), steps.ExpectExit(0)]
    assert comments(text)[-1] == "# It left behind: 1 process (pid 7), 35 unread bytes"


def test_a_broken_wire_is_a_comment_in_its_place() -> None:
    """Its control characters are visible, and it is one line."""
    text = saved(*OPEN, ev.Fault(at=9, run=1, sentence="bad\nbyte \x1b"), exited(1), CLEAN)
    assert comments(text)[-1] == "# The child broke the protocol: bad␊byte ␛"


def test_runs_are_joined_by_restarts() -> None:
    """Each with its end; a handshake that failed is left out."""
    second = [replace(event, run=2) for event in (*OPEN, sent(2), received(2), *QUIT)]
    failed = ev.HandshakeFailed(at=50, run=3, step="hello", sentence="nothing came", timed_out=True)
    fourth = [replace(event, run=4) for event in (*OPEN, exited(3), CLEAN)]
    text = saved(*OPEN, sent(1), received(1), *QUIT, *second, failed, *fourth)
    assert read_steps(text) == [
        SPAWN,
        steps.Send(1),
        steps.Expect(1),
        *GOOD_END,
        steps.Restart(),
        steps.Send(2),
        steps.Expect(2),
        *GOOD_END,
        steps.Restart(),
        steps.ExpectExit(3),
        steps.ExpectClean(),
    ]
    assert "# Run 3 is left out, as its handshake failed: nothing came" in comments(text)


def test_a_session_that_goes_on_has_no_end_yet() -> None:
    """Saved from the explorer, while the child lives."""
    assert read_steps(saved(*OPEN, sent(1), received(1))) == [SPAWN, steps.Send(1), steps.Expect(1)]


def test_a_missing_beginning_is_noted() -> None:
    """In the heading."""
    text = saved(received(1), *QUIT, first_missing=True)
    assert read_steps(text) == [SPAWN, steps.Expect(1), *GOOD_END]
    assert any("beginning is missing" in line for line in comments(text))


@given(st.lists(any_event, max_size=8), st.lists(texts, max_size=3), st.booleans())
def test_whatever_happened_is_a_script(events: list[ev.AnyEvent], command: list[str], missing: bool) -> None:
    """Of a recording that a stranger wrote, too: it can be read, and written into a file."""
    events = [replace(event, run=event.run % 3) for event in events]
    text = convert_events_to_script(events, command, first_missing=missing)
    parse_script(text)
    text.encode()


@given(st.lists(values, max_size=3))
@settings(max_examples=30)
def test_values_are_saved_as_they_are(messages: list[Any]) -> None:
    """Whatever messages can hold."""
    events = [received(arrived(value)) for value in messages]
    expected = [step for step in read_steps(saved(*OPEN, *events, *QUIT)) if isinstance(step, steps.Expect)]
    assert [render_value(step.value) for step in expected] == [
        render_value(arrived(value)) for value in messages
    ]
