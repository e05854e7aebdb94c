"""The kinds of events, and the steps of the handshake among them."""

from typing import get_args

from tui_ipc.events import HANDSHAKE_STEPS, AnyEvent, HandshakeEvent, Step


def test_each_step_of_the_handshake_is_completed_by_one_kind_of_event() -> None:
    """In the order in which the steps come."""
    assert tuple(HANDSHAKE_STEPS.values()) == get_args(Step)
    assert tuple(HANDSHAKE_STEPS) == get_args(HandshakeEvent)
    assert set(HANDSHAKE_STEPS) < set(get_args(AnyEvent))
