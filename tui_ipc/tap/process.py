"""The relay's process: from the child's connection to the end of all that is relayed."""

import os
import resource
import time
from typing import Final

from tui_ipc.events import AnyEvent
from tui_ipc.ipc import sockets
from tui_ipc.ipc.errors import IpcError
from tui_ipc.ipc.hello import SERVER_NAME_ARGUMENT, SERVER_NAME_PLACEHOLDER
from tui_ipc.ipc.oneshot import OneShotServer, connect
from tui_ipc.osutil.exit_status import read_exit_status
from tui_ipc.recording.codec import RecordingError
from tui_ipc.recording.writer import RecordingWriter
from tui_ipc.tap.launch import TAPPED, TapOptions, replace_server_name, report
from tui_ipc.tap.log import TapLog
from tui_ipc.tap.relay import Link, Relay
from tui_ipc.tap.tap_files import MAX_SIZE, make_tap_file

_LOOK_SECONDS: Final = 0.25  # between two looks at what no descriptor tells
_STATUS_SECONDS: Final = 5.0  # that the host may take to collect the child's exit status


def run_relay(
    answer: int, name: str, command: tuple[str, ...], options: TapOptions, child: int, host: int
) -> None:
    """Relay between a host and a child until there is nothing left to relay.

    Args:
        answer: Where the name of the server for the child is written, or why there is none; closed then. The
            child starts after that.
        name: The name of the host's server.
        command: The child's command.
        options: How to tap it.
        child: The process that becomes the child.
        host: The process that started it.
    """
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))  # each end of a channel takes two
    try:
        tap = ChildTap(name, command, options, child)
    except (RecordingError, IpcError, OSError) as error:
        os.write(answer, str(error).encode())
        return
    with tap:
        tap.begin(host)
        os.write(answer, TAPPED + os.fsencode(tap.server_name))
        os.close(answer)
        os.chdir("/")  # which nobody needs to unmount
        tap.run()


class ChildTap:
    """One tapped child: its server, its relay, its recording.

    Args:
        name: The name of the host's server.
        command: The child's command.
        options: How to tap it.
        child: Its process id.

    Raises:
        RecordingError, IpcError, OSError: It cannot be tapped.

    Attributes:
        server_name: The name by which the child finds the tap.
    """

    def __init__(self, name: str, command: tuple[str, ...], options: TapOptions, child: int) -> None:
        self._host_name = name
        self._child = child
        self._max_size = None if options.record else MAX_SIZE
        self._pidfd = os.pidfd_open(child)
        self._server = OneShotServer()
        self.server_name = self._server.name
        self._command = replace_server_name(command, name, self.server_name)
        try:
            self._writer = RecordingWriter(
                options.record or make_tap_file(command, child),
                command=_remove_server_name(command, name),
                on_failure=report,
            )
        except BaseException:
            self._server.close()
            raise
        self._log = TapLog(self._record, options.correlator, options.max_message_size)
        self._relay = Relay()
        self._exited_at: float | None = None
        self._is_status_known = False

    def begin(self, host: int) -> None:
        """Listen for the child."""
        self._log.listening(self.server_name)
        self._log.spawned(self._child, self._command)
        self._log.note(f"the host is process {host}: {_read_command(host)}")
        self._relay.watch(self._server.fileno(), self._connect)
        self._relay.watch(self._pidfd, self._notice_exit)

    def run(self) -> None:
        """Relay until there is nothing left to relay."""
        while not self._is_over():
            self._relay.turn(None if self._is_settled() else _LOOK_SECONDS)
            if self._exited_at is not None and not self._is_status_known:
                self._read_status(self._exited_at)

    def __enter__(self) -> "ChildTap":
        return self

    def __exit__(self, *_: object) -> None:
        self._relay.close()
        self._server.close()
        self._writer.close()
        os.close(self._pidfd)

    def _is_settled(self) -> bool:
        """Whether everything that is waited for is told by a descriptor."""
        return self._exited_at is None or (self._is_status_known and self._server.closed)

    def _is_over(self) -> bool:
        if self._exited_at is None or not self._is_status_known or not self._relay.is_idle:
            return False
        # A child may leave its work to a process of its own, which connects later, as long as the host waits.
        return self._server.closed or not os.path.exists(self._host_name)

    def _connect(self) -> None:
        """A client is there: it is the child, or speaks for it."""
        self._relay.unwatch(self._server.fileno())  # it is closed with the connection
        receiver = self._server.try_connection()
        if receiver is None:
            self._relay.watch(self._server.fileno(), self._connect)
            return
        with receiver:
            child = sockets.duplicate(receiver.socket_fileno())
        try:
            with connect(self._host_name) as sender:
                host = sockets.duplicate(sender.fileno())
        except (IpcError, ValueError) as error:
            child.close()
            self._log.failed(str(error))
            return
        link = Link(host, child, is_connection=True)
        self._log.connected(link)
        self._relay.add(link)

    def _notice_exit(self) -> None:
        self._relay.unwatch(self._pidfd)
        self._exited_at = time.monotonic()
        # Whoever reads standard error to its end waits for the child, not for the relay.
        null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(null, 2)
        os.close(null)

    def _read_status(self, exited_at: float) -> None:
        status = read_exit_status(self._pidfd, self._child)
        if status is None and time.monotonic() < exited_at + _STATUS_SECONDS:
            return
        self._is_status_known = True
        self._log.exited(*(status or (None, None)))

    def _record(self, event: AnyEvent) -> None:
        if self._max_size is not None and self._writer.size > self._max_size:
            self._max_size = None
            self._log.note(
                f"the recording ends here, at its limit of {MAX_SIZE >> 20} MiB; the child goes on"
            )
            self._writer.close()
        self._writer(event)


def _remove_server_name(command: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Return the command as it is given to a parent, see ``insert_server_name``."""
    if command[-1] == f"{SERVER_NAME_ARGUMENT}{name}" and not any(name in each for each in command[:-1]):
        return command[:-1]
    return replace_server_name(command, name, SERVER_NAME_PLACEHOLDER)


def _read_command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return os.fsdecode(file.read(4096).replace(b"\0", b" ").strip())
    except OSError:
        return "its command is not known"
