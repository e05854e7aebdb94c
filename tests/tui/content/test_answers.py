"""Which entry of the log answers which."""

from tui_ipc.session.events import ChannelsOpen, MessageReceived, MessageSent
from tui_ipc.tui.content.answers import partners, why_no_partner
from tui_ipc.tui.content.model import Entry
from tui_ipc.tui.content.ring import Ring


def sent(number: int, run: int = 1) -> Entry:
    """A message that was sent."""
    return Entry(MessageSent(at=0, run=run, number=number, value=1, raw=b"\x01"), run)


def received(number: int, answers: int | None, run: int = 1) -> Entry:
    """A message that came."""
    event = MessageReceived(at=0, run=run, number=number, value=1, raw=b"\x01", answers=answers, elapsed=5)
    return Entry(event, run)


def log(*entries: Entry, limit: int = 100) -> Ring[Entry]:
    """A log of some entries."""
    ring: Ring[Entry] = Ring(limit, 1_000)
    for entry in entries:
        ring.append(entry)
    return ring


def test_a_question_and_its_answer_find_each_other() -> None:
    """By number and run: another run has the same numbers."""
    entries = (
        sent(1),
        received(1, 1),
        Entry(None, 2),
        sent(1, 2),
        sent(2, 2),
        received(1, 2, 2),
        received(2, 1, 2),
    )
    ring = log(*entries)
    assert [list(partners(ring, entry)) for entry in entries] == [[1], [0], [], [6], [5], [4], [3]]


def test_a_message_may_have_several_answers_or_none() -> None:
    """All are found, the newest first; of what has none it is said why."""
    entries = (
        sent(1),
        received(1, 1),
        received(2, 1),
        sent(2),
        received(3, None),
        Entry(ChannelsOpen(at=0, run=1), 1),
    )
    ring = log(*entries)
    assert list(partners(ring, entries[0])) == [2, 1]
    assert [list(partners(ring, entry)) for entry in entries[3:]] == [[], [], []]
    assert [why_no_partner(entry) for entry in entries[3:]] == [
        "No answer to #2 has come.",
        "#3 answers no message.",
        "Only messages answer each other.",
    ]


def test_what_the_log_has_forgotten_is_not_found() -> None:
    """Indexes stay those of the log, however much it has forgotten."""
    entries = sent(1), received(1, 1), sent(2), received(2, 2)
    ring = log(*entries, limit=3)
    assert list(partners(ring, entries[1])) == []
    assert list(partners(ring, entries[3])) == [2]
    assert why_no_partner(entries[1]) == "#1, which this answers, is no longer in the log."
