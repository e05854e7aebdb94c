"""The value that an event keeps of a message, made from a live message or from its recorded bytes.

An event holds nothing that is open: whatever handle a message brought is closed and shown as text.
"""

from collections.abc import Iterator
from typing import Any, Final

from tui_ipc.ipc import wire
from tui_ipc.ipc.builder import NOTHING, Builder, build_plain
from tui_ipc.ipc.errors import IpcError, ProtocolError
from tui_ipc.ipc.handle import Handle, find_handles
from tui_ipc.ipc.wire import Large

_TEXTS: Final = {
    wire.SENDER: "<sender>",
    wire.RECEIVER: "<receiver>",
    wire.SHARED_MEMORY: "<shared memory>",
    wire.FILE_DESCRIPTOR: "<file descriptor>",
}
HANDLE_TEXTS: Final = frozenset(_TEXTS.values())
"""What an event's value shows in place of a handle."""


class RecordedHandle(Handle):
    """A handle of a message whose bytes were kept, without the descriptor that it had.

    Args:
        kind: Its ext type, see PROTOCOL.md.
    """

    __slots__ = ("kind",)

    def __init__(self, kind: int) -> None:
        self.kind = kind

    def close(self) -> None:
        """Do nothing: there is no descriptor."""


def decode_stored(raw: bytes) -> Any:
    """Return the value that a session showed for a message of these bytes.

    Raises:
        IpcError: They are not a message.
    """
    value = build_plain(raw)
    if value is not NOTHING:
        return value
    try:
        return _builder.build(raw)
    except IpcError:
        pass  # without descriptors a message that holds handles looks broken, too: try again with some
    value = _builder.build(raw, _DESCRIPTORS)
    if isinstance(value, Large):
        raise ProtocolError("it only announces one")
    return close_handles(value)


def make_recorded_handle(kind: int, _descriptor: int, _payload: bytes) -> Handle:
    """Make a handle for a decoder that reads without descriptors."""
    return RecordedHandle(kind)


def ignore_descriptor(_descriptor: int) -> None:
    """Do nothing; for a decoder that reads without descriptors, and so has none to close."""


# Descriptors that do not exist, as many as a message can name. make_recorded_handle and ignore_descriptor
# never use them as descriptors, so none of this process is touched.
_DESCRIPTORS: Final = range(256)
_builder: Final = Builder(make_recorded_handle, ignore_descriptor, 2**32)


def close_handles(value: Any) -> Any:
    """``value`` with its handles closed and shown as text such as ``<sender>``, changed in place.

    Does not recurse: a message may nest deeper than Python calls.
    """
    if isinstance(value, Handle):
        return _close_handle(value)
    open_containers = [value] if isinstance(value, list | dict) else []
    while open_containers:
        container = open_containers.pop()
        if isinstance(container, dict):
            _close_handles_in_keys(container)
        for index, item in _iter_items(container):
            if isinstance(item, Handle):
                container[index] = _close_handle(item)
            elif isinstance(item, list | dict):
                open_containers.append(item)
    return value


def _iter_items(container: list[Any] | dict[Any, Any]) -> Iterator[tuple[Any, Any]]:
    return enumerate(container) if isinstance(container, list) else iter(container.items())


def _close_handles_in_keys(map_: dict[Any, Any]) -> None:
    """Keys are handles only where a peer means harm; a tuple that holds some is shown by their number."""
    if all(isinstance(key, str | int) for key in map_):
        return
    items = [(_close_handles_in_key(key), item) for key, item in map_.items()]
    map_.clear()
    map_.update(items)


def _close_handles_in_key(key: Any) -> Any:
    if isinstance(key, Handle):
        return _close_handle(key)
    handles = list(find_handles(key)) if isinstance(key, tuple) else []
    for handle in handles:
        handle.close()
    return f"<a list with {len(handles)} handles>" if handles else key


def _close_handle(handle: Handle) -> str:
    handle.close()
    return _TEXTS[handle.kind]
