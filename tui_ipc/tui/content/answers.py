"""Which entry of the log answers which."""

from collections.abc import Iterator

from tui_ipc.session.events import Event, MessageReceived, MessageSent
from tui_ipc.session.units import count
from tui_ipc.tui.content.model import Entry
from tui_ipc.tui.content.ring import Ring


def partners(log: Ring[Entry], entry: Entry) -> Iterator[int]:
    """The indexes of what answers a sent message, or of what a received one answers, the newest first.

    Looks from the newest entry on: what is looked at is most often near. What the log has forgotten is not
    found.
    """
    match entry.event:
        case MessageSent() as sent:
            yield from _answers(log, sent)
        case MessageReceived(answers=int(number), run=run):
            for index, other in log.newest_first():
                event = other.event
                if isinstance(event, MessageSent) and event.number == number and event.run == run:
                    yield index
                    return


def _answers(log: Ring[Entry], sent: MessageSent) -> Iterator[int]:
    for index, other in log.newest_first():
        event: Event | None = other.event
        if event is sent:
            return
        if isinstance(event, MessageReceived) and event.answers == sent.number and event.run == sent.run:
            yield index


def why_no_partner(entry: Entry) -> str:
    """Why there is nothing that answers an entry, or that it answers."""
    match entry.event:
        case MessageSent(number=number):
            return f"No answer to #{count(number)} has come."
        case MessageReceived(answers=int(number)):
            return f"#{count(number)}, which this answers, is no longer in the log."
        case MessageReceived(number=number):
            return f"#{count(number)} answers no message."
        case _:
            return "Only messages answer each other."
