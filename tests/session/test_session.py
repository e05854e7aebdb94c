"""Each test is a session with a real child: the built-in one, or one of tests/support/children."""

import asyncio
import signal

import pytest
from hypothesis import given, settings

from tests.support.message_strategies import arrived, same, values
from tests.support.sessions import (
    CONNECT_STEPS,
    EventCollector,
    child,
    describe_events,
    environment,
    make_options,
    output_of,
    run_session,
    single_event,
    wait_for_failed_handshake,
)
from tui_ipc import events as ev
from tui_ipc.session import correlation
from tui_ipc.session.conversation import NotConnected
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import Session


def test_a_conversation_with_the_built_in_child_is_a_list_of_events_from_the_server_to_the_audit() -> None:
    """Each step is an event, answers are matched to questions, and quitting ends the child in good order."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        await session.send("Hello from parent")
        await watch.until(ev.MessageReceived)
        await session.send({"n": [1, b"\0", None]})
        await watch.until(ev.MessageReceived, lambda event: event.number == 2)

    events = run_session(None, act)
    name = single_event(events, ev.ServerListening).name
    lines = [line for line in describe_events(events) if not line.startswith("stdout")]
    assert lines == [
        *CONNECT_STEPS,
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
    assert output_of(events).decode() == (
        f"Child process started\nOne Shot Server name: {name}\n"
        "Received from parent: Hello from parent\nReceived from parent: {'n': [1, b'\\x00', None]}\n"
        "Received from parent: quit\nChild process exiting.\n"
    )
    audit = single_event(events, ev.Audit)
    assert audit.quit_elapsed is not None
    assert 0 < audit.quit_elapsed < audit.at


def test_events_carry_one_monotonic_clock_the_run_the_bytes_and_the_time_to_each_answer() -> None:
    """What the statistics, the recording and the inspector need is in the events themselves."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        sent = await session.send("ping")
        assert (sent.number, sent.value, sent.raw) == (1, "ping", b"\xa4ping")
        await watch.until(ev.MessageReceived)

    events = run_session(None, act)
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert {event.run for event in events} == {1}
    answer = single_event(events, ev.MessageReceived)
    question = next(event for event in events if isinstance(event, ev.MessageSent))
    assert answer.raw == b"\xb4Child received: ping"
    assert answer.elapsed == answer.at - question.at > 0
    hello, spawned = single_event(events, ev.HelloReceived), single_event(events, ev.ChildSpawned)
    assert hello.pid == spawned.pid
    assert hello.raw.startswith(b"\x85\xa7tui-ipc\x01")


def test_an_inline_child_carries_both_directions_on_its_connection() -> None:
    """A child in a language without descriptor passing needs a socket and nothing else."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        await session.send("hello")
        await watch.until(ev.MessageReceived)

    events = run_session(child("inline_echo"), act)
    assert describe_events(events) == [
        *CONNECT_STEPS,
        "hello by-hand inline",
        "open",
        "> 'hello'",
        "< 'inline: hello' answers 1",
        "> 'quit'",
        "closed",
        "exited 0",
        "clean",
    ]


def test_an_unsolicited_message_answers_nothing() -> None:
    """A child may speak first."""
    events = run_session(child("breaks_the_wire", "cut off"), lambda _, watch: watch.until(ev.ChildExited))
    first = single_event(events, ev.MessageReceived)
    assert (first.value, first.answers, first.elapsed) == ("so far so good", None, None)


def test_handles_that_a_child_sends_are_shown_as_text_and_closed() -> None:
    """Events hold nothing alive; the leak check of every test sees that nothing stays open."""

    async def act(session: Session, watch: EventCollector) -> None:
        await watch.until(ev.MessageReceived)

    message = single_event(run_session(child("sends_handles"), act), ev.MessageReceived)
    assert message.value == {
        "both": ["<sender>", {"nested": "<receiver>"}],
        "<sender>": "a key",
        "same": "<sender>",
    }


def test_raw_bytes_go_out_as_they_are() -> None:
    """What is not a message can be sent on purpose."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        sent = await session.send_raw(b"\xa2ok")
        assert sent.value == sent.raw == b"\xa2ok"
        await watch.until(ev.MessageReceived)
        with pytest.raises(ValueError, match="no bytes"):
            await session.send_raw(b"")

    assert "< 'inline: ok' answers 1" in describe_events(run_session(child("inline_echo"), act))


@pytest.mark.parametrize(
    ("value", "error"),
    [(object(), TypeError), (2**64, ValueError), (b"x" * (64 * 1024 * 1024), ValueError)],
    ids=["no type of ours", "too big a number", "too large"],
)
def test_what_no_message_can_hold_is_refused_and_sends_nothing(value: object, error: type[Exception]) -> None:
    """The mistake is the sender's, and an exception; the conversation goes on."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        with pytest.raises(error):
            await session.send(value)

    assert describe_events(run_session(child("inline_echo"), act))[5:] == [
        "> 'quit'",
        "closed",
        "exited 0",
        "clean",
    ]


def test_a_restart_goes_on_with_the_timeline_in_a_new_run() -> None:
    """Numbers of messages begin anew, the clock does not."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        first = session.pid
        await session.send("one")
        await watch.until(ev.MessageReceived)
        await session.restart()
        await session.ready()
        assert session.run_number == 2
        assert session.pid not in (None, first)
        sent = await session.send("two")
        assert (sent.number, sent.run) == (1, 2)
        await watch.until(ev.MessageReceived, lambda event: event.run == 2)

    events = run_session(child("inline_echo"), act)
    life = [*CONNECT_STEPS, "hello by-hand inline", "open", "> {0!r}", "< 'inline: {0}' answers 1"]
    end = ["> 'quit'", "closed", "exited 0", "clean"]
    assert describe_events(events) == [line.format(word) for word in ("one", "two") for line in [*life, *end]]
    assert [event.run for event in events] == [1] * 11 + [2] * 11
    assert [event.at for event in events] == sorted(event.at for event in events)


def test_a_failed_run_can_be_restarted() -> None:
    """The second attempt may go better."""

    async def act(session: Session, watch: EventCollector) -> None:
        await wait_for_failed_handshake(session, watch)
        await session.restart()
        await wait_for_failed_handshake(session, watch)

    events = run_session(["false"], act)
    assert [event.run for event in events if isinstance(event, ev.HandshakeFailed)] == [1, 2]


def test_restarts_at_the_same_time_happen_one_after_the_other() -> None:
    """No child is forgotten."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        await asyncio.gather(session.restart(), session.restart())
        await session.ready()

    events = run_session(child("inline_echo"), act)
    assert [event.run for event in events if isinstance(event, ev.Audit)] == [1, 2, 3]


def test_a_signal_reaches_the_child_and_is_an_event() -> None:
    """A signal that no process can get is refused."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        session.signal(signal.SIGUSR1)
        exited = await watch.until(ev.ChildExited)
        assert exited.signal == signal.SIGUSR1
        with pytest.raises(NotConnected, match="no child to signal"):
            session.signal(signal.SIGUSR1)
        with pytest.raises(ValueError, match="unknown signal 9999"):
            session.signal(9999)

    assert "SIGUSR1: the user asked for it" in describe_events(run_session(child("never_reads"), act))


def test_sending_before_the_channels_are_open_or_after_a_failure_says_why() -> None:
    """The sentences are for people."""

    async def early(session: Session, watch: EventCollector) -> None:
        with pytest.raises(NotConnected, match="not completed the handshake yet"):
            await session.send("anyone?")

    async def late(session: Session, watch: EventCollector) -> None:
        await wait_for_failed_handshake(session, watch)
        with pytest.raises(NotConnected, match="the handshake failed: the program"):
            await session.send("anyone?")

    run_session(child("never_says_hello"), early)
    run_session(["/no/such/file"], late)


def test_a_session_that_was_not_entered_says_so() -> None:
    """Instead of waiting for something that cannot come."""

    async def main() -> None:
        session = Session(["true"])
        assert (session.pid, session.run_number) == (None, 0)
        await session.quit()
        for attempt in (session.ready(), session.send("x"), session.restart()):
            with pytest.raises(NotConnected, match="has not begun"):
                await attempt

    asyncio.run(main())


def test_an_empty_command_is_refused() -> None:
    """It could only fail later, and less clearly."""
    for command in ([], [""]):
        with pytest.raises(ValueError, match="name a program"):
            Session(command)


@pytest.mark.parametrize("what", ["messages", "output"])
def test_leaving_ends_even_if_no_events_are_taken(what: str) -> None:
    """A flood stops at the bound of the timeline, and the child is ended; what was taken in is kept."""

    async def main() -> list[ev.AnyEvent]:
        async with Session(child("floods", what), SessionOptions(env=environment(), grace=0.2)) as session:
            await session.ready()
        return [event async for event in session.events()]

    events = asyncio.run(main())
    assert describe_events(events)[-2] == "ended by SIGTERM"
    size = sum(len(event.data) for event in events if isinstance(event, ev.ChildOutput))
    size += sum(len(event.raw) for event in events if isinstance(event, ev.MessageReceived))
    assert size < 20_000_000


@pytest.mark.parametrize("what", ["messages", "output"])
def test_a_consumer_that_is_slow_loses_nothing_of_a_flood_and_keeps_it_bounded(what: str) -> None:
    """The child waits meanwhile: what is between it and the consumer has a limit."""

    async def main() -> None:
        async with Session(child("floods", what), SessionOptions(env=environment(), grace=0.1)) as session:
            await session.ready()
            taken = 0
            async for event in session.events():
                taken += len(getattr(event, "data", b"")) or len(getattr(event, "raw", b""))
                if taken > 30_000_000:
                    break
            assert taken > 30_000_000

    asyncio.run(main())


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("never_connects", ev.ChildSpawned),
        ("never_says_hello", ev.ChildConnected),
        ("ignores_quit", ev.ChannelsOpen),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_being_cancelled_at_any_step_leaves_nothing(name: str, step: type[ev.AnyEvent], times: int) -> None:
    """Once is an interrupt: the end is orderly. Twice is impatience: the end is quick, and as complete."""

    async def main() -> list[ev.AnyEvent]:
        entered = asyncio.Event()
        session = Session(
            child(name, "TERM"), SessionOptions(env=environment(), grace=0.1 if times == 1 else 600)
        )

        async def visit() -> None:
            async with session:
                async for event in session.events():
                    if isinstance(event, step):
                        break
                entered.set()
                await asyncio.Event().wait()

        visitor = asyncio.create_task(visit())
        await entered.wait()
        for _ in range(times):
            visitor.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await asyncio.wait([visitor])
        assert visitor.cancelled()
        return [event async for event in session.events()]

    events = asyncio.run(main())
    assert isinstance(events[-1], ev.Audit)
    assert any(isinstance(event, ev.ChildExited) for event in events)


@pytest.mark.parametrize("name", ["never_connects", "never_says_hello", "ignores_quit", "floods"])
def test_a_loop_that_is_torn_down_leaves_nothing(name: str) -> None:
    """``asyncio.run`` cancels every task, also ours, if somebody forgets to leave the session."""

    async def main() -> None:
        session = Session(child(name, "output"), SessionOptions(env=environment()))
        await session.__aenter__()
        async for event in session.events():
            if isinstance(event, ev.ChildSpawned):
                return

    asyncio.run(main())


def test_events_have_one_consumer() -> None:
    """Two would each get half of the story."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        await watch.until(ev.ChannelsOpen)
        with pytest.raises(RuntimeError, match="one consumer"):
            await anext(session.events())

    run_session(child("inline_echo"), act)


def test_a_child_that_answers_nothing_is_not_kept_account_of_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beyond the limit nothing is matched any more, rather than matched wrongly."""
    monkeypatch.setattr(correlation, "MAX_PENDING", 3)

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        for number in range(4):
            await session.send(number)
        await session.send("report")
        await watch.until(ev.MessageReceived)

    answer = single_event(run_session(child("reports_messages"), act), ev.MessageReceived)
    assert (answer.value, answer.answers, answer.elapsed) == ([0, 1, 2, 3], None, None)


def test_a_message_that_the_child_refuses_is_the_senders_mistake() -> None:
    """The conversation goes on, and there is no event."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        with pytest.raises(ValueError, match="the receiver refused a message of 3000005 bytes"):
            await session.send(b"x" * 3_000_000)
        await session.send("short")
        await watch.until(ev.MessageReceived)

    lines = describe_events(run_session(child("limits_message_size"), act))
    assert lines[5:7] == ["> 'short'", "< 5 answers 1"]


def test_a_note_is_an_event_of_the_session() -> None:
    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        opened = await watch.until(ev.ChannelsOpen)
        session.add_note("here", opened.at)
        note = await watch.until(ev.Note)
        assert (note.text, note.about, note.run) == ("here", opened.at, 1)
        assert note.at >= opened.at

    run_session(None, act)


def exchange_values(count: int) -> list[ev.AnyEvent]:
    """Send values of all kinds to a child that echoes them, one after the other; the events besides them."""
    others: list[ev.AnyEvent] = []
    session = Session(child("echoes"), make_options())

    async def exchange(value: object) -> None:
        sent = await session.send(value)
        async for event in session.events():
            match event:
                case ev.MessageReceived():
                    assert same(event.value, arrived(value))
                    assert (event.raw, event.answers) == (sent.raw, sent.number)
                    return
                case ev.MessageSent():
                    assert same(event.value, value)
                case _:
                    others.append(event)

    with asyncio.Runner() as runner:
        runner.run(session.__aenter__())
        runner.run(session.ready())

        @settings(max_examples=count, database=None)
        @given(values.filter(lambda value: value != "quit"))
        def exchange_one(value: object) -> None:
            runner.run(exchange(value))

        try:
            exchange_one()
        finally:
            runner.run(session.__aexit__(None, None, None))
        runner.run(collect_rest(session, others))
    return others


async def collect_rest(session: Session, others: list[ev.AnyEvent]) -> None:
    """Collect the events that are left of a session that has ended."""
    others.extend([event async for event in session.events()])


def test_values_of_all_kinds_come_back_as_they_were_sent() -> None:
    """Through a living session: equal, with the same bytes, and matched to what they answer."""
    events = exchange_values(100)
    assert single_event(events, ev.ChildExited).code == 0
    audit = single_event(events, ev.Audit)
    assert (audit.clean, audit.unread) == (True, 0)
    assert not [event for event in events if isinstance(event, ev.Fault)]
