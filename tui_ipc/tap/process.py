"""The relay's process: from the child's connection to the end of all that is relayed."""

import gc
import os
import resource
import shlex
import time
from typing import TYPE_CHECKING, Final

from tui_ipc.events import AnyEvent
from tui_ipc.ipc import sockets
from tui_ipc.ipc.errors import IpcError
from tui_ipc.ipc.hello import SERVER_NAME_ARGUMENT, SERVER_NAME_PLACEHOLDER
from tui_ipc.ipc.oneshot import TAP_VARIABLE, OneShotServer, connect, peer_credentials
from tui_ipc.osutil.procfs import read_exit_status
from tui_ipc.recording.codec import RecordingError
from tui_ipc.recording.writer import RecordingWriter
from tui_ipc.tap.launch import TAPPED, TapOptions, replace_server_name, report
from tui_ipc.tap.links import Link
from tui_ipc.tap.relay import Relay
from tui_ipc.tap.tap_files import MAX_SIZE, make_tap_file

if TYPE_CHECKING:
    from tui_ipc.tap.log import TapLog

_MAX_COMMAND: Final = 16 * 1024  # bytes
_LOOK_SECONDS: Final = 0.25  # between two looks at what no descriptor tells
_STATUS_SECONDS: Final = 5.0  # that the host may take to collect the child's exit status


def run_relay(
    answer: int, name: str, options: TapOptions, host: int, child: int | None, command: tuple[str, ...]
) -> None:
    """Relay between a host and a child until there is nothing left to relay.

    Args:
        answer: Where the name of the server for the child is written, or why there is none; closed then.
        name: The name of the host's server.
        options: How to tap it.
        host: The process that has it.
        child: The process that becomes the child; None for the one that connects.
        command: The child's command, if there is one.
    """
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))  # each end of a channel takes two
    os.environ.pop(TAP_VARIABLE, None)  # the relay's own server needs no tap
    try:
        tap = ChildTap(name, options, host)
        if child is not None:
            tap.attach(child, command)
    except (RecordingError, IpcError, OSError) as error:
        os.write(answer, str(error).encode())
        return
    with tap:
        try:
            os.write(answer, TAPPED + os.fsencode(tap.server_name))
        except BrokenPipeError:
            return  # the child was ended before it began
        os.close(answer)
        os.chdir("/")  # which nobody needs to unmount
        tap.open_log()  # while the child begins
        if child is not None:
            tap.describe_child(child, command)
        gc.freeze()  # what is here stays, and need not be looked through
        tap.run()


class ChildTap:
    """One tapped child: its server, its relay, its recording.

    Args:
        name: The name of the host's server.
        options: How to tap the child.
        host: The host's process.

    Raises:
        IpcError: The server could not be made.

    Attributes:
        server_name: The name by which the child finds the tap.
    """

    def __init__(self, name: str, options: TapOptions, host: int) -> None:
        self._host_name = name
        self._host = host
        self._options = options
        self._max_size = None if options.record else MAX_SIZE
        self._server = OneShotServer()
        self.server_name = self._server.name
        self._relay = Relay(self._flush)
        self._relay.watch(self._server.fileno(), self._connect)
        self._log: TapLog
        self._writer: RecordingWriter | None = None
        self._child = self._pidfd = -1
        self._exited_at: float | None = None
        self._is_status_known = False

    def attach(self, child: int, command: tuple[str, ...]) -> None:
        """Make the recording of a child.

        Args:
            child: Its process.
            command: Its command, with the host's server name, or the one that it will have instead.

        Raises:
            RecordingError, OSError: It cannot be recorded. The server is closed.
        """
        given = _remove_server_name(command, self._host_name, self.server_name)
        try:
            self._pidfd = os.pidfd_open(child)
            path = self._options.record or make_tap_file(given, child)
            self._writer = RecordingWriter(path, command=given, on_failure=report, is_flushed=True)
        except BaseException:
            self._server.close()
            raise
        self._child = child
        self._relay.watch(self._pidfd, self._notice_exit)

    def open_log(self) -> None:
        """Load what is needed once something is to be shown: it takes longer than all before it."""
        from tui_ipc.session.correlation import make_correlator
        from tui_ipc.tap.log import TapLog

        correlator = make_correlator(self._options.match_by)
        self._log = TapLog(self._record, correlator, self._options.max_message_size)

    def describe_child(self, child: int, command: tuple[str, ...]) -> None:
        """Record how the child began, and with whom."""
        self._log.add_server(self.server_name)
        self._log.add_spawn(child, replace_server_name(command, self._host_name, self.server_name))
        self._log.add_note(f"the host is process {self._host}: {shlex.join(_read_command(self._host))}")

    def run(self) -> None:
        """Relay until there is nothing left to relay."""
        while not self._is_over():
            self._flush()
            self._relay.run_once(None if self._needs_no_polling() else _LOOK_SECONDS)
            if self._exited_at is not None and not self._is_status_known:
                self._read_status(self._exited_at)

    def __enter__(self) -> "ChildTap":
        return self

    def __exit__(self, *_: object) -> None:
        self._relay.close()
        self._server.close()
        if self._writer is not None:
            self._writer.close()

    def _needs_no_polling(self) -> bool:
        """Whether a descriptor becomes readable for everything that is waited for."""
        if self._exited_at is None:
            return self._child >= 0
        return self._is_status_known and self._server.closed

    def _is_over(self) -> bool:
        is_over = self._child < 0 or (self._exited_at is not None and self._is_status_known)
        if not is_over or not self._relay.is_idle:
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
        if self._child < 0:
            pid = peer_credentials(child)[0]
            command = _read_command(pid)
            try:
                self.attach(pid, command)
            except (RecordingError, OSError) as error:
                report(f"process {pid} is not recorded: {error}")
            else:
                self.describe_child(pid, command)
        try:
            with connect(self._host_name) as sender:
                host = sockets.duplicate(sender.fileno())
        except (IpcError, ValueError) as error:
            child.close()
            self._log.add_handshake_failure(str(error))
            return
        link = Link(host, child, is_connection=True)
        self._log.add_connection(link)
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
        self._log.add_exit(*(status or (None, None)))

    def _flush(self) -> None:
        if self._writer is not None:
            self._writer.flush()

    def _record(self, event: AnyEvent) -> None:
        writer = self._writer
        if writer is None:
            return
        if self._max_size is not None and writer.size > self._max_size:
            self._max_size = None
            self._log.add_note(
                f"the recording ends here, at its limit of {MAX_SIZE >> 20} MiB; the child goes on"
            )
            writer.close()
        writer(event)


def _remove_server_name(command: tuple[str, ...], *names: str) -> tuple[str, ...]:
    """Return the command as it is given to a parent, see ``insert_server_name``."""
    for name in names:
        if command[-1:] == (f"{SERVER_NAME_ARGUMENT}{name}",):
            command = command[:-1]
        command = replace_server_name(command, name, SERVER_NAME_PLACEHOLDER)
    return command


def _read_command(pid: int) -> tuple[str, ...]:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return tuple(map(os.fsdecode, file.read(_MAX_COMMAND).split(b"\0")[:-1])) or ("?",)
    except OSError:
        return ("?",)
