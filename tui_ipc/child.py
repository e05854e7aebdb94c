"""A child in three lines, and the built-in one.

::

    from tui_ipc.child import serve

    serve(lambda message: f"you said {message}")

The one rule: a child outlives nobody. It ends when told to, and when its parent is gone.
"""

import io
import os
import sys

from tui_ipc.ipc.channel import channel
from tui_ipc.ipc.errors import Disconnected, IpcError
from tui_ipc.ipc.oneshot import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Never

    from tui_ipc.ipc.channel import Receiver, Sender

PROTOCOL_VERSION = 1
QUIT = "quit"
"""The message that ends a child."""

ARGUMENT = "channel_name:"
"""What precedes the server name in a child's last argument."""

VARIABLE = "TUI_IPC_SERVER"
"""The environment variable that holds the server name as well."""


def serve(handler: "Callable[[Any], Any]", name: str | None = None) -> int:
    """Answer messages until the parent says ``"quit"`` or is gone.

    Finds the parent by the last argument of the form ``channel_name:NAME``, else by the environment variable
    ``TUI_IPC_SERVER``. On ``"quit"`` it prints ``Child process exiting.`` and returns.

    Args:
        handler: Called with each message; what it returns is sent as the answer. Handles in a message are
            its own.
        name: What this child calls itself; None takes the program's name.

    Returns:
        The exit code: 0 after ``"quit"``, 1 if the parent went away first.

    Raises:
        SystemExit: With code 2 if no server name was given, 1 if nobody listens there; a line on stderr
            says so.
    """
    sender, receiver = _meet(_server_name(sys.argv[1:]), name or _program())
    with sender, receiver:
        return _converse(sender, receiver, handler, lambda message: None)


def main() -> int:
    """The built-in child, in the words of the example that this project grew from."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            errors="backslashreplace"
        )  # a message may hold what a terminal's encoding lacks
    print("Child process started", flush=True)
    server = _server_name(sys.argv[1:])
    print(f"One Shot Server name: {server}", flush=True)
    sender, receiver = _meet(server, "echo")
    with sender, receiver:
        return _converse(sender, receiver, lambda message: f"Child received: {message}", _tell)


def _tell(message: "Any") -> None:
    print(f"Received from parent: {message}", flush=True)


def _converse(
    sender: "Sender[Any]",
    receiver: "Receiver[Any]",
    handler: "Callable[[Any], Any]",
    heard: "Callable[[Any], None]",
) -> int:
    try:
        for message in receiver:
            heard(message)
            if message == QUIT:
                print("Child process exiting.", flush=True)
                return 0
            sender.send(handler(message))
    except Disconnected:
        pass  # in the middle of a message, or before the answer
    print(f"{_program()}: the parent is gone", file=sys.stderr)
    return 1


def _meet(server: str, name: str) -> "tuple[Sender[Any], Receiver[Any]]":
    """Say hello to the parent and hand it the other ends of two channels."""
    to_parent, from_child = channel()
    to_child, from_parent = channel()
    try:
        with from_child, to_child, connect(server) as bootstrap:
            bootstrap.send(
                {
                    "tui-ipc": PROTOCOL_VERSION,
                    "pid": os.getpid(),
                    "name": name,
                    "to_child": to_child,
                    "from_child": from_child,
                }
            )
    except (IpcError, ValueError) as error:
        to_parent.close()
        from_parent.close()
        _fail(str(error), 2 if isinstance(error, ValueError) else 1)
    return to_parent, from_parent


def _server_name(arguments: list[str]) -> str:
    """The server name from the arguments, else from the environment."""
    for argument in reversed(arguments):
        if argument.startswith(ARGUMENT):
            name = argument.removeprefix(ARGUMENT)
            break
    else:
        name = os.environ.get(VARIABLE, "")
    if not name:
        _fail(f"no server name: give {ARGUMENT}NAME as the last argument, or set {VARIABLE}", 2)
    return name


def _fail(sentence: str, code: int) -> "Never":
    print(f"{_program()}: {sentence}", file=sys.stderr)
    raise SystemExit(code)


def _program() -> str:
    return os.path.basename(sys.argv[0]) or "child"


if __name__ == "__main__":
    sys.exit(main())
