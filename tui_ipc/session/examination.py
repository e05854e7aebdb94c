"""Gathers the facts of a run for its diagnosis.

The one rule: looking changes nothing, waits for nothing, and cannot fail whatever the child does.
"""

from tui_ipc.events import HandshakeFailed
from tui_ipc.osutil import procfs
from tui_ipc.session.conversation import Conversation
from tui_ipc.session.diagnosis import Diagnosis, LastActivity, SessionPhase
from tui_ipc.session.handshake import Handshake
from tui_ipc.session.output import OutputReader
from tui_ipc.session.process import Process
from tui_ipc.session.timeline import Timeline


def diagnose_run(
    timeline: Timeline,
    ladder: Handshake,
    *,
    spawned_at: int | None,
    process: Process | None,
    printing: OutputReader | None,
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
    phase: SessionPhase = "handshake" if conversation is None else "open"
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
        child=None if process is None or ending is not None else procfs.read_process_state(process.pid),
        traffic=None if conversation is None else conversation.traffic(),
        output=None if printing is None else printing.unread,
        activity=_last_activity(now, printing, conversation),
        consumer_stalled=timeline.full,
    )


def _last_activity(
    now: int, printing: OutputReader | None, conversation: Conversation | None
) -> LastActivity:
    latest = {} if printing is None else printing.latest
    return LastActivity(
        sent=None if conversation is None else _elapsed_since(conversation.sent_at, now),
        received=None if conversation is None else _elapsed_since(conversation.received_at, now),
        stdout=_elapsed_since(latest.get("stdout"), now),
        stderr=_elapsed_since(latest.get("stderr"), now),
    )


def _elapsed_since(moment: int | None, now: int) -> int | None:
    return None if moment is None else now - moment
