"""Gathers the facts of a run for its diagnosis.

The one rule: looking changes nothing, waits for nothing, and cannot fail whatever the child does.
"""

from tui_ipc.session import kernel
from tui_ipc.session.conversation import Conversation
from tui_ipc.session.diagnosis import Activity, Diagnosis, Phase
from tui_ipc.session.events import HandshakeFailed
from tui_ipc.session.ladder import Ladder
from tui_ipc.session.printing import Printing
from tui_ipc.session.process import Process
from tui_ipc.session.timeline import Timeline


def examine(
    timeline: Timeline,
    ladder: Ladder,
    *,
    spawned_at: int | None,
    process: Process | None,
    printing: Printing | None,
    conversation: Conversation | None,
    failure: HandshakeFailed | None,
) -> Diagnosis:
    """What a run and its child do at this moment.

    Args:
        timeline: The session's.
        ladder: The handshake.
        spawned_at: When the child was spawned.
        process: The child, if it was spawned.
        printing: What it prints.
        conversation: The channels, if they were opened.
        failure: How the handshake failed, if it did.
    """
    now = timeline.now()
    ending = None if process is None else process.exit
    since = ladder.connected_at or spawned_at
    phase: Phase = "handshake" if conversation is None else "open"
    if ending is not None:
        phase = "ended"
    if failure is not None:
        phase = "failed"
    return Diagnosis(
        phase=phase,
        step=ladder.step if conversation is None else None,
        waited=0 if since is None else now - since,
        failure=None if failure is None else failure.sentence,
        ended=None if ending is None else str(ending),
        stopped=None if process is None else process.stopped,
        child=None if process is None or ending is not None else kernel.doing(process.pid),
        traffic=None if conversation is None else conversation.traffic(),
        output=None if printing is None else printing.unread,
        activity=_activity(now, printing, conversation),
        held_up=timeline.full,
    )


def _activity(now: int, printing: Printing | None, conversation: Conversation | None) -> Activity:
    latest = {} if printing is None else printing.latest
    return Activity(
        sent=None if conversation is None else _since(conversation.sent_at, now),
        received=None if conversation is None else _since(conversation.received_at, now),
        stdout=_since(latest.get("stdout"), now),
        stderr=_since(latest.get("stderr"), now),
    )


def _since(moment: int | None, now: int) -> int | None:
    return None if moment is None else now - moment
