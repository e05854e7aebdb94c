"""The child's hello, and what a session keeps of the values that a child sends.

The one rule: an event holds nothing alive. Whatever handle a child sends is closed here and shown as text,
except for the two channels of a hello, which the session takes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tui_ipc.ipc.channel import Receiver, Sender
from tui_ipc.ipc.wire import Handle, Message
from tui_ipc.session.notation import render

VERSION: Final = 1
SENDER: Final = "<sender>"
RECEIVER: Final = "<receiver>"
SHARED_MEMORY: Final = "<shared memory>"
HANDLES: Final = (SENDER, RECEIVER, SHARED_MEMORY)
"""What stands for a handle in the value of an event."""

_SHOWN: Final = 60  # characters of a message that is no hello


class FormerHandle(Handle):
    """A handle of a message whose bytes were kept, without the descriptor that it had.

    Args:
        kind: Its ext type, see PROTOCOL.md.
    """

    __slots__ = ("kind",)

    def __init__(self, kind: int) -> None:
        self.kind = kind

    def close(self) -> None:
        """There is nothing to close."""


class NoHello(Exception):
    """The child's first message is no hello; the text says what it is instead."""


@dataclass(frozen=True, slots=True)
class Hello:
    """A child's first message.

    Attributes:
        name: What the child calls itself.
        pid: The process id that it states.
        channels: The sender to the child and the receiver from it; None if the connection carries both
            directions.
    """

    name: str
    pid: int
    channels: tuple[Sender[Any], Receiver[Any]] | None


def read_hello(message: Message) -> Hello:
    """Understand a child's first message. Its two channels are the caller's; every other handle is closed.

    Raises:
        NoHello: It is none. All its handles are closed.
    """
    value = message.value
    fields = dict(value) if isinstance(value, dict) else {}
    to_child, from_child = fields.pop("to_child", None), fields.pop("from_child", None)
    problem = _problem(value, to_child, from_child)
    if problem is None and isinstance(to_child, Sender) and isinstance(from_child, Receiver):
        settled(fields)
        return Hello(value["name"], value["pid"], (to_child, from_child))
    value = settled(value)
    if problem is None:
        return Hello(value["name"], value["pid"], None)
    size = len(message.raw)
    unit = "byte" if size == 1 else "bytes"
    raise NoHello(f"its first message, of {size} {unit}, {problem}: {render(value, _SHOWN)}")


def _problem(value: Any, to_child: Any, from_child: Any) -> str | None:
    """Why a value is no hello."""
    if not isinstance(value, dict):
        return "is not a map"
    if "tui-ipc" not in value:
        return "has no key 'tui-ipc'"
    version = value["tui-ipc"]
    if type(version) is not int or version != VERSION:
        shown = render(settled(version), _SHOWN)
        return f"is a hello of version {shown}, and this session speaks version {VERSION}"
    if type(value.get("pid")) is not int or value["pid"] <= 0:
        return "has no process id under 'pid'"
    if not isinstance(value.get("name"), str):
        return "has no string under 'name'"
    if to_child is None and from_child is None:
        return None
    if not isinstance(to_child, Sender):
        return "has no sender under 'to_child'" + _beside(from_child, "from_child")
    if not isinstance(from_child, Receiver):
        return "has no receiver under 'from_child'" + _beside(to_child, "to_child")
    return None


def _beside(other: Any, key: str) -> str:
    return "" if other is None else f", although it has {key!r}; a hello has both or neither"


def settled(value: Any) -> Any:
    """``value`` with its handles closed and shown as text such as ``<sender>``, changed in place.

    Does not recurse: a message may nest deeper than Python calls.
    """
    if isinstance(value, Handle):
        return _closed(value)
    open_containers = [value] if isinstance(value, list | dict) else []
    while open_containers:
        container = open_containers.pop()
        if isinstance(container, dict):
            _settle_keys(container)
        for place, item in _places(container):
            if isinstance(item, Handle):
                container[place] = _closed(item)
            elif isinstance(item, list | dict):
                open_containers.append(item)
    return value


def _places(container: "list[Any] | dict[Any, Any]") -> "Iterator[tuple[Any, Any]]":
    return enumerate(container) if isinstance(container, list) else iter(container.items())


def _settle_keys(map_: dict[Any, Any]) -> None:
    """Keys are handles only where a peer means harm; a tuple that holds some is shown by their number."""
    if all(isinstance(key, str | int) for key in map_):
        return
    items = [(_settled_key(key), item) for key, item in map_.items()]
    map_.clear()
    map_.update(items)


def _settled_key(key: Any) -> Any:
    if isinstance(key, Handle):
        return _closed(key)
    handles = list(_handles_in(key)) if isinstance(key, tuple) else []
    for handle in handles:
        handle.close()
    return f"<a list with {len(handles)} handles>" if handles else key


def _handles_in(key: tuple[Any, ...]) -> Iterator[Handle]:
    unseen = list(key)
    while unseen:
        item = unseen.pop()
        if isinstance(item, Handle):
            yield item
        elif isinstance(item, tuple):
            unseen += item


def _closed(handle: Handle) -> str:
    handle.close()
    match handle:
        case Sender() | FormerHandle(kind=1):
            return SENDER
        case Receiver() | FormerHandle(kind=2):
            return RECEIVER
        case _:
            return SHARED_MEMORY
