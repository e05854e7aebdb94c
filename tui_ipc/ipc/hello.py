"""What a parent and its child agree on before their first message: how the child finds its parent, the hello
by which it introduces itself, and the message that ends it. PROTOCOL.md describes all of it.
"""

from tui_ipc.ipc.handle import Handle
from tui_ipc.ipc.wire import RECEIVER, SENDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

PROTOCOL_VERSION = 1

SERVER_NAME_ARGUMENT = "channel_name:"
"""What precedes the server name in a child's last argument."""

SERVER_NAME_VARIABLE = "TUI_IPC_SERVER"
"""The environment variable that holds the server name as well."""

SERVER_NAME_PLACEHOLDER = "{channel_name}"
"""Where a command wants the server name, if not as its last argument."""

QUIT = "quit"
"""The message that asks a child to end."""


def insert_server_name(command: "Sequence[str]", server_name: str) -> tuple[str, ...]:
    """Return the command with the server name at each ``{channel_name}``, else as a last argument."""
    if any(SERVER_NAME_PLACEHOLDER in argument for argument in command):
        return tuple(argument.replace(SERVER_NAME_PLACEHOLDER, server_name) for argument in command)
    return (*command, f"{SERVER_NAME_ARGUMENT}{server_name}")


class InvalidHello(Exception):
    """A child's first message is not a hello; the text says what is wrong with it."""


class Hello:
    """A child's first message.

    Attributes:
        name: What the child calls itself.
        pid: The process id that it states.
        channels: The sender to the child and the receiver from it, as they came; None if the connection
            carries both directions.
    """

    __slots__ = ("channels", "name", "pid")

    def __init__(self, name: str, pid: int, channels: "tuple[Handle, Handle] | None" = None) -> None:
        self.name = name
        self.pid = pid
        self.channels = channels

    def to_message(self) -> "dict[str, Any]":
        """The hello as it is sent."""
        message: dict[str, Any] = {"tui-ipc": PROTOCOL_VERSION, "pid": self.pid, "name": self.name}
        if self.channels is not None:
            message["to_child"], message["from_child"] = self.channels
        return message


def parse_hello(message: "Any") -> Hello:
    """Read a child's first message. Its handles stay open, and the caller's, whatever it is.

    Raises:
        InvalidHello: It is not a hello; the text continues a sentence about it: ``is not a map``.
    """
    if not isinstance(message, dict):
        raise InvalidHello("is not a map")
    if "tui-ipc" not in message:
        raise InvalidHello("has no key 'tui-ipc'")
    version = message["tui-ipc"]
    if type(version) is not int:  # isinstance() would take True for a version
        raise InvalidHello("has no version number under 'tui-ipc'")
    if version != PROTOCOL_VERSION:
        raise InvalidHello(
            f"is a hello of version {version}, and this session speaks version {PROTOCOL_VERSION}"
        )
    pid, name = message.get("pid"), message.get("name")
    if type(pid) is not int or pid <= 0:
        raise InvalidHello("has no process id under 'pid'")
    if not isinstance(name, str):
        raise InvalidHello("has no string under 'name'")
    return Hello(name, pid, _parse_channels(message.get("to_child"), message.get("from_child")))


def _parse_channels(to_child: "Any", from_child: "Any") -> "tuple[Handle, Handle] | None":
    if to_child is None and from_child is None:
        return None
    if not isinstance(to_child, Handle) or to_child.kind != SENDER:
        raise InvalidHello("has no sender under 'to_child'" + _mention_other_key(from_child, "from_child"))
    if not isinstance(from_child, Handle) or from_child.kind != RECEIVER:
        raise InvalidHello("has no receiver under 'from_child'" + _mention_other_key(to_child, "to_child"))
    return to_child, from_child


def _mention_other_key(other: "Any", key: str) -> str:
    return "" if other is None else f", although it has {key!r}; a hello has both or neither"
