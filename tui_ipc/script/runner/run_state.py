"""The state of a script that runs: which step is due, and what is known of its child's current run.

A cursor never unrolls a ``repeat``: it keeps the round that is under way. A run's state takes each event
once, in order.
"""

import signal
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from math import ceil, exp, log
from typing import Any, Final, assert_never

from tui_ipc import events as ev
from tui_ipc.events.message_values import estimate_memory
from tui_ipc.osutil.signals import describe_exit
from tui_ipc.script.language.steps import NO_VARIABLES, PlainStep, Repeat, Step, count_steps
from tui_ipc.script.language.values import ROUND
from tui_ipc.script.runner.child_output import SearchableOutput


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a ``repeat``.

    Attributes:
        line: The line of the ``repeat``.
        number: The number of the round, from 1.
        count: The number of rounds.
    """

    line: int
    number: int
    count: int


@dataclass(slots=True)
class _Block:
    """Steps that are under way: those of the script, or of a ``repeat`` in it.

    Attributes:
        steps: The steps.
        names: The names that had a value before them.
        line: The line of the ``repeat``.
        count: The number of rounds.
        number: The round that is under way.
        index: The index of the step after the one that is due.
    """

    steps: tuple[Step, ...]
    names: frozenset[str]
    line: int = 0
    count: int = 1
    number: int = 1
    index: int = 0


_TIME_STEP: Final = log(1.01)


class AnswerTimes:
    """How long answers took, counted so that memory does not grow with their number; 1 % exact."""

    def __init__(self) -> None:
        self.count = 0
        self._counts: dict[int, int] = {}

    def add(self, nanoseconds: int) -> None:
        """Count an answer."""
        self.count += 1
        step = ceil(log(max(nanoseconds, 1)) / _TIME_STEP)
        self._counts[step] = self._counts.get(step, 0) + 1

    def percentile(self, percent: float) -> int:
        """The nanoseconds that so many percent of the answers took at most; 0 if there was none."""
        left = self.count * percent / 100
        for step, count in sorted(self._counts.items()):
            left -= count
            if left <= 0:
                return round(exp(step * _TIME_STEP))
        return 0


class ScriptCursor:
    """Iterates over the steps of a script, once, in the order in which they are performed.

    A step has passed when the next one is asked for. What a round of a ``repeat`` captures is forgotten when
    the next round begins, so that each round captures anew; what the last round captured stays.

    Attributes:
        line: The line of the step that is due, 0 before the first step and after the last.
        passed: The number of steps that passed; a step of a ``repeat`` counts once a round.
        total: The number of steps that will have passed at the end.
        names: The values of names.
        answer_times: How long answers took in the ``repeat`` that is under way, or was the last one.

    Args:
        steps: The steps.
        variables: The values of names before the first step.
        counts_rounds: Whether the number of the round has a name within each ``repeat``.
    """

    def __init__(
        self,
        steps: tuple[Step, ...],
        variables: Mapping[str, Any] = NO_VARIABLES,
        *,
        counts_rounds: bool = False,
    ) -> None:
        self.line = 0
        self.passed = 0
        self.total = count_steps(steps)
        self.names = dict(variables)
        self._counts_rounds = counts_rounds
        self.answer_times = AnswerTimes()
        self._blocks = [_Block(steps, frozenset())]

    def __iter__(self) -> Iterator[PlainStep]:
        # An explicit stack of the blocks that are under way. A nested block breaks off the iteration over the
        # outer one, which is resumed at its index; only a block that was iterated to its end reaches "else".
        blocks = self._blocks
        while blocks:
            block = blocks[-1]
            for step in islice(block.steps, block.index, None):
                block.index += 1
                if isinstance(step, Repeat):
                    if step.count:
                        if len(blocks) == 1:
                            self.answer_times = AnswerTimes()
                        blocks.append(_Block(step.steps, frozenset(self.names), step.line, step.count))
                        self._name_round()
                        break
                else:
                    self.line = step.line
                    yield step
                    self.passed += 1
            else:
                self._end_round(block)
        self.line = 0

    def add_answer(self, nanoseconds: int | None) -> None:
        """Note how long an answer took, if a ``repeat`` is under way and the message is one."""
        if nanoseconds is not None and len(self._blocks) > 1:
            self.answer_times.add(nanoseconds)

    @property
    def rounds(self) -> tuple[Round, ...]:
        """The rounds that contain the step that is due, from the outermost in."""
        return tuple(Round(block.line, block.number, block.count) for block in self._blocks[1:])

    @property
    def following_steps(self) -> tuple[Step, ...]:
        """The steps after the one that is due, up to the end of its block."""
        return self._blocks[-1].steps[self._blocks[-1].index :] if self._blocks else ()

    def _end_round(self, block: _Block) -> None:
        if block.number == block.count or not block.steps:
            self._blocks.pop()
            self._name_round()
            return
        block.number += 1
        block.index = 0
        if len(self.names) > len(block.names):
            self.names = {name: value for name, value in self.names.items() if name in block.names}
        self._name_round()

    def _name_round(self) -> None:
        """Set the name of the number of the round; outside of all blocks it has none."""
        if not self._counts_rounds:
            return
        if len(self._blocks) > 1:
            self.names[ROUND] = self._blocks[-1].number
        else:
            self.names.pop(ROUND, None)


MAX_MESSAGES: Final = 100_000
MAX_BYTES: Final = 64 * 1024 * 1024
"""The messages, and bytes of memory for them, that are kept for later steps to take."""

_MAX_UNANSWERED: Final = 16  # the latest messages of ours that are remembered
_MAX_STDERR: Final = 4096  # bytes of stderr that are kept
_ENDING_SIGNALS: Final = (signal.SIGTERM, signal.SIGKILL)  # what the session sends if "quit" is not enough


class UnclaimedMessages(deque[ev.MessageReceived]):
    """The messages that no step took yet, oldest first.

    Args:
        max_messages: See :data:`MAX_MESSAGES`.
        max_bytes: See :data:`MAX_BYTES`.

    Attributes:
        dropped: The number of messages that came when there was no room for them.
    """

    def __init__(self, max_messages: int = MAX_MESSAGES, max_bytes: int = MAX_BYTES) -> None:
        super().__init__()
        self.dropped = 0
        self._bytes = 0
        self._max_messages = max_messages
        self._max_bytes = max_bytes

    @property
    def is_full(self) -> bool:
        """Whether no room is left for another message."""
        return len(self) >= self._max_messages or self._bytes >= self._max_bytes

    def add(self, message: ev.MessageReceived) -> None:
        """Keep a message, if there is room."""
        if len(self) < self._max_messages and self._bytes < self._max_bytes:
            self.append(message)
            self._bytes += estimate_memory(message.value, message.raw)
        else:
            self.dropped += 1

    def take(self) -> ev.MessageReceived:
        """Remove and return the oldest message."""
        message = self.popleft()
        self._bytes -= estimate_memory(message.value, message.raw)
        return message

    def first(self, count: int) -> tuple[ev.MessageReceived, ...]:
        """The oldest messages, which stay."""
        return tuple(islice(self, count))


class RunState:
    """What is known of one run of the child.

    Args:
        run: Its number.

    Attributes:
        run: As given.
        pid: The child's process id, None before it was spawned.
        is_open: Whether the channels were opened; the child may have closed its own since.
        is_closed: Whether no message can come any more.
        handshake_failure: Why there was no handshake, None if there was one or it goes on.
        received: The messages that no step took yet.
        unanswered: The latest messages sent that no message answered, by number.
        output: What the child prints, by stream, as a person sees it.
        raw_output: Likewise, with all control characters.
        fault: How the child broke the protocol, None if it did not.
        ending: Set by the code that begins to end the run.
        forced: The signals that the session had to send to the child to end it.
        exited: How the child ended, None while it lives.
        audit: What the run left behind, None until it is over.
        end_accepted: Set once a step, or the end of the script, has found the end of the run in order.
    """

    def __init__(self, run: int) -> None:
        self.run = run
        self.pid: int | None = None
        self.is_open = False
        self.is_closed = False
        self.handshake_failure: ev.HandshakeFailed | None = None
        self.received = UnclaimedMessages()
        self.unanswered: dict[int, ev.MessageSent] = {}
        self.output: dict[ev.Stream, SearchableOutput] = {
            "stdout": SearchableOutput(),
            "stderr": SearchableOutput(),
        }
        self.raw_output: dict[ev.Stream, SearchableOutput] = {
            "stdout": SearchableOutput(raw=True),
            "stderr": SearchableOutput(raw=True),
        }
        self.fault: ev.Fault | None = None
        self.ending = False
        self.forced: list[ev.SignalSent] = []
        self.exited: ev.ChildExited | None = None
        self.audit: ev.Audit | None = None
        self.end_accepted = False
        self._stderr = b""

    def apply(self, event: ev.AnyEvent) -> None:  # noqa: PLR0912, PLR0915 - one branch for each kind
        """Take the next event of the run."""
        match event:
            case ev.MessageSent():
                self.unanswered[event.number] = event
                self.unanswered.pop(event.number - _MAX_UNANSWERED, None)
            case ev.MessageReceived():
                self.received.add(event)
                if event.answers is not None:
                    self.unanswered.pop(event.answers, None)
            case ev.ChildOutput():
                self.output[event.stream].feed(event.data)
                self.raw_output[event.stream].feed(event.data)
                if event.stream == "stderr":
                    self._stderr = (self._stderr + event.data)[-_MAX_STDERR:]
            case ev.ChildSpawned():
                self.pid = event.pid
            case ev.ChannelsOpen():
                self.is_open = True
            case ev.HandshakeFailed():
                self.handshake_failure = event
            case ev.Fault():
                self.fault = event
            case ev.ChannelClosed():
                self.is_closed = True
            case ev.SignalSent():
                is_forced = event.reason != ev.USER_REQUESTED and event.signal in _ENDING_SIGNALS
                if is_forced and self.exited is None:  # later ones are for what the child left behind
                    self.forced.append(event)
            case ev.ChildExited():
                self.exited = event
                self.is_closed = True
            case ev.Audit():
                self.audit = event
            case ev.ServerListening() | ev.ChildConnected() | ev.HelloReceived() | ev.StepLate():
                pass  # a handshake is over once the channels are open or it has failed
            case ev.ChildStopped() | ev.ChildContinued():
                # A step that waits for a stopped child runs into its deadline, and the diagnosis says why.
                pass
            case ev.ScriptStep() | ev.Note():
                pass  # they are only recorded
            case _:
                assert_never(event)

    def describe_state(self) -> str:
        """What the child is or became, as the rest of a sentence."""
        if self.exited is not None:
            return describe_exit(self.exited.code, self.exited.signal)
        state = "closed its channel and lives on" if self.is_closed else "is alive"
        return f"{state} (pid {self.pid})"

    def last_stderr_lines(self, count: int) -> list[str]:
        """The last lines that the child wrote to stderr."""
        return self._stderr.decode(errors="replace").splitlines()[-count:]
