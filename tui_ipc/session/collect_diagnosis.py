"""Collects the facts of a diagnosis: what a run has noted, and what the kernel tells at this moment."""

from tui_ipc.osutil.descriptors import count_unread, measure_send_buffer_usage, measure_unread_by_peer
from tui_ipc.osutil.procfs import read_process_state
from tui_ipc.session.conversation import Conversation
from tui_ipc.session.diagnosis import (
    MAX_PENDING_SHOWN,
    ChannelState,
    Diagnosis,
    LastActivity,
    PendingMessage,
)
from tui_ipc.session.handshake import Handshake, RunPhase
from tui_ipc.session.process import RunParts
from tui_ipc.session.timeline import Timeline
from tui_ipc.session.unfinished import find_unfinished


def collect_diagnosis(
    phase: RunPhase,
    timeline: Timeline,
    handshake: Handshake,
    parts: RunParts | None,
    conversation: Conversation | None,
    failure: str | None,
) -> Diagnosis:
    """Collect what a run and its child do at this moment. Looking changes nothing and waits for nothing.

    Args:
        phase: How far the run has come.
        timeline: Its clock.
        handshake: Its handshake.
        parts: What it has since the spawn, None before.
        conversation: Its channels, None unless they were opened.
        failure: Why the handshake failed, None if it did not.
    """
    now = timeline.now()
    exit_status = None if parts is None else parts.process.exit_status
    pid = None if parts is None or exit_status is not None else parts.process.pid
    last_step_at = handshake.connected_at or (None if parts is None else parts.spawned_at)
    output_at = {} if parts is None else parts.output.last_output_at
    talker = handshake.talker
    has_talker_ended = bool(talker) and not talker[-1].is_alive()
    observed = talker[-1].pid if talker and not has_talker_ended else pid

    hello = None
    if phase is RunPhase.HANDSHAKE:
        hello = find_unfinished(handshake.first_bytes, handshake.partial_hello_size)

    def elapsed(at: int | None) -> int | None:
        return None if at is None else now - at

    return Diagnosis(
        phase=phase,
        step=handshake.step if conversation is None else None,
        waited=elapsed(last_step_at) or 0,
        unfinished_hello=hello,
        failure=failure,
        exit_text=None if exit_status is None else str(exit_status),
        stopped_by=None if parts is None else parts.process.stopped_by,
        child=None if pid is None or observed is None else read_process_state(observed),
        lineage=tuple(map(str, talker)),
        has_talker_ended=has_talker_ended,
        channels=None if conversation is None else _measure_channels(conversation, now),
        unread_output=None if parts is None else parts.output.unread_bytes,
        last_activity=LastActivity(
            sent=None if conversation is None else elapsed(conversation.sent_at),
            received=None if conversation is None else elapsed(conversation.received_at),
            stdout=elapsed(output_at.get("stdout")),
            stderr=elapsed(output_at.get("stderr")),
        ),
        consumer_stalled=timeline.is_full,
    )


def _measure_channels(conversation: Conversation, now: int) -> ChannelState:
    by_child, progress = conversation.measure_sent()
    usage, from_child, writer = None, None, None
    if conversation.descriptors is not None:
        to_child_fd, from_child_fd = conversation.descriptors
        usage = measure_send_buffer_usage(to_child_fd)
        from_child = count_unread(from_child_fd)
        writer = measure_unread_by_peer(from_child_fd).reader_inode
    correlator = conversation.correlator
    return ChannelState(
        sent_count=conversation.sent_count,
        pending=tuple(
            PendingMessage(number=number, waited=now - at)
            for number, at in correlator.oldest(MAX_PENDING_SHOWN)
        ),
        pending_count=correlator.count(),
        misses=correlator.describe_misses(),
        # A send that waits while nothing is unread only lets other tasks have their turn.
        is_send_blocked=conversation.is_sending and by_child.any is not False,
        unread_by_child=by_child,
        progress=progress,
        latest_size=conversation.latest_size,
        unfinished=conversation.find_unfinished(),
        send_buffer_usage=usage,
        unread_from_child=from_child,
        child_writer_inode=writer,
        closed_for=None if conversation.closed_at is None else now - conversation.closed_at,
        quit_for=None if conversation.quit_at is None else now - conversation.quit_at,
        fault=conversation.fault,
    )
