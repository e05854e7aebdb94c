"""A child process in three lines, and the built-in child.

::

    from tui_ipc.child import serve

    serve(lambda message: f"you said {message}")

A child made with this module ends when its parent asks it to, and when its parent is gone.
"""

import io
import os
import sys
from collections.abc import Callable

from tui_ipc.ipc.channel import Receiver, Sender, channel
from tui_ipc.ipc.errors import Disconnected, IpcError
from tui_ipc.ipc.hello import QUIT, SERVER_NAME_ARGUMENT, SERVER_NAME_VARIABLE, Hello
from tui_ipc.ipc.oneshot import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Never
else:
    Any = Never = object

__all__ = ["main", "serve"]


def serve(handler: "Callable[[Any], Any]", name: str | None = None) -> int:
    """Answer messages until the parent sends ``"quit"`` or is gone.

    Finds the parent by the last argument of the form ``channel_name:NAME``, else by the environment variable
    ``TUI_IPC_SERVER``. On ``"quit"`` it prints ``Child process exiting.`` and returns.

    Args:
        handler: Called with each message; what it returns is sent as the answer. The handler owns the handles
            in a message.
        name: The child's name in its hello; None for the program's name.

    Returns:
        The exit code: 0 after ``"quit"``, 1 if the parent went away first.

    Raises:
        SystemExit: With code 2 if no server name was given, 1 if no server listens there; a line on stderr
            says so.
    """
    sender, receiver = _connect_to_parent(_find_server_name(sys.argv[1:]), name or _program_name())
    with sender, receiver:
        return _answer_messages(sender, receiver, handler)


def main() -> int:
    """Run the built-in child, which prints what the example prints that this project grew from."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A message may hold characters that the encoding of the terminal lacks.
        sys.stdout.reconfigure(errors="backslashreplace")
    print("Child process started", flush=True)
    server_name = _find_server_name(sys.argv[1:])
    print(f"One Shot Server name: {server_name}", flush=True)
    sender, receiver = _connect_to_parent(server_name, "echo")
    with sender, receiver:
        return _answer_messages(
            sender, receiver, lambda message: f"Child received: {message}", on_message=_print_received
        )


def _print_received(message: "Any") -> None:
    print(f"Received from parent: {message}", flush=True)


def _answer_messages(
    sender: "Sender[Any]",
    receiver: "Receiver[Any]",
    handler: "Callable[[Any], Any]",
    *,
    on_message: "Callable[[Any], None] | None" = None,
) -> int:
    """Answer messages until there are no more. ``on_message`` sees each first, ``"quit"`` as well."""
    try:
        for message in receiver:
            if on_message is not None:
                on_message(message)
            if message == QUIT:
                print("Child process exiting.", flush=True)
                return 0
            sender.send(handler(message))
    except Disconnected:
        pass  # in the middle of a message, or before the answer
    print(f"{_program_name()}: the parent is gone", file=sys.stderr)
    return 1


def _connect_to_parent(server_name: str, name: str) -> "tuple[Sender[Any], Receiver[Any]]":
    """Send the parent a hello with the other ends of two channels."""
    to_parent, from_child = channel()
    to_child, from_parent = channel()
    try:
        with from_child, to_child, connect(server_name) as bootstrap:
            bootstrap.send(Hello(name, os.getpid(), (to_child, from_child)).to_message())
    except (IpcError, ValueError) as error:
        to_parent.close()
        from_parent.close()
        _exit_with_error(str(error), 2 if isinstance(error, ValueError) else 1)
    return to_parent, from_parent


def _find_server_name(arguments: list[str]) -> str:
    for argument in reversed(arguments):
        if argument.startswith(SERVER_NAME_ARGUMENT):
            name = argument.removeprefix(SERVER_NAME_ARGUMENT)
            break
    else:
        name = os.environ.get(SERVER_NAME_VARIABLE, "")
    if not name:
        _exit_with_error(
            f"no server name: give {SERVER_NAME_ARGUMENT}NAME as the last argument, "
            f"or set {SERVER_NAME_VARIABLE}",
            2,
        )
    return name


def _exit_with_error(message: str, code: int) -> "Never":
    print(f"{_program_name()}: {message}", file=sys.stderr)
    raise SystemExit(code)


def _program_name() -> str:
    return os.path.basename(sys.argv[0]) or "child"


if __name__ == "__main__":
    sys.exit(main())
