"""Which messages wait, for how long, and what has become of the others."""

import pytest

from tests.support.sample_events import exited
from tui_ipc.events import Audit, ChannelClosed, Fault, MessageReceived, MessageSent
from tui_ipc.tui.model import exchanges as module
from tui_ipc.tui.model.exchanges import Exchange, Exchanges

SECOND = 1_000_000_000


def sent(number: int, value: object = "Hi", at: int = 0, channel: int = 0, run: int = 1) -> MessageSent:
    """A message to the child."""
    return MessageSent(at=at, run=run, number=number, value=value, raw=b"", channel=channel)


def answer(number: int, elapsed: int = SECOND // 2) -> MessageReceived:
    """The answer to the message with a number."""
    return MessageReceived(at=0, run=1, number=1, value="Yes", raw=b"", answers=number, elapsed=elapsed)


def begin(exchanges: Exchanges, message: MessageSent) -> Exchange:
    """Send a message that expects an answer."""
    exchange = exchanges.apply(message)
    assert exchange is not None
    return exchange


def test_a_wait_is_shown_once_it_is_long() -> None:
    """Its age counts from the moment of sending; those that wait shortly are counted with it."""
    exchanges = Exchanges()
    first = begin(exchanges, sent(1))
    begin(exchanges, sent(2, at=6 * SECOND))
    assert exchanges.count_waiting(SECOND - 1) is None
    assert first.describe(SECOND - 1) == ("", "muted")
    assert exchanges.count_waiting(6_200_000_000) == (2, 6_200_000_000)
    assert first.describe(6_200_000_000) == ("⧗ 6.2 s", "warn")


def test_an_answer_ends_the_wait_of_its_message_alone() -> None:
    """The message then has the latency, and both belong to one exchange."""
    exchanges = Exchanges()
    first, second = begin(exchanges, sent(1)), begin(exchanges, sent(2))
    assert exchanges.apply(answer(2)) is second
    assert second.describe(9 * SECOND) == ("500 ms", "muted")
    assert first.is_waiting(9 * SECOND)
    assert exchanges.count_waiting(9 * SECOND) == (1, 9 * SECOND)
    assert exchanges.apply(answer(1)) is first
    assert exchanges.count_waiting(9 * SECOND) is None
    assert exchanges.apply(answer(7)) is None


def test_what_expects_no_answer_does_not_wait() -> None:
    """The word that ends the child, another channel, and what the rule finds no key in."""
    exchanges = Exchanges("id,!method")
    for message in (sent(1, "quit"), sent(2, {"id": 1}, channel=1), sent(3, {"method": "log"}), sent(4)):
        assert exchanges.apply(message) is None
    assert exchanges.count_waiting(9 * SECOND) is None
    begin(exchanges, sent(5, {"id": 1, "method": "add"}))
    assert exchanges.count_waiting(9 * SECOND) == (1, 9 * SECOND)


def test_the_end_of_a_run_ends_its_waits() -> None:
    """First it is known that no answer comes, then why; an answer that was still read counts."""
    exchanges = Exchanges()
    first, second, third = (begin(exchanges, sent(number)) for number in (1, 2, 3))
    other = begin(exchanges, sent(1, run=2))
    exchanges.apply(ChannelClosed(at=0, run=1))
    assert first.describe(0) == ("no answer", "bad")
    assert exchanges.count_waiting(9 * SECOND) == (1, 9 * SECOND)
    exchanges.apply(exited(3))
    assert first.describe(0) == ("no answer (child exited)", "bad")
    exchanges.apply(answer(2))
    assert second.describe(0)[0] == "500 ms"
    assert begin(exchanges, sent(4)).describe(0)[0] == "no answer (child exited)"
    exchanges.apply(Audit(at=0, run=1, processes=(), files=(), unread=0, quit_elapsed=None))
    assert third.describe(0)[0] == "no answer (child exited)"
    assert other.is_waiting(9 * SECOND)
    exchanges.apply(Audit(at=0, run=2, processes=(), files=(), unread=0, quit_elapsed=None))
    assert other.describe(9 * SECOND)[0] == "no answer"


def test_only_a_fault_that_ends_the_channel_ends_the_waits() -> None:
    """After a message that was skipped the answer may still come."""
    exchanges = Exchanges()
    exchange = begin(exchanges, sent(1))
    exchanges.apply(Fault(at=0, run=1, sentence="skipped", ends_channel=False))
    assert exchange.is_waiting(9 * SECOND)
    exchanges.apply(Fault(at=0, run=1, sentence="broken", ends_channel=True))
    assert exchange.describe(9 * SECOND)[0] == "no answer"


def test_too_many_are_not_matched_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the session itself; memory is bounded."""
    monkeypatch.setattr(module, "MAX_PENDING", 3)
    exchanges = Exchanges()
    waiting = [begin(exchanges, sent(number)) for number in (1, 2, 3)]
    assert exchanges.count_waiting(9 * SECOND) == (3, 9 * SECOND)
    waiting += [begin(exchanges, sent(number)) for number in (4, 5)]
    assert exchanges.count_waiting(9 * SECOND) is None
    exchanges.apply(exited())
    assert {each.describe(9 * SECOND)[0] for each in waiting} == {"not matched"}


def test_messages_without_an_answer_are_counted_at_the_end_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answered ones are not among them, a run without any is not either, and old runs are forgotten."""
    monkeypatch.setattr(module, "MAX_UNANSWERED_RUNS", 2)
    exchanges = Exchanges()
    for number in (1, 2, 3):
        begin(exchanges, sent(number))
    exchanges.apply(answer(2))
    assert exchanges.unanswered == {}
    for run in (1, 2, 3, 4):
        if run > 2:
            begin(exchanges, sent(1, run=run))
        exchanges.apply(exited(run=run))
        exchanges.apply(Audit(at=9, run=run, processes=(), files=(), unread=0, quit_elapsed=None))
        assert exchanges.unanswered.get(run) == {1: 2, 3: 1, 4: 1}.get(run)
    assert exchanges.unanswered == {3: 1, 4: 1}
