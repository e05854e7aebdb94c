"""A parent in three lines: a child process that is started, met, and in the end gone.

The child leads a process group of its own, so that a key at the terminal reaches only the parent, which ends
the child; and whatever the child started ends with it, unless that left the group.
"""

import os
import select
import signal
from collections.abc import Callable, Sequence
from time import monotonic

from tui_ipc.ipc.channel import answering
from tui_ipc.ipc.errors import Empty, IpcError, ProtocolError, TimedOut
from tui_ipc.ipc.handle import Unloaded, close_handles
from tui_ipc.ipc.hello import QUIT, SERVER_NAME_VARIABLE, InvalidHello, insert_server_name, parse_hello
from tui_ipc.ipc.log import log_debug
from tui_ipc.ipc.oneshot import OneShotServer
from tui_ipc.ipc.receiver import Receiver
from tui_ipc.ipc.sender import Sender
from tui_ipc.ipc.wire import DEFAULT_MAX_MESSAGE_SIZE, encode
from tui_ipc.osutil.pidfd import Exit
from tui_ipc.osutil.waiting import wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from subprocess import Popen
    from typing import Any, TypeVar, overload

    S = TypeVar("S")
    R = TypeVar("R")
else:
    Any = object
    AbstractContextManager = Popen = Unloaded

_INTERVAL = 0.02
"""Seconds between two looks at what no descriptor tells: a channel to the child that is full."""


class Child:
    """What :func:`spawn` returns: starts a child when its block is entered, and ends it when it is left."""

    def __init__(
        self,
        command: "Sequence[str]",
        timeout: float | None,
        grace: float,
        max_message_size: int,
        encode: "Callable[[Any], object] | None",
        decode: "Callable[[Any], Any] | None",
        options: "dict[str, Any]",
    ) -> None:
        self._command = command
        self._timeout = timeout
        self._grace = grace
        self._max_message_size = max_message_size
        self._encode = encode
        self._decode = decode
        self._options = options
        self._process: Popen[Any] | None = None
        self._ends: tuple[Sender[Any], Receiver[Any]] | None = None
        self._is_asked = False  # whether "quit" was sent

    def __enter__(self) -> "tuple[Popen[Any], Sender[Any], Receiver[Any]]":
        from subprocess import DEVNULL, Popen  # only a parent needs it

        if self._process is not None:
            raise RuntimeError("this child was started before; call spawn() again for another one")
        options = {"stdin": DEVNULL, "process_group": 0, **self._options}
        with OneShotServer(self._max_message_size) as server:
            given = options.pop("env", None)
            env = {**(os.environ if given is None else given), SERVER_NAME_VARIABLE: server.name}
            self._process = process = Popen(
                insert_server_name(self._command, server.name), env=env, **options
            )
            log_debug("started process %s: %s", process.pid, self._command)
            try:
                self._ends = _meet(*server.accept(self._timeout, process))
            except BaseException:
                self._grace = 0.0
                self.__exit__()
                raise
        to_child, from_child = self._ends
        to_child.encode, from_child.decode = self._encode, self._decode
        return process, to_child, from_child

    def __exit__(self, *_: object) -> None:
        process = self._process
        assert process is not None
        try:
            if process.returncode is None:
                with Exit(process) as end:
                    self._end_child(end)
        finally:
            if process.returncode is None:
                self._signal(signal.SIGKILL)  # also whatever it left in its group
            process.wait()
            log_debug("process %s ended with %s", process.pid, process.returncode)
            for each in self._ends or ():
                each.close()

    def _end_child(self, end: Exit) -> None:
        """``"quit"``, SIGTERM, each with its time of grace; SIGKILL is the caller's."""
        if self._ends is not None and self._wait_for(end):
            return
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)  # a stopped process acts on nothing else
        self._wait_for(end)

    def _wait_for(self, end: Exit) -> bool:
        """Wait until the child has ended, asking it to, and taking what it has to say meanwhile: it might
        wait for that. False if it lives on.
        """
        deadline = monotonic() + self._grace
        is_heard = self._ends is not None
        if self._ends is not None:
            self._ends[1].decode = None  # what comes now is not for the caller
        while not end.has_ended():
            now = monotonic()
            if now >= deadline:
                return False
            descriptors = list(end.descriptors())
            if self._ends is not None:
                self._is_asked = self._is_asked or _request_quit(self._ends[0])
                is_heard = is_heard and _discard_messages(self._ends[1], descriptors)
                if self._is_asked and not is_heard:  # a child that closes its side may wait for ours to end
                    for each in self._ends:
                        each.close()
            is_told = (self._ends is None or self._is_asked) and end.interval() is None
            wait(descriptors, select.POLLIN, deadline if is_told else min(deadline, now + _INTERVAL))
        return True

    def _signal(self, number: int) -> None:
        """Signal the child, and its group if it leads one. It was not reaped: the number is its own."""
        assert self._process is not None
        pid = self._process.pid
        log_debug("signal %s to process %s and its group", number, pid)
        try:
            if os.getpgid(pid) == pid:
                os.killpg(pid, number)
            else:
                os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            pass  # reaped by somebody else, or no longer ours to signal


if TYPE_CHECKING:

    @overload
    def spawn(
        command: Sequence[str],
        *,
        timeout: float | None = ...,
        grace: float = ...,
        max_message_size: int = ...,
        encode: Callable[[S], object],
        decode: Callable[[Any], R],
        **options: Any,
    ) -> AbstractContextManager[tuple[Popen[Any], Sender[S], Receiver[R]]]: ...
    @overload
    def spawn(
        command: Sequence[str],
        *,
        timeout: float | None = ...,
        grace: float = ...,
        max_message_size: int = ...,
        encode: None = ...,
        decode: None = ...,
        **options: Any,
    ) -> AbstractContextManager[tuple[Popen[Any], Sender[Any], Receiver[Any]]]: ...


def spawn(
    command: "Sequence[str]",
    *,
    timeout: float | None = 10.0,
    grace: float = 2.0,
    max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
    encode: "Callable[[Any], object] | None" = None,
    decode: "Callable[[Any], Any] | None" = None,
    **options: "Any",
) -> "AbstractContextManager[tuple[Popen[Any], Sender[Any], Receiver[Any]]]":
    """Start a child process and meet it, for a ``with`` block, at whose end it ends.

    The block gets the process, the sender to it and the receiver from it. At its end, however it is left, the
    child is sent ``"quit"``, after a while SIGTERM, after another SIGKILL; it is reaped and both ends closed.

    Args:
        command: The program and its arguments; the server name is put where they have ``{channel_name}``,
            else appended as ``channel_name:NAME``. ``TUI_IPC_SERVER`` has it, too.
        timeout: Seconds that the child has to connect and to send its hello; None waits for ever.
        grace: Seconds that it has to end after ``"quit"``, and again after SIGTERM.
        max_message_size: In bytes, for both channels.
        encode: What the sender sends for a message; None sends the message itself.
        decode: What the receiver gives for what came.
        options: Further ones of :class:`subprocess.Popen`. Unless they say otherwise, the child's standard
            input is empty, and it leads a process group of its own.

    Raises:
        OSError: The command could not be started (entering the block raises it, as all of these).
        Disconnected: The child ended before it connected, or before its hello.
        TimedOut: It did not connect in time, or sent no hello; it was ended.
        ProtocolError: Its first message is not a hello; it was ended.

    Example:
        >>> import sys
        >>> code = "from tui_ipc.child import serve; serve(lambda message: message * 2)"
        >>> with spawn([sys.executable, "-c", code]) as (child, to_child, from_child):
        ...     to_child.send(21)
        ...     from_child.recv(timeout=10)
        42
        >>> child.returncode
        0
    """
    return Child(command, timeout, grace, max_message_size, encode, decode, options)


def _meet(connection: "Receiver[Any]", first: "Any") -> "tuple[Sender[Any], Receiver[Any]]":
    """The ends that a child's hello brought, or the connection itself in inline mode."""
    size = connection.max_message_size
    try:
        hello = parse_hello(first)
        if hello.channels is None:
            close_handles(first)
            log_debug("the child said hello, inline: name %s, process %s", hello.name, hello.pid)
            return answering(connection), connection
        to_child, from_child = hello.channels
        assert isinstance(to_child, Sender)  # what parse_hello gives
        assert isinstance(from_child, Receiver)
        close_handles([item for item in first.values() if item is not to_child and item is not from_child])
    except BaseException as error:
        close_handles(first)
        connection.close()
        if isinstance(error, InvalidHello):
            raise ProtocolError(f"the child's first message {error}: {first!r:.200}") from None
        raise
    log_debug("the child said hello: name %s, process %s", hello.name, hello.pid)
    connection.close()
    to_child.max_message_size = from_child.max_message_size = size
    return to_child, from_child


def _request_quit(to_child: "Sender[Any]") -> bool:
    """Send ``"quit"``; False if the channel is full."""
    try:
        to_child.send_raw(encode(QUIT), timeout=0)
    except TimedOut:
        return False
    except IpcError:
        pass  # it is gone, or the caller closed this end: the child knows
    return True


def _discard_messages(from_child: "Receiver[Any]", descriptors: list[int]) -> bool:
    """Take what has come, and add what to wait for to find more; False if nothing can come."""
    try:
        descriptors.append(from_child.fileno())
        close_handles(from_child.try_recv())
    except Empty:
        pass
    except (IpcError, ValueError):
        return False  # ended, broken, closed or moved; ValueError: it is in a set of the caller's
    return True
