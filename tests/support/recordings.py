"""Recordings as bytes."""

from tui_ipc.events import AnyEvent
from tui_ipc.recording.codec import encode_event, encode_header


def encode_recording(*events: AnyEvent, command: tuple[str, ...] = ()) -> bytes:
    """Return the bytes of a recording with these events."""
    return encode_header(command) + b"".join(encode_event(event) for event in events)
