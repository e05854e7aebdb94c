"""Runs several scripts at once, each in a forked process.

It is a process and not a task because an event loop does one thing at a time: what one script does for long,
such as a search or the difference of two large messages, would hold up the deadlines of all the others.

What a process writes is sent here in packets, each for one of our two streams, and waits until it is that
script's turn. If too much waits, the process has to wait, as for any slow reader of our output, and that does
not count for its script's deadlines.
"""

import asyncio
import os
import pickle
import signal
import socket
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, Final, Self

from tui_ipc.osutil.signals import fork_with_default_signals
from tui_ipc.script.outcome import Outcome
from tui_ipc.script.output import MAX_WRITE, Console, OutputStream

_STDOUT: Final = b"1"  # the first byte of a packet for standard output
_STDERR: Final = b"2"
_RESULT: Final = b"r"  # of one with a part of the outcome
_DEFECT: Final = b"d"  # of one with a part of the error that ended it
_MAX_RESULT: Final = 32 * 1024  # bytes of it in one packet
_MAX_PACKET: Final = max(MAX_WRITE, _MAX_RESULT) + 1
_MAX_WAITING: Final = 1024  # packets of a script that wait for its turn: 4 MiB at most


class DefectInWorker(Exception):
    """This program itself failed in a worker; the traceback from there is a note of it."""


class Worker:
    """A forked process that runs one script.

    Args:
        console: Where the script is reported; in the process it writes to us.
        run: Runs the script.
        others: Sockets of other workers, which the process must not keep open.
    """

    def __init__(
        self,
        console: Console,
        run: Callable[[], Coroutine[Any, Any, Outcome]],
        others: Sequence[socket.socket],
    ) -> None:
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.setblocking(False)

        def work() -> None:
            for ours in (self.socket, *others):
                ours.close()
            _run_in_process(theirs, console, run)

        with theirs:
            self._pid = fork_with_default_signals(work)

    def signal(self, number: int) -> None:
        """Send it a signal; the process has not been waited for yet, so it is still ours."""
        os.kill(self._pid, number)

    def close(self) -> int:
        """Wait for its end; returns its exit code, or the negative number of the signal that ended it."""
        self.socket.close()
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


def _run_in_process(
    sock: socket.socket, console: Console, run: Callable[[], Coroutine[Any, Any, Outcome]]
) -> None:
    # A key of the terminal sends its signal to a whole process group. It is for our parent, which passes it
    # on; from both it would count as two, and a second signal does not wait for the child.
    os.setpgid(0, 0)
    sock.setblocking(False)
    console.redirect((sock.fileno(), _STDOUT), (sock.fileno(), _STDERR))

    def send_error(_: object, error: BaseException, _traceback: object) -> None:
        full = "".join(traceback.format_exception(error))
        _send(sock, _DEFECT, (isinstance(error, MemoryError), f"{type(error).__name__}: {error}", full))

    sys.excepthook = send_error  # our parent tells what ended us
    _send(sock, _RESULT, asyncio.run(_run_until_parent_ends(sock, run)))


def _send(sock: socket.socket, kind: bytes, item: object) -> None:
    data = pickle.dumps(item)
    sock.setblocking(True)
    try:
        for begin in range(0, len(data), _MAX_RESULT):
            sock.send(kind + data[begin : begin + _MAX_RESULT])
    except BrokenPipeError:  # our parent has ended
        pass


def _make_defect(data: bytes) -> Exception:
    is_memory_error, summary, full = pickle.loads(data)  # noqa: S301 - our own process wrote it
    error: Exception = MemoryError() if is_memory_error else DefectInWorker(summary)
    error.add_note(full)
    return error


async def _run_until_parent_ends(
    sock: socket.socket, run: Callable[[], Coroutine[Any, Any, Outcome]]
) -> Outcome:
    loop = asyncio.get_running_loop()

    def end() -> None:
        loop.remove_reader(sock)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(sock, end)  # nothing is ever sent to us: this is the end of the other side
    try:
        return await run()
    finally:
        loop.remove_reader(sock)


class WorkerPool:
    """Runs scripts in processes, and gives what they write in the scripts' order. An asynchronous context
    manager, in whose context all of them must be followed to their end.

    Args:
        numbers: Those of the scripts to run.
        jobs: How many run at the same time.
        console: Where they are reported.
        run: Runs the script of a number, in a process of its own.
        may_begin: Returns whether another script may begin, after those outcomes.
    """

    def __init__(
        self,
        numbers: Sequence[int],
        jobs: int,
        console: Console,
        run: Callable[[int], Coroutine[Any, Any, Outcome]],
        may_begin: Callable[[list[Outcome]], bool],
    ) -> None:
        self._numbers = numbers
        self._slots = asyncio.Semaphore(jobs)
        self._console = console
        self._run = run
        self._may_begin = may_begin
        self._workers: set[Worker] = set()
        self._packets = {number: asyncio.Queue[bytes | None](_MAX_WAITING) for number in numbers}
        self._tasks: dict[int, asyncio.Task[Outcome | int | Exception | None]] = {}
        self._outcomes: list[Outcome] = []  # as they came
        self._dropped: set[OutputStream] = set()

    async def __aenter__(self) -> Self:
        self._tasks = {number: asyncio.create_task(self._follow(number)) for number in self._numbers}
        return self

    async def __aexit__(self, *_: object) -> None:
        """End what still runs; nothing does unless something went wrong here."""
        self.signal(signal.SIGTERM)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def signal(self, number: int) -> None:
        """Send a signal to all processes."""
        for worker in self._workers:
            worker.signal(number)

    async def output(self, number: int) -> AsyncIterator[tuple[OutputStream, bytes]]:
        """What a script writes, and where to, until its end."""
        while (packet := await self._packets[number].get()) is not None:
            stream = self._console.stdout if packet[:1] == _STDOUT else self._console.stderr
            if stream not in self._dropped:
                yield stream, packet[1:]

    def drop_output(self, *streams: OutputStream) -> None:
        """Drop all further output to some streams."""
        self._dropped.update(streams)

    async def outcome(self, number: int) -> Outcome | int | None:
        """How a script ended, once its output was taken.

        Returns:
            The outcome, which was reported; the exit code of its process, as :meth:`Worker.close` has it, if
            that ended without one; None if the script was not run.

        Raises:
            DefectInWorker: This program itself failed there.
            MemoryError: It had too little memory.
        """
        outcome = await self._tasks[number]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _follow(self, number: int) -> Outcome | int | Exception | None:
        outcome: Outcome | int | Exception | None = None
        async with self._slots:
            if self._may_begin(self._outcomes):
                outcome = await self._run_worker(number)
                if isinstance(outcome, Outcome):
                    self._outcomes.append(outcome)
        await self._packets[number].put(None)
        return outcome

    async def _run_worker(self, number: int) -> Outcome | int | Exception:
        loop, result, defect = asyncio.get_running_loop(), bytearray(), bytearray()
        others = [worker.socket for worker in self._workers]
        worker = Worker(self._console, lambda: self._run(number), others)
        self._workers.add(worker)
        try:
            while packet := await loop.sock_recv(worker.socket, _MAX_PACKET):
                if packet.startswith(_RESULT):
                    result += packet[1:]
                elif packet.startswith(_DEFECT):
                    defect += packet[1:]
                else:
                    await self._packets[number].put(packet)
        finally:
            self._workers.remove(worker)
            code = worker.close()
        if defect:
            return _make_defect(bytes(defect))
        if code:
            return code
        outcome: Outcome = pickle.loads(result)  # noqa: S301 - our own process wrote it
        return outcome
