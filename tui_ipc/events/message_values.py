"""The value of a message from its bytes alone, as a session showed it: its handles are words.

The one rule: nothing that is made here is alive. No descriptor came with the bytes, so none is
used or closed.
"""

from typing import Any, Final

from tui_ipc.ipc.builder import Builder
from tui_ipc.ipc.errors import IpcError, ProtocolError
from tui_ipc.ipc.wire import Handle, Large
from tui_ipc.session.handshake import RecordedHandle, close_handles


def decode_stored(raw: bytes) -> Any:
    """The value that a session shows for a message of these bytes.

    Raises:
        IpcError: They are no message.
    """
    try:
        return _builder.build(raw)
    except IpcError:
        pass  # it holds handles, or is broken
    value = _builder.build(raw, _DESCRIPTORS)
    if isinstance(value, Large):
        raise ProtocolError("it only announces one")
    return close_handles(value)


def make_closed_handle(kind: int, _descriptor: int, _payload: bytes) -> Handle:
    """What a decoder takes for a handle where there are no descriptors."""
    return RecordedHandle(kind)


def ignore_descriptor(_descriptor: int) -> None:
    """What a decoder does with a descriptor that nobody claims, where there are none."""


_DESCRIPTORS: Final = range(256)  # made up: as many as a message can name
_builder: Final = Builder(make_closed_handle, ignore_descriptor, 2**32)
