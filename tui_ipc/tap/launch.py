"""``tui-ipc --tap``, in the place of a child's command: starts the relay, and becomes the child.

The process that the host started becomes the child itself (exec), so that its exit code, its signals, its
standard streams and its process group are the host's as without a tap. Before that it forks the relay, which
leaves the host's session and is a child of neither. The relay ends when nothing is left to relay; if it is
killed, the child's connection ends as if the host had gone.
"""

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from tui_ipc.ipc.hello import SERVER_NAME_ARGUMENT, SERVER_NAME_VARIABLE
from tui_ipc.ipc.wire import DEFAULT_MAX_MESSAGE_SIZE
from tui_ipc.osutil.spawn import SpawnError, explain_spawn_error

TAPPED: Final = b"tapped at "
"""What the relay answers with before the name of its server; else it answers why there is none."""

_ANSWER_SIZE: Final = 64 * 1024  # bytes; a path, or a sentence


class NothingToTapError(Exception):
    """The command is not one that a parent started; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TapOptions:
    """How a child is tapped.

    Attributes:
        record: The absolute path of the file to record to; None for one among the taps of this user.
        match_by: The rule of --match-by, one that can be read; None to match answers in their order.
        max_message_size: In bytes; a longer message passes, and is not shown.
    """

    record: str | None = None
    match_by: str | None = None
    max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE


def run_tap(command: Sequence[str], options: TapOptions) -> NoReturn:
    """Tap a child that this process becomes.

    Args:
        command: The child's command, in which the host has put the name of its server.
        options: How to tap it.

    Raises:
        NothingToTapError: Neither the command nor the environment has a server name.
        SpawnError: The command cannot be run.
    """
    name = find_server_name(command)
    if name is None:
        raise NothingToTapError(
            f"the command has no argument {SERVER_NAME_ARGUMENT}NAME, and the environment no "
            f"{SERVER_NAME_VARIABLE}; put tui-ipc --tap -- before the child's command, in its parent"
        )
    environment = _given_environment()
    is_tapped, answer = fork_relay(name, options, os.getppid(), os.getpid(), tuple(command))
    if is_tapped:
        command = replace_server_name(command, name, answer)
        environment[SERVER_NAME_VARIABLE] = answer
    else:
        report(f"the child is not tapped: {answer or 'its relay could not be started'}")
    _exec(command, environment)


def find_server_name(command: Sequence[str]) -> str | None:
    """Find the name of the host's server, as a child does; None if there is none."""
    named = [each for each in command if each.startswith(SERVER_NAME_ARGUMENT)]
    if named:
        return named[-1].removeprefix(SERVER_NAME_ARGUMENT)
    return os.environ.get(SERVER_NAME_VARIABLE) or None


def replace_server_name(command: Sequence[str], name: str, other: str) -> tuple[str, ...]:
    """Return the command with another server name wherever it has the one."""
    return tuple(argument.replace(name, other) for argument in command)


def report(sentence: str) -> None:
    """Tell, on standard error, what only a person can mend."""
    try:
        os.write(2, f"tui-ipc: {sentence}\n".encode(errors="backslashreplace"))
    except OSError:
        pass  # nobody reads it


def _given_environment() -> dict[str, str]:
    """The environment as the host gave it: Python sets LC_CTYPE by itself in the C locale (PEP 538)."""
    environment = dict(os.environ)
    try:
        with open("/proc/self/environ", "rb") as file:
            given = file.read().split(b"\0")
    except OSError:
        return environment
    if not any(each.startswith(b"LC_CTYPE=") for each in given):
        environment.pop("LC_CTYPE", None)
    return environment


def _exec(command: Sequence[str], environment: dict[str, str]) -> NoReturn:
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores, and a child expects as they are
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(command[0], list(command), environment)  # noqa: S606 - there is no shell to be careful of
    except OSError as error:
        raise SpawnError(explain_spawn_error(error, command[0], None, environment)) from None


def fork_relay(
    name: str, options: TapOptions, host: int, child: int | None = None, command: tuple[str, ...] = ()
) -> tuple[bool, str]:
    """Start the relay, which is a child of neither side; see :func:`~tui_ipc.tap.process.run_relay`.

    Returns:
        Whether it is there, and the name of its server, or why there is none.
    """
    reader, writer = os.pipe()
    first = os.fork()
    if first == 0:
        try:
            os.setsid()
            if os.fork() == 0:
                from tui_ipc.tap.process import run_relay  # not loaded in the process that becomes the child

                _keep_only(writer)
                run_relay(writer, name, options, host, child, command)
        finally:  # nothing above may go on in this process, which is a copy of the child's
            error = sys.exception()
            if error is not None:
                sys.excepthook(type(error), error, error.__traceback__)
            os._exit(0)
    os.close(writer)
    os.waitpid(first, 0)
    with open(reader, "rb") as pipe:
        answer = pipe.read(_ANSWER_SIZE)
    return answer.startswith(TAPPED), os.fsdecode(answer.removeprefix(TAPPED))


def _keep_only(descriptor: int) -> None:
    """Hold open nothing of the host's but standard error, on which a relay tells what goes wrong."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, os.sysconf("SC_OPEN_MAX"))
