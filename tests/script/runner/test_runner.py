"""Scripts against a session that a test plays: each way in which one can end."""

import asyncio
import itertools
import signal
from collections.abc import Callable, Iterable
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
from tests.support.virtual_clock import VirtualClock, run_without_waiting
from tui_ipc.events import AnyEvent, Fault, HandshakeFailed, MessageReceived
from tui_ipc.script import ExitCode
from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.language.steps import Quit, Script, Send
from tui_ipc.script.output import OutputLostError
from tui_ipc.script.runner.runner import Runner, RunOptions
from tui_ipc.script.suite import BUILTIN_MESSAGES, builtin_script
from tui_ipc.session.diagnosis import Diagnosis
from tui_ipc.session.handshake import RunPhase

UPDATE = RunOptions(update=True)


def test_all_passes() -> None:
    """Each step is done in its order, and the end is implied."""
    session = FakeSession(opened(), echo)
    outcome = run("> one\n< echo one\n> two\n< echo two\n", session)
    assert (outcome.code, outcome.passed, outcome.sentence) == (ExitCode.PASSED, 4, "")
    assert session.sent == ["one", "two"]


def test_the_seeds_conversation_takes_any_answer() -> None:
    """Each message is sent once the one before was answered, whatever the answer is."""
    session = FakeSession(opened(), lambda value: [received({"length": len(value)})])
    assert run(builtin_script(), session).code is ExitCode.PASSED
    assert tuple(session.sent) == BUILTIN_MESSAGES


def test_another_message() -> None:
    """Told are the line, both messages and the state of the child."""
    session = FakeSession(opened(), lambda value: [printed(b"oops\n", "stderr"), received(1)])
    outcome = run("> x\n\n< true\n> y", session)
    assert (outcome.code, outcome.line, outcome.passed) == (ExitCode.UNEXPECTED, 3, 1)
    assert outcome.details == (
        ("expected", "true"),
        ("received", "1"),
        ("differs", "$: true (boolean) was expected, and 1 (integer) came"),
        ("child", "is alive (pid 4242)"),
        ("stderr", "oops"),
    )
    assert session.sent == ["x"]


def test_messages_are_taken_in_order() -> None:
    """A message that comes early waits; one that no step expects is kept for the report."""
    answers = [received(number, number=number) for number in (1, 2, 3)]
    outcome = run("> go\n< 1\n< 2", FakeSession(opened(), lambda value: answers))
    assert outcome.code is ExitCode.PASSED
    assert [message.value for message in outcome.unexpected] == [3]


def test_silence() -> None:
    """The deadline passes: what still waits for an answer is shown."""
    session = FakeSession(opened(), lambda value: echo(value) if value == "one" else ())
    outcome = run("> one\n> two\n< echo one\n< echo two", session)
    assert (outcome.code, outcome.line) == (ExitCode.TIMED_OUT, 4)
    assert outcome.details[:2] == (("expected", '"echo two"'), ("no answer", 'to "two"'))


@pytest.mark.parametrize(("answer", "line"), [(silence, 2), (lambda value: None, 1)])
def test_a_deadline_that_passes_is_diagnosed(
    answer: Callable[[Any], Iterable[AnyEvent] | None], line: int
) -> None:
    """Told is why nothing happens, the most telling first, whichever way the message went."""
    session = FakeSession(opened(), answer)
    session.doing = Diagnosis(phase=RunPhase.OPEN, stopped_by=signal.SIGSTOP)
    outcome = run("> x\n< y", session)
    assert (outcome.code, outcome.line) == (ExitCode.TIMED_OUT, line)
    reasons = [text for name, text in outcome.details if name == "diagnosis"]
    assert reasons == list(session.doing.sentences[:3])
    assert reasons[0] == "The child is stopped by SIGSTOP and does nothing; SIGCONT continues it."


def test_a_child_that_does_not_take_a_message() -> None:
    """Sending has a deadline too."""
    outcome = run("> x", FakeSession(opened(), lambda value: None))
    assert (outcome.code, outcome.line) == (ExitCode.TIMED_OUT, 1)
    assert "did not take the message within 2 s" in outcome.sentence


@pytest.mark.parametrize(
    ("events", "sentence"),
    [
        ([closed(), exited(3), audit(None)], "the child exited with code 3, and a message was expected"),
        ([closed(), exited(None, 11)], "the child was ended by SIGSEGV, and a message was expected"),
        ([Fault(at=0, run=1, sentence="nonsense"), closed()], "the child broke the protocol: nonsense"),
        ([closed()], "the child closed its channel and lives on (pid 4242), and a message was expected"),
    ],
)
def test_nothing_can_come_any_more(events: list[AnyEvent], sentence: str) -> None:
    """It is reported at once and not at the deadline, with what became of the child."""
    outcome = run("> x\n< y", FakeSession(opened(), lambda value: events))
    assert (outcome.code, outcome.line, outcome.sentence) == (ExitCode.CHILD_FAILED, 2, sentence)


def test_what_came_before_the_end_counts() -> None:
    """A child may say its last word and go; the script fails at its end, not at that word."""
    session = FakeSession(opened(), lambda value: [received("bye"), closed(), exited()], [audit(None)])
    outcome = run("> x\n< bye", session)
    assert outcome.passed == 2
    assert (outcome.code, outcome.line) == (ExitCode.CHILD_FAILED, 0)
    assert outcome.sentence == "the child exited with code 0 before it was asked to quit"


def test_sending_without_a_child_fails() -> None:
    """The sentence is the session's."""
    session = FakeSession([*opened(), exited(1)])
    session.deaf = "nobody listens"
    outcome = run("> x", session)
    assert (outcome.code, outcome.sentence) == (ExitCode.CHILD_FAILED, "nobody listens")
    assert outcome.details == (("message", '"x"'), ("child", "exited with code 1"))  # there all is known


def test_a_message_that_is_too_large() -> None:
    """The script is at fault, not the child."""

    def refuse(value: Any) -> Iterable[AnyEvent]:
        raise ValueError("message of 3 bytes exceeds the limit of 2")

    outcome = run("> x", FakeSession(opened(), refuse))
    assert outcome.code is ExitCode.USAGE
    assert "exceeds the limit" in outcome.sentence


def test_no_handshake() -> None:
    """No step is taken; the sentence is the session's, and the line the one of ``spawn``."""
    failed = HandshakeFailed(at=0, run=1, step="connected", sentence="it exited", timed_out=False)
    session = FakeSession([spawned(), failed], ending=[exited(1), audit(None)])
    outcome = run("# a\nspawn ./a\n> x", session)
    assert (outcome.code, outcome.sentence, outcome.passed) == (ExitCode.NO_HANDSHAKE, "it exited", 0)
    assert outcome.line == 2
    assert session.sent == []


@pytest.mark.parametrize(
    ("ending", "sentence"),
    [
        (
            [signalled(signal.SIGTERM, "it had not ended"), closed(), exited(), audit()],
            "it had not ended; SIGTERM ended it",
        ),
        (
            [
                signalled(signal.SIGTERM, "first"),
                signalled(signal.SIGKILL, "then"),
                exited(None, 9),
                audit(None),
            ],
            "first; SIGTERM and SIGKILL ended it",
        ),
        ([exited(7), audit()], "asked to quit, the child exited with code 7; code 0 was expected"),
        (
            [exited(None, 6), audit()],
            "asked to quit, the child was ended by SIGABRT; code 0 was expected",
        ),
    ],
)
@pytest.mark.parametrize("text", ["", "quit"])
def test_a_bad_end(text: str, ending: list[AnyEvent], sentence: str) -> None:
    """The child has to do its part, whether quit is written or implied."""
    outcome = run(text, FakeSession(opened(), silence, ending))
    assert (outcome.code, outcome.sentence, outcome.line) == (ExitCode.CHILD_FAILED, sentence, len(text) // 4)


@pytest.mark.parametrize(
    ("ending", "remedies"),
    [
        ([exited(7), audit()], ["if that is right, write ? exit 7"]),
        ([exited(None, 6), audit(None)], ["if that is right, write ? signal SIGABRT"]),
        ([signalled(signal.SIGTERM, "it had not ended"), exited(0), audit()], []),
        ([exited(None), audit()], []),
    ],
)
def test_a_remedy_names_the_step_that_expects_this_end(ending: list[AnyEvent], remedies: list[str]) -> None:
    """For a child that is right; where it had to be forced, it is not."""
    assert detail_texts(run("> x", FakeSession(opened(), silence, ending)), "remedy") == remedies


def test_leftovers_are_not_a_bad_end() -> None:
    """Its processes are ended after it, which is not its failure to end."""
    ending = [exited(), signalled(signal.SIGTERM, "left behind"), audit()]
    assert run("", FakeSession(opened(), silence, ending)).code is ExitCode.PASSED


def test_lost_output_ends_the_run() -> None:
    """Whatever the script waits for, and the events are read to their end all the same."""
    session = FakeSession(opened(), lambda value: [printed(b"x"), printed(b"y")])
    reported: list[AnyEvent] = []

    async def tell(event: AnyEvent) -> None:
        reported.append(event)
        if event == printed(b"x"):
            raise OutputLostError(BrokenPipeError(32, "Broken pipe"))

    with pytest.raises(OutputLostError):
        run_without_waiting(Runner(parse_script("> x\n< y"), session.as_session(), 2, tell).run)
    assert session.over
    assert reported[-1] == printed(b"x")


def test_a_slow_reader_of_our_output_does_not_count() -> None:
    """While our output waits for its reader, the time of a step does not count."""
    session = FakeSession(opened(), lambda value: [printed(b"much")])

    async def tell(event: AnyEvent) -> None:
        if event == printed(b"much"):
            await asyncio.sleep(1.2)
            asyncio.get_running_loop().call_later(0.1, session.feed, received(1))

    outcome = run_without_waiting(Runner(parse_script("> x\n< 1"), session.as_session(), 1, tell).run)
    assert outcome.code is ExitCode.PASSED, outcome


def test_an_interruption_leaves_the_session() -> None:
    """Even while our output has no reader; the runner says at which line."""

    async def main() -> None:
        stuck = asyncio.Event()
        session = FakeSession(opened(), lambda value: [printed(b"much")])

        async def tell(event: AnyEvent) -> None:
            if event == printed(b"much"):
                stuck.set()
                await asyncio.Event().wait()

        runner = Runner(parse_script("> x\n< y"), session.as_session(), 30, tell)
        run = asyncio.create_task(runner.run())
        await stuck.wait()
        while runner.line != 2:
            await asyncio.sleep(0)
        run.cancel()
        await asyncio.wait([run])
        assert run.cancelled()
        assert session.over

    asyncio.run(main())


def test_bytes_are_sent_as_they_are() -> None:
    """They need not be a message."""
    session = FakeSession(opened(), silence)
    assert run(">raw c1ff", session).code is ExitCode.PASSED
    assert session.sent == [b"\xc1\xff"]


def test_events_are_reported_while_a_script_sleeps() -> None:
    """A message that comes then is there for later steps."""
    clock = VirtualClock()

    def answer(value: Any) -> Iterable[AnyEvent]:
        asyncio.get_running_loop().call_later(3, session.feed, received("late"))
        return ()

    session = FakeSession(opened(), answer)
    began = clock.now
    assert run("> x\nsleep 5s\n< late", session, clock=clock).code is ExitCode.PASSED
    assert clock.now - began == pytest.approx(5)


def test_signals_are_sent_to_the_child() -> None:
    """What it does then is its own."""
    sent: list[int] = []

    def handle(number: int) -> Iterable[AnyEvent]:
        sent.append(number)
        return [received("heard")]

    session = FakeSession(opened(), silence, signalled=handle)
    assert run("signal SIGUSR1\n< heard", session).code is ExitCode.PASSED
    assert sent == [signal.SIGUSR1]


def test_a_signal_without_a_child_fails() -> None:
    """The sentence is the session's."""
    session = FakeSession([*opened(), exited(1)])
    session.deaf = "there is no child to signal"
    outcome = run("signal SIGUSR1", session)
    assert (outcome.code, outcome.sentence) == (ExitCode.CHILD_FAILED, "there is no child to signal")
    assert outcome.details == (("child", "exited with code 1"),)


def test_a_restart_ends_the_run_and_begins_the_next() -> None:
    """What was captured stays; output and messages of the run before are gone."""
    session = FakeSession(
        opened(), lambda value: [printed(b"once"), received(len(session.sent)), received(0)]
    )
    outcome = run("> x\n< {{n}}\nrestart\n> {{n}}\n< 1\nexpect stdout /once/", session)
    assert outcome.code is ExitCode.PASSED
    assert session.sent == ["x", 0]
    assert session.run == 2
    assert outcome.unclaimed == 2


def test_a_restart_sees_that_the_child_ended_well() -> None:
    """As quit does; unless a line says how it should end, or that has been seen."""
    ending = [closed(), exited(3), audit()]
    outcome = run("> x\nrestart\n> y", FakeSession(opened(), silence, ending))
    assert (outcome.code, outcome.line, outcome.passed) == (ExitCode.CHILD_FAILED, 2, 1)
    assert outcome.sentence == "asked to quit, the child exited with code 3; code 0 was expected"
    script = "> x\nquit\n? exit 3\nrestart\n> y\nquit\n? exit 3"
    assert run(script, FakeSession(opened(), silence, ending)).code is ExitCode.PASSED


def test_the_expected_end_may_follow_the_last_messages() -> None:
    """But not after the beginning of the next run."""
    ending = [received("bye"), closed(), exited(3), audit()]
    passing = run('quit\n< "bye"\n? clean\n? exit 3', FakeSession(opened(), silence, ending))
    assert (passing.code, passing.unclaimed) == (ExitCode.PASSED, 0)
    failing = run("quit\n< ...\nrestart\nquit\n? exit 3", FakeSession(opened(), silence, ending))
    assert (failing.code, failing.line) == (ExitCode.CHILD_FAILED, 1)


def test_a_child_that_ended_as_it_should_can_be_restarted() -> None:
    """Though it was not told to quit."""

    def die(value: Any) -> Iterable[AnyEvent]:
        return [closed(), exited(3), audit(None)] if value == "die" else ()

    session = FakeSession(opened(), die)
    outcome = run("> die\n? exit 3\nrestart\n> live\n? exit 0", session, 1)
    assert (outcome.code, outcome.line) == (ExitCode.TIMED_OUT, 5)  # what ended was the run before
    assert session.run == 2


def test_a_restart_whose_handshake_fails() -> None:
    """The line is that of the restart."""
    failed = HandshakeFailed(at=0, run=2, step="connected", sentence="it exited", timed_out=False)

    class Once(FakeSession):
        async def restart(self) -> None:
            self._opening = (spawned(), failed)
            await super().restart()

    outcome = run("> x\nrestart\n> y", Once(opened(), silence))
    assert (outcome.code, outcome.line, outcome.sentence) == (ExitCode.NO_HANDSHAKE, 2, "it exited")


def test_a_child_that_is_told_to_quit_twice() -> None:
    """The second time nothing is left to do. A message that says quit tells it, too."""
    session = FakeSession(opened(), silence)
    outcome = run(Script("twice", (Send("quit"), Quit(), Quit())), session)
    assert (outcome.code, outcome.passed, outcome.total) == (ExitCode.PASSED, 3, 3)


def test_the_line_is_known_while_a_script_runs() -> None:
    """For the status line."""
    seen: list[tuple[int, int, int]] = []

    async def tell(event: AnyEvent) -> None:
        if isinstance(event, MessageReceived):
            seen.append((runner.line, runner.passed, runner.total))

    runner = Runner(
        parse_script("repeat 3\n> x\n< echo x\nend"), FakeSession(opened(), echo).as_session(), 2, tell
    )
    assert (runner.line, runner.passed, runner.total) == (0, 0, 6)
    run_without_waiting(runner.run)
    assert seen == [(3, 1, 6), (3, 3, 6), (3, 5, 6)]
    assert (runner.line, runner.passed) == (0, 6)


def test_what_was_to_be_captured_may_be_missing_in_a_run_that_updates() -> None:
    """A later line that needs it says so."""
    session = FakeSession(opened(), lambda value: [received("no such thing")])
    script = parse_script('> x\n< {"id": {{id}}}\n> {{id}}')
    outcome = run_without_waiting(Runner(script, session.as_session(), 2, _deaf_ears, UPDATE).run)
    assert (outcome.code, outcome.line) == (ExitCode.UNEXPECTED, 3)
    assert outcome.sentence == "nothing is named id yet: the pattern that captures it matched without it"
    assert session.sent == ["x"]


def test_rounds_that_differ_cannot_be_updated() -> None:
    """No pattern would do for both; the round that differs from the first is reported as any failure."""
    number = itertools.count()
    session = FakeSession(opened(), lambda value: [received(next(number))])
    script = parse_script("repeat 5\n> x\n< 7\nend")
    outcome = run_without_waiting(Runner(script, session.as_session(), 2, _deaf_ears, UPDATE).run)
    assert (outcome.code, outcome.line, outcome.passed) == (ExitCode.UNEXPECTED, 3, 3)
    assert outcome.sentence.startswith("this line cannot be updated: what comes here differs between")
    assert detail_texts(outcome, "received") == ["1"]
    assert detail_texts(outcome, "round") == ["2 of 5 (repeat of line 1)"]


def test_ends_that_differ_cannot_be_updated() -> None:
    """Likewise."""
    ends = itertools.cycle([[closed(), exited(3), audit()], [closed(), exited(4), audit()]])
    session = FakeSession(opened(), lambda value: next(ends))
    script = parse_script("repeat 2\n> x\n? exit 0\nrestart\nend")
    outcome = run_without_waiting(Runner(script, session.as_session(), 2, _deaf_ears, UPDATE).run)
    assert (outcome.code, outcome.line, outcome.passed) == (ExitCode.UNEXPECTED, 3, 4)
    assert outcome.sentence.startswith("this line cannot be updated")
    assert detail_texts(outcome, "child") == ["exited with code 4"]


async def _deaf_ears(event: AnyEvent) -> None:
    """Report nothing."""


def test_a_recorded_session_has_each_step_and_why_one_failed() -> None:
    """They are recorded only: the script does not meet them among its own events."""
    session = FakeSession(opened(), lambda value: [received("no")])
    session.is_recorded = True
    outcome = run('> "hello"\n\n< "yes"\n', session)
    assert outcome.code == ExitCode.UNEXPECTED
    assert session.steps == [
        (1, '> "hello"', "begun", ""),
        (1, '> "hello"', "passed", ""),
        (3, '< "yes"', "begun", ""),
        (3, '< "yes"', "failed", outcome.sentence),
    ]


@pytest.mark.parametrize(
    ("text", "code"), [("> 1", 0), ("strict\n> 1", 1), ("> 1\nstrict", 1), ("strict\n> 1\n< ...", 0)]
)
def test_strict_makes_unclaimed_messages_a_failure(text: str, code: int) -> None:
    """Wherever the step is; the first messages are shown."""
    outcome = run(text, FakeSession(opened(), echo))
    assert outcome.code == code
    if code:
        assert outcome.sentence == "1 message came that no step took"
        assert outcome.details == (("#1", '"echo 1"'),)


def echo_itself(value: Any) -> Iterable[AnyEvent]:
    """A child that sends each message back."""
    return [received(value, answers=1)]


def test_names_stand_for_values_in_messages_patterns_and_expressions() -> None:
    """What was set, what the environment has, what was captured of a message and of printed text."""
    events = [*opened(), printed(b"port \x1b[1m8080\x1b[0m on a+b\n")]
    session = FakeSession(events, echo_itself)
    text = """
set user {"id": 7}
set greeting Hello {{env.USER}}
expect stdout /port (?P<port>\\d+)/
> {{greeting}} on {{port}}: {{user}}
< /^Hello (?P<who>.*) on {{port}}: {{user}}$/
> [{{user}}, "{{who}}", {{port}}]
< [{{user}}, {{who}}, "8080"]
expect stdout /on {{who}}/ within 1s
"""
    outcome = run(parse_script(text, variables={"env.USER": "a+b"}), session)
    assert (outcome.sentence, outcome.passed) == ("", outcome.total)
    assert session.sent == ['Hello a+b on 8080: {"id": 7}', [{"id": 7}, "a+b", "8080"]]


def test_a_call_may_set_another_value() -> None:
    """Then the one in the script is not used, not even for other names."""
    session = FakeSession(opened(), echo_itself)
    run(parse_script("set a 1\nset b [{{a}}]\n> {{b}}", variables={"a": "x"}), session)
    assert session.sent == [["x"]]


def test_rounds_are_counted() -> None:
    """Each block counts its own; what has the name before the block keeps it."""
    session = FakeSession(opened(), echo_itself)
    text = """
repeat 2
  > {{round}}
  < {{round}}
  repeat 2
    > "inner {{round}}"
    < ...
  end
  > {{round}}
  < {{round}}
end
"""
    assert run(text, session).sentence == ""
    assert session.sent == [1, "inner 1", "inner 2", 1, 2, "inner 1", "inner 2", 2]
    session = FakeSession(opened(), echo_itself)
    assert run("> 5\n< {{round}}\nrepeat 2\n> {{round}}\n< 5\nend", session).sentence == ""


def test_a_name_may_have_no_value_because_another_alternative_came() -> None:
    """That is a failure of the script, wherever the name is used."""
    for line in "> {{id}}", "> x {{id}}", "expect stdout /{{id}}/":
        text = '> 1\n< {{_: 1 | {"id": {{id}}}}}\n' + line
        outcome = run(text, FakeSession(opened(), echo_itself))
        assert (outcome.code, outcome.line) == (ExitCode.UNEXPECTED, 3)
        assert outcome.sentence == "nothing is named id yet: the pattern that captures it matched without it"


def test_a_missing_text_is_reported_with_the_names_in_it() -> None:
    """The expression as it is written, and what they stand for."""
    outcome = run("set port 8080\nexpect stdout /on {{port}}/ within 1s", FakeSession(opened(), silence))
    assert detail_texts(outcome, "expected", "captured") == ["/on {{port}}/", "port = 8080"]
