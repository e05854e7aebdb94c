"""What is found out about real children: those that hang, those that do not, and those that have ended."""

import asyncio
import re
import signal
from collections.abc import Callable

import pytest

from tests.support.sessions import (
    EventCollector,
    child,
    environment,
    output_of,
    run_session,
    single_event,
    wait_for_failed_handshake,
)
from tui_ipc import events as ev
from tui_ipc.osutil import descriptors, procfs
from tui_ipc.session.diagnosis import Diagnosis, LastActivity
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import Session


async def once(session: Session, is_so: Callable[[Diagnosis], object]) -> Diagnosis:
    """The diagnosis once ``is_so`` of it; a fact of the kernel has no event to wait for."""
    async with asyncio.timeout(20):
        while not is_so(found := session.diagnosis()):
            await asyncio.sleep(0.005)
    return found


def diagnosed(
    command: list[str] | None, is_so: Callable[[Diagnosis], object], *messages: object, pty: bool = True
) -> str:
    """The sentences about a child that was sent ``messages``, once ``is_so``, without its measured times."""
    found: list[Diagnosis] = []

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        for message in messages:
            await session.send(message)
        found.append(await once(session, is_so))

    run_session(command, act, grace=0.1, pty=pty)
    return re.sub(r"\d+ ms|\d+\.\d s", "TIME", " ".join(found[0].sentences))


def in_call(*names: str) -> Callable[[Diagnosis], bool]:
    """Whether the child sleeps in one of these."""
    return lambda found: (
        found.child is not None and found.child.call is not None and found.child.call.name in names
    )


@pytest.mark.parametrize(
    ("where", "calls", "sentence"),
    [
        ("sleep", ("nanosleep", "clock_nanosleep"), "waiting for time to pass"),
        ("lock", ("futex",), "It sleeps in futex, waiting for a lock"),
    ],
)
def test_a_child_that_hangs_in_a_call_has_read_the_message_and_is_found_there(
    where: str, calls: tuple[str, ...], sentence: str
) -> None:
    """Which call it is says what to look for."""
    text = diagnosed(child("hangs", where), in_call(*calls), "hello")
    assert text.startswith("The child read message #1, which was sent TIME ago, and has not answered it.")
    assert sentence in text


def test_behind_a_wrapper_the_process_that_talks_is_looked_at() -> None:
    """The shell would only wait for it; both are named."""
    wrapper = ["sh", "-c", '"$@"; true', "wrapper", *child("hangs", "sleep")]
    text = diagnosed(wrapper, in_call("nanosleep", "clock_nanosleep"), "hello")
    assert re.search(r"The process that talks is python\S* -m .*, started by sh -c .* \(pid \d+\)\.", text)
    assert "nanosleep, waiting for time to pass" in text


def test_a_child_that_reads_something_else_is_told_with_what_it_reads() -> None:
    """A pipe that is not written to."""
    text = diagnosed(
        child("hangs", "pipe"), lambda found: in_call("read")(found) and "a pipe" in str(found.sentences), "x"
    )
    assert re.search(r"It sleeps in read on descriptor \d+ \(a pipe\)", text)


def test_a_child_that_loops_is_running() -> None:
    """And uses the processor."""
    text = diagnosed(
        child("hangs", "loop"),
        lambda found: found.child and found.child.state == "R" and (found.child.cpu_seconds or 0) > 0.1,
        "hello",
    )
    assert "The child read message #1" in text
    assert "It runs; it has used TIME of processor time." in text


def test_a_child_that_is_deaf_has_the_message_unread() -> None:
    """Its size is that of the message."""
    text = diagnosed(child("never_reads"), in_call("pause", "ppoll", "rt_sigsuspend"), "x" * 59)
    assert text.startswith(
        "The child has not read message #1, sent TIME ago: 61 bytes are unread in its channel."
    )


def test_a_child_that_owes_answers_and_waits_for_more_is_told_so() -> None:
    """It has read all of them."""
    text = diagnosed(child("reports_messages"), in_call("recvmsg", "poll", "ppoll"), "one", "two")
    assert text.startswith(
        "2 messages wait for an answer, the first, #1, for TIME. The child has read all of them."
    )
    assert "(its channel from us)" in text


def test_a_child_that_waits_for_a_message_is_idle() -> None:
    """Inline children as well: the one socket is its channel from us."""
    for command in (None, child("inline_echo")):
        text = diagnosed(command, lambda found: found.sentences[0].startswith("The child is idle: "))
        assert "and it waits for the next." in text
        assert "Nothing was sent so far; the child sent nothing" in text


def test_where_the_kernel_tells_nothing_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where procfs is not mounted and the kernel has neither sock_diag nor SIOCOUTQ."""
    monkeypatch.setattr(procfs, "_read_text", lambda _: None)
    monkeypatch.setattr(procfs, "read_stat", lambda _: [])
    monkeypatch.setattr(descriptors, "_NETLINK_SOCK_DIAG", 31)
    monkeypatch.setattr(descriptors, "read_count", lambda *_: None)
    text = diagnosed(child("never_reads"), lambda found: True, "hello")
    assert "The kernel does not say whether the child has read all that was sent." in text
    assert "The kernel does not say what the child does." in text


def test_a_stopped_child_is_told_with_its_signal_and_what_it_has_not_read() -> None:
    """Whatever else there is to say comes after it."""
    found: list[str] = []

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        session.signal(signal.SIGSTOP)
        await watch.until(ev.ChildStopped)
        await session.send("hello")
        found.extend((await once(session, lambda facts: facts.stopped_by)).sentences)
        session.signal(signal.SIGCONT)

    run_session(child("inline_echo"), act)
    assert found[:1] == ["The child is stopped by SIGSTOP and does nothing; SIGCONT continues it."]
    assert "6 bytes are unread in its channel" in found[1]


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("never_connects", "The child has not connected for"),
        ("never_says_hello", "The child connected and has"),
    ],
)
def test_a_late_handshake_is_told_with_what_the_child_does(name: str, beginning: str) -> None:
    """While it may still come."""
    found: list[str] = []

    async def act(session: Session, watch: EventCollector) -> None:
        before = await watch.until(ev.ChildSpawned if name == "never_connects" else ev.ChildConnected)
        facts = await once(session, in_call("pause", "ppoll", "rt_sigsuspend"))
        session.signal(signal.SIGCONT)
        after = await watch.until(ev.SignalSent)
        assert 0 < facts.waited <= after.at - before.at  # since the step before
        found.extend(facts.sentences)

    run_session(child(name), act, grace=0.1)
    assert found[0].startswith(beginning)
    assert re.search(r"; it sleeps in \w+, waiting for", found[0])


def test_a_session_tells_of_its_beginning_its_failure_and_its_end() -> None:
    """Before, and after: there is always an answer."""

    async def main() -> None:
        session = Session(child("exits", "0"), SessionOptions(env=environment()))
        assert session.diagnosis().sentences == ("The session has not begun: no child runs.",)
        async with session:
            assert session.diagnosis().sentences == ("The child has not been started yet.",)
            await wait_for_failed_handshake(session, EventCollector(session))
            assert session.diagnosis().sentences[0].startswith("The handshake failed: ")
        session = Session(child("inline_echo"), SessionOptions(env=environment()))
        async with session:
            await session.ready()
        assert session.diagnosis().sentences == ("The child exited with code 0.",)

    asyncio.run(main())


@pytest.mark.parametrize("what", ["messages", "output"])
def test_a_consumer_that_takes_no_events_is_what_holds_a_flooding_child_up(what: str) -> None:
    """The fault is ours then, and comes first."""

    async def main() -> tuple[str, ...]:
        async with Session(child("floods", what), SessionOptions(env=environment(), grace=0.1)) as session:
            await session.ready()
            return (await once(session, lambda facts: facts.consumer_stalled)).sentences

    assert asyncio.run(main())[0].startswith("The session stalls the child")


def test_a_message_that_cannot_leave_is_told() -> None:
    """The channel of a child that does not read is full at some time."""
    found: list[str] = []

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()

        async def flood() -> None:
            while True:
                await session.send(bytes(60_000))

        flooding = asyncio.create_task(flood())
        facts = await once(session, lambda facts: "has read nothing" in str(facts.sentences))
        found.extend(facts.sentences)
        flooding.cancel()

    run_session(child("never_reads"), act, grace=0.1)
    assert re.match(
        r"A message waits to be sent: the channel to the child is full, and the child has read nothing for ",
        found[0],
    )
    assert found[1].startswith("The child has not read the latest message, #")


def test_a_message_that_has_only_begun_is_told_and_not_taken_for_none() -> None:
    """The child takes it for whole, and waits for the next."""
    found: list[str] = []

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        await session.send("hi")
        facts = await once(session, lambda facts: "takes what it sent for whole" in str(facts.sentences))
        found.extend(facts.sentences)
        await watch.until(ev.StepLate)
        await session.send("go on")
        await watch.until(ev.MessageReceived)

    events = run_session(child("breaks_the_wire", "counts wrongly"), act)
    begun = (
        r"10 bytes of a message have come, the last \d\.\d s ago: a map of 3 pairs, 2 of them whole, "
        r"then a text of 1 byte, 0 of them"
    )
    assert re.fullmatch(f"{begun}\\.", found[0])
    assert "as if nothing were left to answer" not in str(found)
    late = single_event(events, ev.StepLate)
    assert late.step == "message"
    assert re.fullmatch(begun, late.sentence)


def test_a_large_message_that_has_only_begun_is_told_with_its_size() -> None:
    """Large ones come on a stream of their own."""
    text = diagnosed(child("announces_much"), lambda facts: facts.channels and facts.channels.unfinished)
    assert text.startswith("5 of the 500 bytes of a message have come, the last TIME ago.")


def test_a_child_that_does_not_quit_is_told_as_such() -> None:
    """While it still has its time to do so."""
    found: list[str] = []

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        await session.send("quit")
        found.extend(session.diagnosis().sentences)

    run_session(child("ignores_quit"), act, grace=0.1)
    assert re.match('The child was asked to end .* ago, by "quit", and has not ended', found[0])


def test_a_child_that_broke_the_wire_is_told_with_how() -> None:
    """No answer can come any more."""
    found: list[str] = []

    async def act(session: Session, watch: EventCollector) -> None:
        await watch.until(ev.ChannelClosed)
        found.extend(session.diagnosis().sentences)

    run_session(child("breaks_the_wire", "garbage"), act, grace=0.1)
    assert found[0].startswith("The child broke the protocol: ")
    assert re.match("The channel from the child ended .* ago: no answer can come", found[1])


def test_what_a_child_sent_and_printed_and_was_not_read_is_counted() -> None:
    """And a child that waits for it to be taken is seen to do so, on its channel to us or its output."""

    async def main(what: str) -> tuple[str, ...]:
        async with Session(child("floods", what), SessionOptions(env=environment(), grace=0.1)) as session:
            await session.ready()
            names = ("write", "sendmsg", "sendto", "poll", "ppoll")
            return (
                await once(session, lambda facts: facts.consumer_stalled and in_call(*names)(facts))
            ).sentences

    messages, output = (" ".join(asyncio.run(main(what))) for what in ("by hand", "output"))
    assert "Unread at our end of the channel" in messages
    assert "(its channel to us)" in messages
    assert "Unread in its output" in output


def test_each_stream_that_was_active_is_dated() -> None:
    """By the clock of the events."""
    found: list[LastActivity] = []

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        await session.send("hello")
        await watch.until(ev.MessageReceived)
        found.append(session.diagnosis().last_activity)

    events = run_session(None, act)
    assert output_of(events)
    (activity,) = found
    assert activity.sent is not None
    assert activity.received is not None
    assert activity.stdout is not None
    assert activity.stderr is None
    assert activity.sent > activity.received >= 0
