"""What passes without being copied: one end of a channel to a peer and back, and a piece of shared memory."""

import multiprocessing
import os
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

from tests.benchmarks.contenders import Channel, Contender, Peer, Pipe
from tests.benchmarks.measure import Figures, Tally, in_turn, turns
from tui_ipc import Receiver, Sender, SharedMemory, channel

_MIB = 1024 * 1024
_ROOM = 128 * _MIB  # the largest message of those who take 64 MiB in one


class Descriptors(Contender):
    """A bare descriptor with a byte beside it, over a stream socket pair."""

    name = "bare SCM_RIGHTS"

    def __init__(self, size: int, cpu: int) -> None:
        super().__init__(size, cpu)
        self.ours, theirs = socket.socketpair()

        def peer() -> None:
            while True:
                self.pass_on(theirs, self.take(theirs))

        self.fork(peer, [theirs.fileno()])
        theirs.close()
        self.handle = os.open(os.devnull, os.O_RDONLY)

    @staticmethod
    def take(source: socket.socket) -> int:
        """Receive one; a peer whose parent is gone ends."""
        data, descriptors, _, _ = socket.recv_fds(source, 1, 1)
        if not data:
            os._exit(0)
        return descriptors[0]

    @staticmethod
    def pass_on(target: socket.socket, descriptor: int) -> None:
        """Send one on, and close it here."""
        socket.send_fds(target, [b"."], [descriptor])
        os.close(descriptor)

    def exchange(self, message: bytes) -> None:
        socket.send_fds(self.ours, [message], [self.handle])
        os.close(self.take(self.ours))

    def end(self) -> None:
        super().end()
        os.close(self.handle)
        self.ours.close()


class Senders(Channel):
    """A sender of ours; the copies that came back are closed."""

    def __init__(self, size: int, cpu: int) -> None:
        super().__init__(size, cpu)
        self.handle, self.rest = channel()

    @staticmethod
    def serve(receiver: Receiver[Any], sender: Sender[Any]) -> None:
        for handle in receiver:
            with handle:
                sender.send(handle)

    def exchange(self, message: bytes) -> None:
        self.sender.send(self.handle)
        self.receiver.recv().close()

    def end(self) -> None:
        super().end()
        self.handle.close()
        self.rest.close()


class Connections(Pipe):
    """A Connection over a Connection, for which multiprocessing runs a server in a thread."""

    def __init__(self, size: int, cpu: int) -> None:
        super().__init__(size, cpu)
        self.handle, self.rest = multiprocessing.Pipe()

    @staticmethod
    def serve(connection: "Connection[Any, Any]") -> None:
        while True:
            with connection.recv() as handle:
                connection.send(handle)

    def exchange(self, message: bytes) -> None:
        handle: Any = self.handle
        self.ours.send(handle)
        self.ours.recv().close()

    def end(self) -> None:
        super().end()
        self.handle.close()
        self.rest.close()


def transfers(cpu: int, each: int, rounds: int) -> Figures:
    """Microseconds to give a handle to the peer and get it back."""
    contenders = [kind(1, cpu) for kind in (Descriptors, Senders, Connections)]

    def exchange(one: Contender) -> Callable[[], None]:
        return lambda: one.exchange(b".")

    tally = in_turn({one.name: exchange(one) for one in contenders}, each, rounds)
    for one in contenders:
        one.end()
    return tally.times(1e6)


class Reader(Peer):
    """A peer that says the last byte of whatever it is given, so that it must have it all in reach."""

    def __init__(self, cpu: int) -> None:
        super().__init__(0, cpu)
        self.sender, theirs = channel(_ROOM)
        back, self.receiver = channel()

        def peer() -> None:
            for given in theirs:
                if isinstance(given, SharedMemory):
                    with given:
                        back.send(given.view[-1])
                else:
                    back.send(given[-1])

        self.fork(peer, [theirs.socket_fileno(), back.fileno()])
        theirs.close()
        back.close()

    def show(self, given: object) -> None:
        """Send it and wait until it was read."""
        self.sender.send(given)
        self.receiver.recv()

    def end(self) -> None:
        super().end()
        self.sender.close()
        self.receiver.close()


class PipeReader(Peer):
    """The same over a multiprocessing.Pipe."""

    def __init__(self, cpu: int) -> None:
        super().__init__(0, cpu)
        self.ours, theirs = multiprocessing.Pipe()

        def peer() -> None:
            while True:
                theirs.send(theirs.recv()[-1])

        self.fork(peer, [theirs.fileno()])
        theirs.close()

    def show(self, given: bytes) -> None:
        """Send it and wait until it was read."""
        self.ours.send(given)
        self.ours.recv()

    def end(self) -> None:
        super().end()
        self.ours.close()


def shared_memory(cpu: int, rounds: int) -> Figures:
    """Milliseconds until the peer has read the last byte of 64 MiB."""
    ours, pipe = Reader(cpu), PipeReader(cpu)
    data = os.urandom(_MIB) * 64

    def copied_in() -> None:
        with SharedMemory(data) as memory:
            ours.show(memory)

    tally = Tally()
    with SharedMemory(data) as large, SharedMemory(data[:_MIB]) as small:
        work: dict[str, Callable[[], object]] = {
            "multiprocessing.Pipe": lambda: pipe.show(data),
            "tui_ipc, bytes": lambda: ours.show(data),
            "tui_ipc, SharedMemory, copied into": copied_in,
            "tui_ipc, SharedMemory": lambda: ours.show(large),
            "tui_ipc, SharedMemory of 1 MiB": lambda: ours.show(small),
        }
        for name, counts in turns(work, rounds):
            steps = []
            for _ in range(2):
                begin, _, end = perf_counter(), work[name](), perf_counter()
                steps.append(end - begin)
                for reader in (ours, pipe):
                    reader.show(b".")  # both have put away what they were shown
            if counts:
                tally.add_steps(name, steps)
    ours.end()
    pipe.end()
    return tally.times(1e3)
