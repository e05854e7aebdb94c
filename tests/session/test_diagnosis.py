"""Why nothing happens: the sentences that follow from facts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.osutil.descriptors import UnreadBytes
from tui_ipc.osutil.procfs import ProcessState, SystemCall
from tui_ipc.session.diagnosis import ChannelState, Diagnosis, LastActivity, PendingMessage
from tui_ipc.session.handshake import RunPhase
from tui_ipc.session.unfinished import SendProgress, UnfinishedMessage

SECOND = 10**9
READER, WRITER = 17, 18
EMPTY = UnreadBytes(size=0, any=False, reader_inode=READER)
ASLEEP = ProcessState(state="S", call=SystemCall(name="recvmsg", descriptor=5, file="socket:[17]"), threads=1)
QUIET = Diagnosis(
    phase=RunPhase.OPEN,
    child=ASLEEP,
    channels=ChannelState(unread_by_child=EMPTY, unread_from_child=0, child_writer_inode=WRITER),
    unread_output=0,
)
ACTIVITY = "Nothing was sent so far; the child sent nothing, and printed nothing."
WAITS = "It sleeps in recvmsg on descriptor 5 (its channel from us)."
THREE = PendingMessage(number=3, waited=42 * SECOND // 10)
STOPPED = "The child is stopped by SIGSTOP and does nothing; SIGCONT continues it."
UNCOUNTED = (
    "The child has not read message #3, sent 4.2 s ago: bytes are unread in its channel; "
    "the kernel does not say how many."
)
HELD_UP = "The session stalls the child: its events are not taken, so nothing more is read from the child."
BEGUN = UnfinishedMessage(received=5, size=500, waited=SECOND // 2)
OWED = ChannelState(
    sent_count=3, pending=(THREE,), pending_count=1, unread_by_child=EMPTY, child_writer_inode=WRITER
)


def busy(
    state: str, name: str | None = None, descriptor: int | None = None, file: str | None = None
) -> ProcessState:
    """A process in a call."""
    call = None if name is None else SystemCall(name=name, descriptor=descriptor, file=file)
    return ProcessState(state=state, call=call, cpu_seconds=3.25, threads=1)


def sentences_without_activity(facts: Diagnosis) -> list[str]:
    """The sentences without the last one, which dates the last activity."""
    *others, last = facts.sentences
    assert last == ACTIVITY
    return others


def owing(traffic: ChannelState = OWED, **more: object) -> Diagnosis:
    """An open session whose child owes an answer."""
    return replace(QUIET, channels=traffic, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "sentences"),
    [
        (Diagnosis(phase=RunPhase.NOT_BEGUN), ["The session has not begun: no child runs."]),
        (Diagnosis(phase=RunPhase.REPLAY), ["This is a recording: no child runs."]),
        (
            Diagnosis(phase=RunPhase.ENDED, exit_text="exited with code 3"),
            ["The child exited with code 3."],
        ),
        (
            Diagnosis(phase=RunPhase.ENDED, exit_text="exited with code 3", channels=OWED),
            [
                "The child exited with code 3.",
                "It did not answer message #3, sent 4.2 s ago.",
            ],
        ),
        (
            Diagnosis(
                phase=RunPhase.ENDED,
                exit_text="was ended by SIGKILL",
                channels=replace(OWED, pending_count=7),
            ),
            [
                "The child was ended by SIGKILL.",
                "It did not answer 7 messages, the first of which is #3.",
            ],
        ),
        (
            Diagnosis(
                phase=RunPhase.FAILED, failure="the program was not found", exit_text="exited with code 1"
            ),
            ["The handshake failed: the program was not found."],
        ),
        (Diagnosis(phase=RunPhase.HANDSHAKE, step="spawned"), ["The child has not been started yet."]),
        (
            Diagnosis(
                phase=RunPhase.HANDSHAKE, step="connected", waited=3 * SECOND, child=busy("S", "pause")
            ),
            ["The child has not connected for 3.0 s; it sleeps in pause, waiting for a signal."],
        ),
        (
            Diagnosis(phase=RunPhase.HANDSHAKE, step="hello", waited=SECOND, unfinished_hello=BEGUN),
            [
                "The child connected and has not sent its hello for 1.0 s.",
                "5 of the 500 bytes of a message have come, the last 0.5 s ago.",
            ],
        ),
        (
            Diagnosis(
                phase=RunPhase.HANDSHAKE,
                step="hello",
                waited=SECOND // 2,
                child=busy("T"),
                stopped_by=19,
                unread_output=5,
            ),
            [
                STOPPED,
                "The child connected and has not sent its hello for 500 ms.",
                "Unread in its output: 5 bytes.",
            ],
        ),
    ],
)
def test_before_and_after_the_conversation(facts: Diagnosis, sentences: list[str]) -> None:
    """The phase of the run comes first."""
    assert list(facts.sentences) == sentences


@pytest.mark.parametrize(
    ("facts", "sentences"),
    [
        (
            QUIET,
            ["The child is idle: no message waits for an answer, and it waits for the next.", WAITS],
        ),
        (
            replace(QUIET, child=busy("S", "read", 0, "/dev/null")),
            [
                "Nothing is overdue: no message waits for an answer.",
                "It sleeps in read on descriptor 0 (/dev/null).",
            ],
        ),
        (
            replace(QUIET, child=busy("R")),
            [
                "No message waits for an answer, and the child is at work.",
                "It runs; it has used 3.2 s of processor time.",
            ],
        ),
        (
            owing(),
            [
                "The child read message #3, which was sent 4.2 s ago, and has not answered it.",
                "It waits for the next message, as if nothing were left to answer.",
                WAITS,
            ],
        ),
        (
            owing(replace(OWED, unfinished=(BEGUN,))),
            [
                "5 of the 500 bytes of a message have come, the last 0.5 s ago.",
                "The child read message #3, which was sent 4.2 s ago, and has not answered it.",
                (
                    "The child waits for the next message, so it takes what it sent for whole; "
                    "check the lengths and counts that it writes."
                ),
                WAITS,
            ],
        ),
        (
            replace(
                QUIET,
                channels=replace(ChannelState(unread_by_child=EMPTY), unfinished=(BEGUN,)),
                child=busy("S", "write", 7, "pipe:[4]"),
            ),
            [
                "5 of the 500 bytes of a message have come, the last 0.5 s ago.",
                "It sleeps in write on descriptor 7 (a pipe), waiting for another process to read.",
            ],
        ),
        (
            owing(
                replace(
                    OWED,
                    latest_size=100,
                    unread_by_child=UnreadBytes(size=61, any=True, reader_inode=READER),
                    progress=SendProgress(read_within=SECOND),
                ),
                child=busy("S", "nanosleep"),
            ),
            [
                (
                    "The child has read 39 of the 100 bytes of message #3, sent 4.2 s ago, and reads slowly, "
                    "the last time within 1.0 s: 61 bytes are unread in its channel."
                ),
                "It sleeps in nanosleep, waiting for time to pass.",
            ],
        ),
        (
            owing(
                replace(
                    OWED,
                    is_send_blocked=True,
                    unread_by_child=UnreadBytes(size=61, any=True, reader_inode=READER),
                    progress=SendProgress(taken=3000, size=70_000, nothing_for=4 * SECOND),
                ),
                child=busy("R"),
            ),
            [
                (
                    "A message waits to be sent: the channel to the child is full; the child has taken "
                    "3 000 of its 70 000 bytes, and has read nothing for 4.0 s."
                ),
                "It runs; it has used 3.2 s of processor time.",
            ],
        ),
        (
            owing(
                replace(OWED, pending=(THREE, replace(THREE, number=4)), pending_count=2),
                child=busy("S", "futex"),
            ),
            [
                "2 messages wait for an answer, the first, #3, for 4.2 s. The child has read all of them.",
                "It sleeps in futex, waiting for a lock, or for another of its threads.",
            ],
        ),
        (
            owing(
                replace(OWED, unread_by_child=UnreadBytes(size=61, any=True, reader_inode=READER)),
                child=busy("S", "pause"),
            ),
            [
                "The child has not read message #3, sent 4.2 s ago: 61 bytes are unread in its channel.",
                "It sleeps in pause, waiting for a signal.",
            ],
        ),
        (
            owing(replace(OWED, unread_by_child=UnreadBytes(size=61, any=True, reader_inode=READER))),
            ["The child has not read message #3, sent 4.2 s ago: 61 bytes are unread in its channel.", WAITS],
        ),
        (
            owing(
                replace(OWED, sent_count=5, unread_by_child=UnreadBytes(size=1, any=True)),
                child=busy("D", "fsync", 3, "/x"),
            ),
            [
                "The child has not read the latest message, #5: 1 byte is unread in its channel.",
                "Message #3 has waited 4.2 s for an answer.",
                "It is stuck in the kernel in fsync on descriptor 3 (/x), waiting for the disk.",
            ],
        ),
        (
            owing(replace(OWED, unread_by_child=UnreadBytes(any=True)), child=busy("S")),
            [
                UNCOUNTED,
                "It sleeps; the kernel does not say in what.",
            ],
        ),
        (
            owing(replace(OWED, unread_by_child=UnreadBytes()), child=ProcessState()),
            [
                "Message #3 has waited 4.2 s for an answer.",
                "The kernel does not say whether the child has read all that was sent.",
                "The kernel does not say what the child does.",
            ],
        ),
        (
            owing(child=busy("S", "sendmsg", 6, "socket:[18]"), consumer_stalled=True, unread_output=9),
            [
                HELD_UP,
                "The child read message #3, which was sent 4.2 s ago, and has not answered it.",
                (
                    "It sleeps in sendmsg on descriptor 6 (its channel to us), "
                    "waiting for another process to read."
                ),
                "Unread in its output: 9 bytes.",
            ],
        ),
        (
            owing(
                replace(OWED, is_send_blocked=True, quit_for=SECOND, unread_from_child=7),
                child=busy("S", "read", 3, "pipe:[4]"),
            ),
            [
                'The child was asked to end 1.0 s ago, by "quit", and has not ended.',
                "A message waits to be sent: the channel to the child is full.",
                "The child read message #3, which was sent 4.2 s ago, and has not answered it.",
                "It sleeps in read on descriptor 3 (a pipe).",
                "Unread at our end of the channel: 7 bytes.",
            ],
        ),
        (
            replace(
                QUIET, channels=ChannelState(closed_for=SECOND, fault="it is not msgpack"), child=busy("Z")
            ),
            [
                "The child broke the protocol: it is not msgpack.",
                "The channel from the child ended 1.0 s ago: no answer can come.",
                "It has ended, and is about to be reaped.",
            ],
        ),
        (
            replace(QUIET, lineage=("npm (pid 1)", "sh (pid 2)", "node (pid 3)")),
            [
                "The child is idle: no message waits for an answer, and it waits for the next.",
                "The process that talks is node (pid 3), started by npm (pid 1) → sh (pid 2).",
                WAITS,
            ],
        ),
        (
            replace(
                QUIET,
                lineage=("npm (pid 1)", "node (pid 3)"),
                has_talker_ended=True,
                child=busy("S", "wait4"),
            ),
            [
                "Nothing is overdue: no message waits for an answer.",
                "The process that talked, node (pid 3), has ended; npm (pid 1) lives on.",
                "It sleeps in wait4, waiting for a process that it started.",
            ],
        ),
        (replace(QUIET, child=busy("T"), stopped_by=19), [STOPPED]),
        (replace(QUIET, child=None, stopped_by=19), [STOPPED]),
        (
            replace(QUIET, child=busy("T")),
            ["The child is stopped and does nothing; SIGCONT continues it."],
        ),
        (replace(QUIET, child=busy("t")), ["A debugger holds the child, which does nothing."]),
        (
            owing(
                replace(OWED, pending=(), pending_count=None),
                child=replace(busy("S", "nanosleep"), threads=4),
            ),
            [
                "So many messages have no answer that none is matched any more.",
                "The first of its 4 threads sleeps in nanosleep, waiting for time to pass.",
            ],
        ),
    ],
)
def test_while_channels_are_open(facts: Diagnosis, sentences: list[str]) -> None:
    """The most telling conclusion comes first, the evidence follows, nothing is guessed."""
    assert sentences_without_activity(facts) == sentences


def test_the_last_sentence_tells_when_each_stream_was_active() -> None:
    """Those that never were are not named, or have sent nothing."""
    activity = LastActivity(sent=4 * SECOND, received=5 * SECOND, stdout=SECOND // 1000, stderr=2 * SECOND)
    assert replace(QUIET, last_activity=activity).sentences[-1] == (
        "We last sent a message 4.0 s ago; the child last sent one 5.0 s ago, "
        "and printed on stdout 1 ms ago and on stderr 2.0 s ago."
    )


@given(st.from_type(Diagnosis))
def test_any_facts_give_sentences(facts: Diagnosis) -> None:
    """Also such as cannot be true together: a diagnosis is asked for when something is odd."""
    assert facts.sentences
    assert all(sentence[-1] in ".!?…" for sentence in facts.sentences)
