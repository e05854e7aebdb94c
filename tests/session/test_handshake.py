"""Reading hellos, and the steps of the handshake."""

import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.sessions import (
    CONNECT_STEPS,
    OPEN_STEPS,
    EventCollector,
    child,
    describe_events,
    is_closed,
    name_leftover,
    run_session,
    single_event,
    wait_for_failed_handshake,
)
from tui_ipc import Message, channel
from tui_ipc import events as ev
from tui_ipc.ipc.hello import InvalidHello
from tui_ipc.session.handshake import HandshakeError, receive_hello
from tui_ipc.session.handshake_monitor import (
    HandshakeEvidence,
    describe_delay,
    explain_failure,
    late_threshold,
)
from tui_ipc.session.session import Session

GOOD = {"tui-ipc": 1, "pid": 7, "name": "x"}
keys = st.text() | st.integers()
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner),
)


def test_a_hello_without_channels_is_inline() -> None:
    hello = receive_hello(Message(dict(GOOD), b""))
    assert (hello.name, hello.pid, hello.channels) == ("x", 7, None)


def test_the_channels_of_a_hello_stay_open_and_every_other_handle_is_closed() -> None:
    to_child, other = channel()
    another, from_child = channel()
    value = {**GOOD, "to_child": to_child, "from_child": from_child, "more": [other, {"and": another}]}
    assert receive_hello(Message(value, b"")).channels == (to_child, from_child)
    assert [is_closed(one) for one in (to_child, from_child, other, another)] == [False, False, True, True]
    to_child.close()
    from_child.close()


@pytest.mark.parametrize("key", list(GOOD))
def test_what_is_no_hello_closes_its_handles_wherever_they_are(key: str) -> None:
    """Also where the version, the pid or the name should be."""
    ends = channel()
    value = {**GOOD, "to_child": ends[0], "from_child": ends[1]} | {key: ends[0]}
    with pytest.raises(InvalidHello):
        receive_hello(Message(value, b""))
    assert [is_closed(end) for end in ends] == [True, True]


@given(values)
def test_any_other_first_message_is_told_with_its_size_in_one_line(value: Any) -> None:
    with pytest.raises(InvalidHello, match=r"its first message, of \d+ bytes, ") as caught:
        receive_hello(Message(value, b"123"))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize(
    ("step_taken", "reached", "says"),
    [
        ("spawned", [], "the child exited with code {} before it connected; "),
        ("connected", ["connected"], "the child connected and exited with code {} before its hello; "),
        (
            "half a hello",
            ["connected"],
            (
                "the child connected and exited with code {} before its hello, 9 bytes into its first "
                "message; it sent 83 a7 74 75 69 2d 69 70 63 (..tui-ipc); "
            ),
        ),
    ],
)
def test_a_child_that_exits_during_the_handshake_is_reported_at_once(
    step_taken: str, reached: list[str], says: str, code: int
) -> None:
    """The sentence has the step, the exit status, its last words and what a child has to do."""
    events = run_session(child("exits", step_taken, str(code)), wait_for_failed_handshake)
    step = "hello" if reached else "connected"
    story = describe_events(events)
    printed = "stderr 'giving up\\n'"  # comes by a stream of its own, and so before or after a step
    assert story.index("spawned") < story.index(printed) < story.index(f"failed to reach {step!r}")
    story.remove(printed)
    assert story == [
        "listening",
        "spawned",
        *reached,
        f"failed to reach {step!r}",
        f"exited {code}",
        "clean",
    ]
    sentence = single_event(events, ev.HandshakeFailed).sentence
    assert sentence.startswith(says.format(code) + 'it printed on stderr: "giving up". ')
    assert "channel_name:" in sentence or "PROTOCOL.md" in sentence


def test_a_step_is_late_after_a_fifth_of_the_time_but_not_before_half_a_second() -> None:
    """Programs need time to load."""
    assert (late_threshold(5.0), late_threshold(60.0), late_threshold(1.0)) == (1.0, 12.0, 0.5)


HELD_UP = HandshakeEvidence(
    connected=True,
    partial_hello_size=3,
    exit_text=None,
    stopped_by=None,
    last_output="it printed nothing on stderr",
)


@pytest.mark.parametrize(
    ("evidence", "happened"),
    [
        (HELD_UP, "connected 1.2 s ago and has sent only 3 bytes of its first message;"),
        (
            replace(HELD_UP, partial_hello_size=1),
            "connected 1.2 s ago and has sent only 1 byte of its first message;",
        ),
        (replace(HELD_UP, partial_hello_size=0), "connected 1.2 s ago and has not sent its hello;"),
        (replace(HELD_UP, connected=False, partial_hello_size=0), "has run for 1.2 s and has not connected;"),
        (
            replace(HELD_UP, partial_hello_size=0, stopped_by="SIGSTOP"),
            "connected 1.2 s ago and has not sent its hello: it is stopped by SIGSTOP;",
        ),
        (
            replace(HELD_UP, connected=False, partial_hello_size=0, rejected="process 7 was turned away"),
            "has run for 1.2 s and has not connected; process 7 was turned away;",
        ),
    ],
)
def test_the_sentence_of_a_late_step_says_how_far_the_child_has_come(
    evidence: HandshakeEvidence, happened: str
) -> None:
    """The fact with its number, then the evidence."""
    assert describe_delay(evidence, 1.23).startswith(f"the child {happened} it printed nothing on stderr. ")


def test_a_child_that_ended_just_at_the_deadline_has_ended() -> None:
    """It does not still run, and is not stopped."""
    ended = replace(HELD_UP, connected=False, exit_text="exited with code 2")
    sentence = explain_failure(ended, error=None, silence=5.0)
    assert sentence.startswith("the child exited with code 2 before it connected; ")


def test_a_stop_is_no_reason_for_a_bad_hello() -> None:
    """It has spoken."""
    stopped = replace(HELD_UP, stopped_by="SIGSTOP")
    assert "SIGSTOP" not in explain_failure(
        stopped, error=ValueError("its first message is odd"), silence=None
    )
    assert "SIGSTOP" in explain_failure(stopped, error=None, silence=5.0)


def test_a_child_that_exits_right_after_its_hello_had_a_good_handshake() -> None:
    """The channels were open, if not for long."""
    events = run_session(child("exits", "hello", "0"), lambda _, watch: watch.until(ev.Audit))
    assert [line for line in describe_events(events) if not line.startswith("stderr")] == [
        *CONNECT_STEPS,
        "hello by-hand inline",
        "open",
        "closed",
        "exited 0",
        "clean",
    ]


def test_a_child_that_exits_while_another_process_holds_its_connection_is_not_waited_for() -> None:
    """The deadline is 20 s; the child's end is what counts, and the other process is ended."""
    events = run_session(child("exits", "held", "3"), wait_for_failed_handshake)
    failed = single_event(events, ev.HandshakeFailed)
    assert failed.sentence.startswith(
        "the child connected and exited with code 3 before its hello; it printed"
    )
    assert failed.at < 10e9
    assert describe_events(events)[-3:-1] == [
        "exited 3",
        f"SIGTERM: the child ended and left processes behind: {name_leftover(events)}",
    ]


@pytest.mark.parametrize(
    ("name", "reached", "says"),
    [
        ("never_connects", [], "the child did not connect within 0.5 s, and still runs; "),
        ("never_says_hello", ["connected"], "the child connected and sent nothing for "),
    ],
)
def test_a_child_that_keeps_us_waiting_fails_at_the_deadline_and_is_ended(
    name: str, reached: list[str], says: str
) -> None:
    """The whole handshake has one deadline, and what did not take part in it does not go on running."""
    failure: list[HandshakeError] = []

    async def act(session: Session, watch: EventCollector) -> None:
        failure.append(await wait_for_failed_handshake(session, watch))

    events = run_session(child(name), act, timeout=0.5)
    step = "hello" if reached else "connected"
    lines = [line for line in describe_events(events) if not line.startswith("stdout")]
    assert lines == [
        "listening",
        "spawned",
        *reached,
        f"failed to reach {step!r} in time",
        "SIGTERM: the handshake failed",
        "ended by SIGTERM",
        "clean",
    ]
    failed = single_event(events, ev.HandshakeFailed)
    assert failed.sentence.startswith(says)
    assert (str(failure[0]), failure[0].timed_out) == (failed.sentence, failed.timed_out)
    assert failed.at >= 0.5e9


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["false"], "the child exited with code 1 before it connected; it printed nothing on stderr. "),
        (["cat"], "No such file or directory"),
        (["sleep", "100"], "invalid time interval"),
        (["sh", "-c", "kill -SEGV $$"], "the child was ended by SIGSEGV before it connected; "),
        (
            ["sh", "-c", "echo only here; exit 5"],
            '5 before it connected; it printed on stdout: "only here". ',
        ),
    ],
    ids=["false", "cat", "sleep", "signal", "stdout"],
)
def test_programs_that_know_nothing_of_us_fail_at_once_with_their_own_words(
    command: list[str], says: str
) -> None:
    """The evidence is in the sentence, the cure as well."""
    failed = single_event(run_session(command, wait_for_failed_handshake), ev.HandshakeFailed)
    assert says in failed.sentence
    assert failed.sentence.endswith("its last argument (channel_name:…) and in TUI_IPC_SERVER.")
    assert (failed.step, failed.timed_out) == ("connected", False)


def test_a_command_that_cannot_be_started_fails_before_there_is_a_child() -> None:
    """No ChildSpawned, no ChildExited; the server that listened is gone."""
    events = run_session(["/no/such/file"], wait_for_failed_handshake)
    assert describe_events(events) == ["listening", "failed to reach 'spawned'", "clean"]
    assert (
        single_event(events, ev.HandshakeFailed).sentence
        == "the program '/no/such/file' does not exist; check its path"
    )


def test_a_place_without_room_for_a_socket_fails_at_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the parent is reported in the same way."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "mkdir", full)
    events = run_session(None, wait_for_failed_handshake)
    assert describe_events(events) == ["failed to reach 'listening'", "clean"]
    assert "No space left on device" in single_event(events, ev.HandshakeFailed).sentence


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b"\xabhello there", 'its first message, of 12 bytes, is not a map: "hello there"; '),
        (b"\xc0", "its first message, of 1 byte, is not a map: null; "),
        (b"\x81\xa1a\x01", "its first message, of 4 bytes, has no key 'tui-ipc': {\"a\": 1}; "),
        (b"\x81\xa7tui-ipc\x02", "is a hello of version 2, and this session speaks version 1: "),
        (b"\x81\xa7tui-ipc\xc3", "has no version number under 'tui-ipc': {\"tui-ipc\": true}; "),
        (b"\x82\xa7tui-ipc\x01\xa3pid\xa1x", "has no process id under 'pid': "),
        (b"\x82\xa7tui-ipc\x01\xa3pid\x05", "has no string under 'name': "),
        (b"\xc1", "0xc1 is not the first byte of a msgpack value"),
        (b"\x81\xa7tui-ipc\xc7\x01\x63\x00", "unknown ext type 99"),
    ],
)
def test_a_first_message_that_is_no_hello_is_shown_in_the_sentence(sent: bytes, says: str) -> None:
    """Size and a short rendering show the child's author what arrived; a child that stays is ended."""
    events = run_session(child("sends_bytes", sent.hex()), wait_for_failed_handshake)
    assert describe_events(events) == [
        *CONNECT_STEPS,
        "failed to reach 'hello'",
        "SIGTERM: the handshake failed",
        "ended by SIGTERM",
        "clean",
    ]
    failed = single_event(events, ev.HandshakeFailed)
    assert failed.sentence.startswith("the child connected, but ")
    assert says in failed.sentence
    assert not failed.timed_out


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("one channel", "has no receiver under 'from_child', although it has 'to_child'; a hello has both"),
        ("swapped", "has no sender under 'to_child', although it has 'from_child'; a hello has both"),
        ("handles only", 'is not a map: [{"deep": ["<sender>", "<receiver>"]}]'),
    ],
)
def test_a_hello_with_the_wrong_handles_is_refused_and_its_handles_are_closed(kind: str, says: str) -> None:
    """A bad hello leaks nothing: the leak check of every test looks."""
    failed = single_event(
        run_session(child("odd_hello", kind), wait_for_failed_handshake), ev.HandshakeFailed
    )
    assert says in failed.sentence


def test_further_handles_in_a_hello_are_closed_and_do_no_harm() -> None:
    """Later versions may add keys."""
    events = run_session(child("odd_hello", "extra handles"), grace=0.1)
    assert describe_events(events)[:5] == OPEN_STEPS


def test_a_child_that_hangs_up_before_its_hello_is_not_waited_for() -> None:
    """It lives, but there is no connection any more on which a hello could come."""
    events = run_session(child("hangs_up"), wait_for_failed_handshake)
    assert single_event(events, ev.HandshakeFailed).sentence.startswith(
        "the child connected and closed the connection before its hello; it printed nothing on stderr. "
    )
    assert describe_events(events)[-3:] == ["SIGTERM: the handshake failed", "ended by SIGTERM", "clean"]
