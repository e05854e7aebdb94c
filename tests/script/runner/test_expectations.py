"""Each way in which an expectation is met or not, by a session that a test plays."""

import asyncio
import signal
from collections.abc import Iterable
from typing import Any

import pytest

from tests.support.run_script import detail_texts, echo, run, silence
from tests.support.scripted_session import (
    FakeSession,
    audit,
    closed,
    exited,
    opened,
    printed,
    received,
    signalled,
    spawned,
)
from tests.support.virtual_clock import VirtualClock
from tui_ipc.events import AnyEvent, Audit, Fault, MessageReceived
from tui_ipc.script import ExitCode
from tui_ipc.script.language.steps import Expect, Quit, Repeat, Script, Send
from tui_ipc.text.notation import render_value
from tui_ipc.text.placeholders import ANY_REST

FAULT = Fault(at=0, run=1, sentence="nonsense")
GONE = (closed(), exited(3), audit(None))


def says(*values: Any) -> FakeSession:
    """A child that says these once it is sent anything."""
    return FakeSession(opened(), lambda value: [received(each) for each in values])


# < and <~


def test_a_pattern_captures_and_what_it_captured_is_filled_in() -> None:
    """In what is sent, and in what is expected later."""
    session = FakeSession(opened(), lambda value: [received({"id": 7, "echo": value})])
    outcome = run('> open\n< {"id": {{id}}, ...}\n> {"close": {{id}}}\n< {"id": {{id}}, ...}', session)
    assert outcome.code is ExitCode.PASSED
    assert session.sent == ["open", {"close": 7}]


def test_each_round_of_a_repeat_captures_anew() -> None:
    """Each has the id of its own."""
    numbers = iter(range(10))
    session = FakeSession(opened(), lambda value: [received(next(numbers))] if value == "open" else ())
    outcome = run("repeat 3\n  > open\n  < {{id}}\n  > [{{id}}]\nend", session)
    assert outcome.code is ExitCode.PASSED
    assert session.sent == ["open", [0], "open", [1], "open", [2]]


def test_skipping_takes_the_first_message_that_matches() -> None:
    """The messages before it are gone, those after it are kept."""
    outcome = run("> x\n<~ 3\n< 4", says(1, 2, 3, 4, 5))
    assert outcome.code is ExitCode.PASSED
    assert [message.value for message in outcome.unexpected] == [5]


def test_skipping_has_one_deadline_however_much_comes() -> None:
    """A child that never stops talking does not keep it from passing."""
    clock = VirtualClock()
    began = clock.now

    def chatter() -> None:
        if not session.over:
            session.feed(received("noise"))
            asyncio.get_running_loop().call_later(0.1, chatter)

    def answer(value: Any) -> Iterable[AnyEvent]:
        asyncio.get_running_loop().call_soon(chatter)
        return ()

    session = FakeSession(opened(), answer)
    outcome = run('> x\n<~ "y" within 3s', session, clock=clock)
    assert outcome.code is ExitCode.TIMED_OUT
    assert outcome.sentence == "no message that matches came within 3 s"
    assert clock.now - began == pytest.approx(3, abs=0.2)
    # One every 0.1 s; the last one came at the deadline itself, and is looked at before that is judged.
    assert detail_texts(outcome, "closest") == ["message #1, the closest of 31 that were skipped"]


def test_skipping_what_was_there_already_does_not_use_up_the_time() -> None:
    """The deadline is that of the step, and not one of an earlier step."""
    clock = VirtualClock()
    began = clock.now
    outcome = run('> x\nsleep 1s\n<~ "y" within 3s', says("a", "b"), clock=clock)
    assert outcome.code is ExitCode.TIMED_OUT
    assert clock.now - began == pytest.approx(4)


def test_a_message_may_be_waited_for_longer_than_others() -> None:
    """``within`` holds for its step, ``timeout`` for all that follow."""
    outcome = run('timeout 1s\n> x\n< "y" within 5s', FakeSession(opened(), silence))
    assert outcome.sentence == "no message came within 5 s"
    outcome = run("timeout 1s\n> x\n< y", FakeSession(opened(), silence))
    assert outcome.sentence == "no message came within 1 s"


def test_a_child_that_dies_while_messages_are_skipped() -> None:
    """Told is what came before."""
    session = FakeSession(opened(), lambda value: [received(1), *GONE], ending=())
    outcome = run("> x\n<~ 2", session)
    assert (outcome.code, outcome.line) == (ExitCode.CHILD_FAILED, 2)
    assert outcome.sentence == "the child exited with code 3, and a message was expected"
    assert detail_texts(outcome, "expected", "received") == ["2", "1"]


# !<


def test_no_message_may_come() -> None:
    """Not within the given time, and none may wait from before."""
    clock = VirtualClock()
    began = clock.now
    assert run("> x\n!< within 7s", says(), clock=clock).code is ExitCode.PASSED
    assert clock.now - began == pytest.approx(7)
    outcome = run("> x\n!< within 7s", says({"a": 1}))
    assert (outcome.code, outcome.line) == (ExitCode.UNEXPECTED, 2)
    assert outcome.sentence == "a message came where none was expected"
    assert detail_texts(outcome, "received") == ['{"a": 1}']


@pytest.mark.parametrize("events", [[closed()], [closed(), exited(0), audit(None)]])
def test_a_child_that_is_gone_sends_nothing(events: list[AnyEvent]) -> None:
    """It is known at once, without waiting for the time to pass. Whether it may be gone is for other steps
    to say."""
    clock = VirtualClock()
    began = clock.now
    outcome = run("> x\n!< within 7s\n? exit 0", FakeSession(opened(), lambda value: events), clock=clock)
    if len(events) > 1:
        assert (outcome.code, outcome.passed) == (ExitCode.PASSED, 3)
        assert clock.now == began
    else:
        assert outcome.passed == 2


def test_a_broken_wire_is_not_nothing() -> None:
    """What comes is no message."""
    outcome = run("> x\n!<", FakeSession(opened(), lambda value: [FAULT, closed()]))
    assert (outcome.code, outcome.line) == (ExitCode.CHILD_FAILED, 2)
    assert outcome.sentence == "the child broke the protocol: nonsense"


# expect


def test_text_is_found_in_what_is_printed_since_the_last_match() -> None:
    """Each stream for itself, and however the text is cut."""
    pieces = [printed(b"one tw"), printed(b"one\n", "stderr"), printed(b"o\ntwo\n")]
    script = "> x\nexpect stdout /two/\nexpect stderr /one/\nexpect stdout /two/\nexpect stdout /one/"
    outcome = run(script, FakeSession(opened(), lambda value: pieces))
    assert (outcome.code, outcome.line) == (ExitCode.TIMED_OUT, 5)
    assert outcome.sentence == "no such text came on stdout within 2 s"
    assert outcome.details[:2] == (("expected", "/one/"), ("stdout", "nothing was printed since"))


def test_a_failure_shows_what_was_printed_instead() -> None:
    """The last lines since the last match; of stderr only once."""
    pieces = [printed(b"ready\n"), printed(b"a\nb\n", "stdout"), printed(b"oops\n", "stderr")]
    script = "> x\nexpect stdout /ready/\nexpect stdout /set/"
    outcome = run(script, FakeSession(opened(), lambda value: pieces))
    assert detail_texts(outcome, "stdout") == ["a", "b"]
    assert detail_texts(outcome, "stderr") == ["oops"]
    outcome = run("> x\nexpect stderr /set/", FakeSession(opened(), lambda _: pieces))
    assert detail_texts(outcome, "stderr") == ["oops"]


def test_what_a_child_prints_at_its_end_counts() -> None:
    """And once it has ended, nothing can come any more."""
    events = [closed(), printed(b"bye"), exited(0), audit(None)]
    session = FakeSession(opened(), lambda value: events, ending=())
    assert run("> x\nexpect stdout /bye/\n? exit 0", session).code is ExitCode.PASSED
    session = FakeSession(opened(), lambda value: events, ending=())
    outcome = run("> x\nexpect stdout /hello/", session)
    assert outcome.code is ExitCode.CHILD_FAILED
    assert outcome.sentence == "the child exited with code 0, and text was expected on its stdout"
    assert detail_texts(outcome, "stdout") == ["bye"]


def test_a_very_long_match_is_found_at_the_deadline_at_the_latest() -> None:
    """Where all of the text is looked at once more."""
    pieces = [printed(b"begin" + b"." * 200_000), printed(b"end")]
    session = FakeSession(opened(), lambda value: pieces)
    assert run("> x\nexpect stdout /(?s)begin.*end/", session).code is ExitCode.PASSED


def test_messages_that_come_while_text_is_waited_for_are_kept() -> None:
    """For the steps that take them."""
    events = [received(1), printed(b"ready")]
    outcome = run("> x\nexpect stdout /ready/\n< 1", FakeSession(opened(), lambda value: events))
    assert outcome.code is ExitCode.PASSED


# ?


@pytest.mark.parametrize(
    ("line", "how", "sentence"),
    [
        ("? exit 3", exited(3), ""),
        ("? exit 3", exited(0), "the child exited with code 0"),
        ("? exit 0", exited(None, 11), "the child was ended by SIGSEGV"),
        ("? signal SIGKILL", exited(None, 9), ""),
        ("? signal SIGKILL", exited(None, 15), "the child was ended by SIGTERM"),
        ("? signal SIGKILL", exited(9), "the child exited with code 9"),
    ],
)
@pytest.mark.parametrize("reported", ["", "quit\n"])
def test_how_the_child_must_end(line: str, how: AnyEvent, sentence: str, reported: str) -> None:
    """By itself, or after it was asked to quit; another end is an expectation that failed."""
    if reported:
        session = FakeSession(opened(), silence, ending=[closed(), how, audit()])
    else:
        session = FakeSession(opened(), lambda value: [closed(), how, audit(None)], ending=())
    outcome = run(f"> x\n{reported}{line}", session)
    assert outcome.code is (ExitCode.UNEXPECTED if sentence else ExitCode.PASSED)
    assert outcome.sentence == sentence
    assert outcome.line == (1 + len(f"{reported}{line}".splitlines()) if sentence else 0)


def test_a_child_that_does_not_end_by_itself() -> None:
    """It has as long as any step."""
    outcome = run("> x\n? exit 0", FakeSession(opened(), silence))
    assert (outcome.code, outcome.line) == (ExitCode.TIMED_OUT, 2)
    assert outcome.sentence == "the child did not end within 2 s"
    assert outcome.details[:3] == (
        ("expected", "exit with code 0"),
        ("remedy", "to tell it to end, write quit above this line"),
        ("child", "is alive (pid 4242)"),
    )


def test_a_child_that_survives_the_signal() -> None:
    """The script may have meant to send it."""
    outcome = run("? signal TERM", FakeSession(opened(), silence))
    assert (outcome.code, outcome.line) == (ExitCode.TIMED_OUT, 1)
    assert outcome.details[:2] == (
        ("expected", "end by SIGTERM"),
        ("remedy", "to end it, write signal SIGTERM above this line"),
    )


def test_a_child_that_had_to_be_forced_did_not_exit() -> None:
    """Not even with the code that was due; the signal that it takes can be asked for."""
    ending = [signalled(signal.SIGTERM, "it had not ended"), closed(), exited(0), audit()]
    outcome = run("quit\n? exit 0", FakeSession(opened(), silence, ending))
    assert (outcome.code, outcome.sentence) == (ExitCode.UNEXPECTED, "it had not ended; SIGTERM ended it")
    ending = [signalled(signal.SIGTERM, "it had not ended"), closed(), exited(None, 15), audit()]
    assert run("quit\n? signal SIGTERM", FakeSession(opened(), silence, ending)).code is ExitCode.PASSED


def test_what_the_child_leaves_behind() -> None:
    """The audit names it; without the line it is no failure."""
    left = Audit(at=0, run=1, processes=(12, 13), files=(), unread=5, quit_elapsed=1)
    outcome = run("quit\n? exit 0\n? clean", FakeSession(opened(), silence, [closed(), exited(), left]))
    assert (outcome.code, outcome.line) == (ExitCode.UNEXPECTED, 3)
    assert outcome.sentence == "the child left behind: 2 processes (pid 12, 13) · 5 unread bytes"
    assert run("quit\n? exit 0", FakeSession(opened(), silence, [closed(), exited(), left])).code == 0
    assert run("quit\n? clean", FakeSession(opened(), silence)).code is ExitCode.PASSED


def test_clean_says_nothing_of_the_exit_code() -> None:
    """Which is due as ever."""
    outcome = run("quit\n? clean", FakeSession(opened(), silence, [closed(), exited(1), audit()]))
    assert (outcome.code, outcome.line) == (ExitCode.CHILD_FAILED, 1)
    assert outcome.sentence == "asked to quit, the child exited with code 1; code 0 was expected"


def test_clean_alone_does_not_allow_an_end() -> None:
    """A child that was not told to quit may only end where a line says how."""
    outcome = run("> x\n? clean", FakeSession(opened(), lambda value: GONE, ending=()))
    assert (outcome.code, outcome.line) == (ExitCode.CHILD_FAILED, 0)
    assert outcome.sentence == "the child exited with code 3 before it was asked to quit"


def test_a_protocol_fault_that_no_step_saw_is_a_bad_end() -> None:
    """Whatever the exit code."""
    session = FakeSession(opened(), lambda value: [FAULT, closed()], [exited(0), audit()])
    outcome = run("> x", session)
    assert (outcome.code, outcome.sentence) == (
        ExitCode.CHILD_FAILED,
        "the child broke the protocol: nonsense",
    )


# repeat


def test_a_failure_in_a_repeat_names_the_round() -> None:
    """And how far the script came."""
    numbers = iter([0, 0, 0, 0, 1, 0])
    session = FakeSession(opened(), lambda value: [received(next(numbers))])
    outcome = run("repeat 2\n repeat 1000\n  > x\n  < 0\n end\nend", session)
    assert (outcome.code, outcome.line) == (ExitCode.UNEXPECTED, 4)
    assert (outcome.passed, outcome.total) == (9, 4000)
    assert detail_texts(outcome, "round") == ["1 of 2 (repeat of line 1)", "5 of 1 000 (repeat of line 2)"]


def test_a_child_that_dies_in_a_repeat() -> None:
    """Told is the round in which it did not answer any more."""
    answers = iter([[received("ok")]] * 3)
    session = FakeSession(opened(), lambda value: next(answers, GONE), ending=())
    outcome = run("repeat 100000\n> x\n< ok\nend", session)
    assert (outcome.code, outcome.line, outcome.passed) == (ExitCode.CHILD_FAILED, 3, 7)
    assert detail_texts(outcome, "round") == ["4 of 100 000 (repeat of line 1)"]


def test_a_failure_shows_the_captured_names_it_uses() -> None:
    """With their values; others are not."""
    session = FakeSession(opened(), lambda value: [received([1, "two"])])
    script = "> x\n< [{{one}}, {{other}}]\n> x\n< [{{one}}, {{one}}]"
    outcome = run(script, session)
    assert detail_texts(outcome, "captured") == ["one = 1"]
    assert detail_texts(outcome, "differs") == ['$[1]: {{one}}, which is 1, was expected, and "two" came']


def test_a_message_that_came_later_is_pointed_out() -> None:
    """The step that skips what came before it is named."""
    answers = [received(number, number=number) for number in (1, 2, 3)]
    outcome = run("> x\nexpect stdout /go/\n< 3", FakeSession(opened(), lambda _: [*answers, printed(b"go")]))
    assert detail_texts(outcome, "later") == ["message #3 matches; <~ skips to it"]


# bounds


def flood(value: Any) -> Iterable[AnyEvent]:
    """More than 64 MiB of messages."""
    return [received("x" * 1024 * 1024)] * 70


def test_a_child_that_floods_is_held_up_while_the_script_sleeps() -> None:
    """No more is read than is kept."""
    session = FakeSession(opened(), flood)
    outcome = run("> x\nsleep 1s", session)
    assert outcome.code is ExitCode.PASSED
    assert (len(outcome.unexpected), outcome.unclaimed) == (64, 70)


def test_a_child_that_floods_must_not_be_held_up_while_the_script_waits_for_something_else() -> None:
    """So there is an end to what is kept, and the script says so."""
    session = FakeSession(opened(), flood)
    outcome = run("> x\nexpect stdout /ready/", session)
    assert (outcome.code, outcome.line) == (ExitCode.UNEXPECTED, 2)
    assert "the child sent more than the 64 messages that are kept" in outcome.sentence


def test_many_rounds_keep_nothing() -> None:
    """Neither of what was sent nor of what came."""
    exchange = Repeat(5_000, (Send("x"), Expect("echo x"), Expect(ANY_REST)))
    session = FakeSession(opened(), lambda value: [*echo(value), received("more")])
    outcome = run(Script("load", (exchange, Quit())), session)
    assert (outcome.code, outcome.passed, outcome.unclaimed) == (ExitCode.PASSED, 15_001, 0)


def test_a_signal_that_the_script_sends_is_not_taken_for_force() -> None:
    """The child may end by itself after it."""
    session = FakeSession(
        [spawned(), *opened()],
        silence,
        ending=(),
        signalled=lambda number: [closed(), exited(None, number), audit(None)],
    )
    outcome = run("signal SIGKILL\n? signal SIGKILL\n? clean", session)
    assert outcome.code is ExitCode.PASSED, outcome


COLOURED = printed(b"\x1b[32mready\x1b[0m for \x1b[1m3\x1b[0m customers\r\nload 1%\rload 100%\r\n")


@pytest.mark.parametrize(
    "text",
    [
        r"expect stdout /^ready for \d+ customers$/",
        "expect stdout /^load 1%$/\nexpect stdout /^load 100%$/",
        r"expect stdout raw /\[32mready.*for/",
        r"expect stdout /\x1b\[1m3/",  # as it was written before there was "raw"
        r"expect stdout raw /100%\r\n/",
        "expect stdout raw /100%/\nexpect stdout /ready/",
    ],
)
def test_output_is_what_a_person_sees_or_raw(text: str) -> None:
    """Both look after their own last match."""
    assert run(text, FakeSession([*opened(), COLOURED])).code == ExitCode.PASSED


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("expect stdout /nothing/", ["ready for 3 customers", "load 1%", "load 100%"]),
        ("expect stdout raw /nothing/", ["\x1b[32mready\x1b[0m for \x1b[1m3\x1b[0m customers"]),
    ],
)
def test_a_failure_shows_the_output_that_was_searched(text: str, shown: list[str]) -> None:
    """As a person sees it, or as it was printed."""
    outcome = run(text, FakeSession([*opened(), COLOURED]))
    assert outcome.code == ExitCode.TIMED_OUT
    assert detail_texts(outcome, "stdout")[: len(shown)] == shown


def test_every_difference_is_listed() -> None:
    """Missing and surplus keys and items, and of long texts the part that differs."""
    value = {"items": [2, 3, 4], "text": "x" * 500 + "a" + "y" * 500, "more": 1}
    script = f"> 1\n< {render_value({'items': [1, 2, 3, 4], 'text': 'x' * 500 + 'b' + 'y' * 500, 'id': 7})}"
    outcome = run(script, FakeSession(opened(), lambda _: [received(value)]))
    assert outcome.code == ExitCode.UNEXPECTED
    items, text, identifier, more = detail_texts(outcome, "differs")
    assert items == "$.items[0]: 1 was expected, and nothing is there"
    assert text.startswith('$.text: "' + "x" * 48 + "b")
    assert text.endswith("came (from character 452 on)")
    assert identifier == "$.id: 7 was expected, and nothing is there"
    assert more == "$.more: 1 came, and nothing was expected there"


def test_very_many_differences_are_counted() -> None:
    """A screenful of them is shown."""
    value = [str(number) for number in range(1000)]
    outcome = run(f"> 1\n< {list(range(1000))}", FakeSession(opened(), lambda _: [received(value)]))
    listed = detail_texts(outcome, "differs")
    assert len(listed) == 21
    assert listed[-1] == "and in 980 more places"


# !expect and expect ... empty


def prints(*pieces: bytes) -> FakeSession:
    return FakeSession([*opened(), *(printed(piece) for piece in pieces)], silence)


def test_text_may_not_be_printed() -> None:
    """Not after the last match, and within the time; the line is shown."""
    clock = VirtualClock()
    began = clock.now
    text = "expect stdout /ready/\n!expect stdout /ready|err/ within 7s"
    assert run(text, prints(b"ready\ndone\n"), clock=clock).code is ExitCode.PASSED
    assert clock.now - began == pytest.approx(7)
    outcome = run("!expect stdout /err/", prints(b"ready\n", b"\x1b[31man error\n", b"more\n"))
    assert (outcome.code, outcome.line) == (ExitCode.UNEXPECTED, 1)
    assert outcome.sentence == "text came on stdout where it was not expected"
    assert detail_texts(outcome, "unwanted", "stdout") == ["/err/", "an error"]


def test_a_child_that_has_ended_prints_no_more() -> None:
    """So that is known at once; what it printed counts."""
    clock = VirtualClock()
    began = clock.now
    for text in "quit\n!expect stderr /x/ within 1m", "quit\nexpect stderr empty within 1m":
        assert run(text, prints(b"x"), clock=clock).sentence == ""
    assert clock.now == began
    assert run("quit\n!expect stdout /x/", prints(b"x")).sentence.startswith("text came on stdout")


def test_no_text_may_be_printed_at_all() -> None:
    """Blanks, line ends and colours are no text; it is judged at once."""
    clock = VirtualClock()
    began = clock.now
    assert run("expect stdout empty", prints(b"\x1b[31m \n", b"\x1b[0m"), clock=clock).sentence == ""
    assert clock.now - began < 0.1
    outcome = run("expect stdout empty", prints(b"\nab\n"))
    assert (outcome.code, outcome.sentence) == (ExitCode.UNEXPECTED, "the child printed on stdout")
    assert detail_texts(outcome, "unwanted", "stdout") == ["any text", "ab"]
    assert run("expect stdout /a/\nexpect stdout empty", prints(b"a\n", b"b")).line == 2
    assert run("expect stdout /a/\nexpect stdout empty", prints(b"a\n")).sentence == ""


# times


def answers_after(*milliseconds: int) -> FakeSession:
    times = iter(milliseconds)

    def answer(value: Any) -> list[AnyEvent]:
        number = next(times)
        elapsed = number * 1_000_000
        return [MessageReceived(at=0, run=1, number=1, value=value, raw=b"\xc0", answers=1, elapsed=elapsed)]

    return FakeSession(opened(), answer)


def test_an_answer_may_come_too_early() -> None:
    """After the message that it answers."""
    assert run("> x\n< ... within 20ms..1s", answers_after(20)).sentence == ""
    outcome = run("> x\n< ... within 20ms..1s", answers_after(19))
    assert (outcome.code, outcome.line) == (ExitCode.UNEXPECTED, 2)
    assert outcome.sentence == "the message came after 19 ms, which is too early"
    assert detail_texts(outcome, "expected") == ["not before 20 ms"]


def test_the_answers_of_a_repeat_are_measured() -> None:
    """Those of the last one; of each only about 1 % is lost, so that memory does not grow with them."""
    text = "> x\n< ...\nrepeat 10\n> x\n< ...\nend\n> x\n< ...\n"
    times = (900, *([5] * 8), 7, 100, 800)
    passing = f"{text}? p80 < 5.1ms\n? p90 < 7.1ms\n? p100 < 101ms"
    assert run(passing, answers_after(*times)).sentence == ""
    outcome = run(f"{text}? p90 < 6.9ms", answers_after(*times))
    assert (outcome.code, outcome.line) == (ExitCode.UNEXPECTED, 9)
    assert outcome.sentence.startswith("90 % of the answers took up to 7.")
    assert detail_texts(outcome, "expected") == ["less than 6.9 ms"]
    assert detail_texts(outcome, "measured")[0].startswith("10 answers: p50 5.0 ms, p90 7.")


def test_without_answers_nothing_is_measured() -> None:
    """That is no success."""
    outcome = run("repeat 2\n> x\nend\n? p99 < 1s", FakeSession(opened(), silence))
    assert (outcome.code, outcome.line) == (ExitCode.UNEXPECTED, 4)
    assert outcome.sentence.startswith("no answer was measured")
