"""The value that an event keeps of a message, made from a live message or from its recorded bytes.

An event holds nothing that is open: whatever handle a message brought is closed and shown as text.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from sys import getsizeof
from typing import Any, Final

from tui_ipc.events import MessageReceived, MessageSent
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


SMALL_MESSAGE: Final = 1024
"""Up to how many bytes a message is too small for its cost to be measured."""

_SMALL_FACTOR: Final = 10  # what the values of small messages cost, in times of their bytes
_SAMPLES: Final = 64  # values of a message that are looked at


def estimate_memory(value: Any, raw: bytes) -> int:
    """Estimate the bytes of memory that the value of a message takes.

    They may be 72 times its bytes on the wire. So that this takes no longer for a large message, it looks at
    some of the values only.
    """
    if not isinstance(value, list | dict):
        return len(raw)
    return _estimate(value, _SAMPLES) if len(raw) > SMALL_MESSAGE else _SMALL_FACTOR * len(raw)


def _estimate(value: Any, samples: int) -> int:
    size = 0 if value is None or isinstance(value, bool) else getsizeof(value)
    if not isinstance(value, list | dict | tuple) or not value or samples <= 0:
        return size
    step = 1 + len(value) // samples
    if isinstance(value, dict):
        chosen: list[Any] = list(islice(value.items(), 0, None, step))
    else:
        chosen = list(value[::step])
    share = samples // len(chosen) - 1  # less than all, also of a single one: it may nest without an end
    if isinstance(value, dict):
        total = sum(_estimate(key, share) + _estimate(item, share) for key, item in chosen)
    else:
        total = sum(_estimate(item, share) for item in chosen)
    return size + total * len(value) // len(chosen)


Message = MessageSent | MessageReceived


class MessageStore:
    """Holds large messages as their bytes alone, and decodes one whenever it is looked at.

    Args:
        budget: Bytes of memory for the values that were decoded last; at least one is held.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._used = 0
        self._decoded: dict[int, tuple[Message, Message, int]] = {}  # by the held message's id; oldest first

    @staticmethod
    def is_worthwhile(message: Message) -> bool:
        """Whether a message takes much more memory than its bytes."""
        return len(message.raw) > SMALL_MESSAGE and isinstance(message.value, list | dict)

    def hold(self, message: Message) -> Message:
        """Return what to keep in place of a message: it without its value."""
        held = replace(message, value=None)
        self._remember(held, message)
        return held

    def load(self, held: Message) -> Message:
        """Return the message that a held one stands for."""
        known = self._decoded.get(id(held))
        if known is not None:
            return known[1]
        message = self.decode(held)
        self._remember(held, message)
        return message

    @staticmethod
    def decode(held: Message) -> Message:
        """As :meth:`load`, but anew, and without being held."""
        return replace(held, value=decode_stored(held.raw))

    def _remember(self, held: Message, message: Message) -> None:
        cost = estimate_memory(message.value, message.raw)
        self._decoded[id(held)] = held, message, cost
        self._used += cost
        while self._used > self._budget and len(self._decoded) > 1:
            _, _, freed = self._decoded.pop(next(iter(self._decoded)))
            self._used -= freed


class RecordedHandle(Handle):
    """A handle of a message whose bytes were kept, without the descriptor that it had.

    Args:
        kind: Its ext type, see PROTOCOL.md.
    """

    __slots__ = ("kind",)

    def __init__(self, kind: int) -> None:
        self.kind = kind

    def close(self) -> None:
        """Do nothing: a message that is shown has no descriptor."""


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


# A handle's ext type after the first byte of each form of ext; other data may look like that.
_HANDLE_MARK: Final = re.compile(
    rb"(?:[\xd4-\xd8]|\xc7.|\xc8..|\xc9....)[%s]" % re.escape(bytes(_TEXTS)), re.DOTALL
)


def may_hold_handles(raw: bytes) -> bool:
    """Whether a message of these bytes may hold handles; without looking at each of its values."""
    return _HANDLE_MARK.search(raw) is not None


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
