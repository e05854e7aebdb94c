"""A row in the table of children that misbehave: the child, what is done with it, and the events expected.

A story has every event, and nothing that differs from run to run.
"""

import itertools
import re
from dataclasses import dataclass, field
from typing import Any

from tests.support.misbehaving.actions import leave, wait_for_audit, wait_for_fault
from tests.support.sessions import (
    CONNECT_STEPS,
    Action,
    child,
    describe_events,
    output_of,
    wait_for_failed_handshake,
)
from tui_ipc import events as ev

INLINE = [*CONNECT_STEPS, "hello by-hand inline", "open"]
HELLO = b"\x83\xa7tui-ipc\x01\xa3pid\x07\xa4name\xa7by-hand"
ASKED, ENDED, CLEAN = "> 'quit'", ["closed", "exited 0"], "clean"
POLITE = [ASKED, *ENDED, CLEAN]
TERMINATED = ["closed", "ended by SIGTERM", CLEAN]
DISMISSED = ["SIGTERM: the handshake failed", "ended by SIGTERM", CLEAN]
LATE = 'SIGTERM: the child had not ended 0.1 s after "quit"'
SOON = LATE.replace("0.1", "0.02")

BINARY = bytes(range(256)) + b"\r\n\n\x04\x03\x1a"

NOTHING = "it printed nothing on stderr"
GIVING_UP = 'it printed on stderr: "giving up"'
MUST_CONNECT = (
    "A child must connect to the one-shot server that is named in its last argument (channel_name:…) "
    "and in TUI_IPC_SERVER."
)
MUST_GO_ON = "A stopped child does nothing until SIGCONT continues it."
SEE = "PROTOCOL.md, section 13, says what to tell your library"
OUT_OF_STEP = "Usually a length or a count before it is wrong, so that the rest is read as a message."
MUST_GREET = "The first message of a child must be its hello; PROTOCOL.md shows one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A child, what is done with it, and the events expected.

    Attributes:
        command: The child.
        story: Every event but output, in order, each as :func:`describe_run` describes it; then what it
            printed.
        act: What the session is asked to do before it is left.
        options: Of the session.
    """

    command: list[str]
    story: list[str]
    act: Action
    options: dict[str, Any] = field(default_factory=dict)


def describe_run(events: list[ev.AnyEvent]) -> list[str]:
    """The transcript, with the sentences of a failed handshake, without what differs from run to run.

    What was printed comes last, all of a stream in one line: two streams are not ordered against each other.
    That a step was late depends on the machine and is left out; so does how much of a flood of messages comes
    before and after what is done meanwhile: it is one line, where it begins.
    """
    failures = (event.sentence for event in events if isinstance(event, ev.HandshakeFailed))
    lines = describe_events(
        [event for event in events if not isinstance(event, ev.ChildOutput | ev.StepLate)]
    )
    lines = [f"{line}: {next(failures)}" if line.startswith("failed") else line for line in lines]
    for stream in ("stdout", "stderr"):
        output = output_of(events, stream)
        shown = f"{output[:8]!r} … {output[-8:]!r}" if len(output) > 2000 else repr(output)
        lines += [f"{stream} {shown}"] if output else []
    return _without_repeats([_plain(line) for line, _ in itertools.groupby(lines)])


def _without_repeats(lines: list[str]) -> list[str]:
    is_long = re.compile("< .*…").match
    return [line for index, line in enumerate(lines) if not (is_long(line) and line in lines[:index])]


def _plain(line: str) -> str:
    """A line without process ids and measured seconds, a long one cut to its ends."""
    line = re.sub(
        r"left processes behind: .* \(pid \d+\)$",
        "left processes behind: PID",
        line,
    )
    line = re.sub(r"^< '?\d+'?$", "< PID", line)
    line = re.sub(
        r"of \d+ bytes, (.*: )\{.*, \"name\": \"by-library\".*\} \(5 keys\)", r"of N bytes, \1{…}", line
    )
    line = re.sub(r"(sent nothing for|not complete after) \d+\.\d s", r"\1 some time", line)
    return f"{line[:20]}…{line[-20:]}" if len(line) > 2000 else line


def failed_step(
    step: str, happened: str, cure: str = MUST_GREET, *, words: str = NOTHING, late: bool = False
) -> str:
    """A failed handshake, as :func:`describe_run` describes it."""
    return f"failed to reach {step!r}{' in time' if late else ''}: {happened}; {words}. {cure}"


def exits_at(step: str, how: str, *lines: str) -> Row:
    """A child that ends at a step of the handshake."""
    end = f"ended by {how}" if how.startswith("SIG") else f"exited {how}"
    told = [*lines, end, CLEAN, "stderr b'giving up\\n'"]
    is_open = step in ("hello", "message")
    return Row(
        command=child("exits", step, how),
        story=told,
        act=wait_for_audit if is_open else wait_for_failed_handshake,
    )


def invalid_hello(data: bytes, problem: str, cure: str = MUST_GREET) -> Row:
    """A child whose first message is not a hello."""
    told = [*CONNECT_STEPS, failed_step("hello", f"the child connected, but {problem}", cure), *DISMISSED]
    return Row(command=child("sends_bytes", data.hex()), story=told, act=wait_for_failed_handshake)


def half_message(data: bytes, size: str, content: str) -> Row:
    """A child that says hello, begins a message, and does nothing more until it is ended."""
    return Row(
        command=child("sends_bytes", (HELLO + data).hex()),
        story=[
            *INLINE,
            ASKED,
            LATE,
            f"fault: the peer is gone: it ended {len(data)} bytes into a message{size}: {content}",
            "closed",
            "ended by SIGTERM",
            f"left 0 processes, {len(data)} bytes unread",
        ],
        act=leave,
        options={"grace": 0.1},
    )


def wire_fault(command: list[str], sentence: str, cause: str = "") -> Row:
    """A child that breaks the wire after its hello."""
    refusal = '"quit" could not be sent: the child broke the protocol, and its channel was closed'
    fault = f"fault: {sentence}{cause and f'. {cause}'}"
    told = [*INLINE, fault, "closed", f"SIGTERM: {refusal}: {sentence}", *TERMINATED[1:]]
    return Row(command=command, story=told, act=wait_for_fault, options={"grace": 0.1})


def message_fault(data: bytes, sentence: str, cause: str = "") -> Row:
    """A child that says hello, and then sends something that is not a message."""
    return wire_fault(child("sends_bytes", (HELLO + data).hex()), sentence, cause)
