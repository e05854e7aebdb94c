"""What is compared: the ways in which a Python parent may talk to its child, each with a real second process.

Every contender carries ``bytes`` there and back (``exchange``) and one way (``stream``), and does it as its
users do: a Pipe pickles, a ZeroMQ socket is given msgpack, a bare socket is given the bytes and knows their
size.
"""

import ctypes
import multiprocessing
import os
import signal
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import msgpack

from tui_ipc import Receiver, Sender, channel
from tui_ipc.ipc.channel import answering


def answer(receive: Callable[[], Any], send: Callable[[Any], object]) -> None:
    """What a peer does, for ever: it sends each message back.

    None makes it count instead; the next None makes it send how many came, and go back to answering.
    """
    count = 0
    counting = False
    while True:
        message = receive()
        if message is None:
            if counting:
                send(count)
            counting, count = not counting, 0
        elif counting:
            count += 1
        else:
            send(message)


_PR_SET_PDEATHSIG = 1  # prctl(2)


def settle(cpu: int) -> None:
    """What a peer does first: it stays on its CPU, and dies with its parent, however a run is cut off."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.sched_setaffinity(0, {cpu})


class Peer:
    """A second process, until it is ended or we are gone."""

    name = ""

    def __init__(self, size: int, cpu: int) -> None:
        self.size = size
        self.cpu = cpu
        self.pid = 0

    def fork(self, peer: Callable[[], None], keep: list[int]) -> None:
        """Run ``peer`` in a process that holds no descriptors but these and the standard ones."""
        self.pid = os.fork()
        if self.pid:
            return
        try:
            settle(self.cpu)
            for descriptor in map(int, os.listdir("/proc/self/fd")):
                if descriptor > 2 and descriptor not in keep:
                    try:
                        os.close(descriptor)
                    except OSError:
                        pass  # the one that listed them
            peer()
        finally:
            os._exit(0)

    def end(self) -> None:
        """End the peer."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


class Contender(Peer):
    """A peer that sends each message back, or counts them."""

    def exchange(self, message: bytes) -> None:
        """Send a message and wait until it is back."""
        raise NotImplementedError

    def stream(self, message: bytes, count: int) -> None:
        """Send a message so many times and wait until the peer has them all."""
        raise NotImplementedError


class Floor(Contender):
    """A bare stream socket pair: bytes of a size that both know, nothing encoded."""

    name = "bare socket pair"

    def __init__(self, size: int, cpu: int) -> None:
        super().__init__(size, cpu)
        self.ours, theirs = socket.socketpair()
        self.buffer = memoryview(bytearray(size))

        def peer() -> None:
            buffer = memoryview(bytearray(size))
            while True:
                self.fill(theirs, buffer)
                theirs.sendall(buffer)

        self.fork(peer, [theirs.fileno()])
        theirs.close()

    @staticmethod
    def fill(source: socket.socket, buffer: memoryview) -> None:
        """Read until the buffer is full; a peer whose parent is gone ends."""
        got = 0
        while got < len(buffer):
            more = source.recv_into(buffer[got:])
            if not more:
                os._exit(0)
            got += more

    def exchange(self, message: bytes) -> None:
        self.ours.sendall(message)
        self.fill(self.ours, self.buffer)

    def end(self) -> None:
        super().end()
        self.ours.close()


class FloorOneWay(Contender):
    """The same in one direction: one system call a message, and a reader that takes all that there is."""

    name = "bare socket pair"

    def __init__(self, size: int, cpu: int) -> None:
        super().__init__(size, cpu)
        self.ours, theirs = socket.socketpair()

        def peer() -> None:
            while announced := theirs.recv(8, socket.MSG_WAITALL):
                missing = int.from_bytes(announced, "big")
                while missing:
                    missing -= len(theirs.recv(min(missing, 65_536)))
                theirs.send(b".")

        self.fork(peer, [theirs.fileno()])
        theirs.close()

    def stream(self, message: bytes, count: int) -> None:
        send = self.ours.send
        send((len(message) * count).to_bytes(8, "big"))
        for _ in range(count):
            send(message)
        assert self.ours.recv(1) == b"."

    def end(self) -> None:
        super().end()
        self.ours.close()


class Channel(Contender):
    """A channel pair of this library."""

    name = "tui_ipc"

    def __init__(self, size: int, cpu: int) -> None:
        super().__init__(size, cpu)
        self.sender, theirs = channel()
        back, self.receiver = channel()
        self.fork(lambda: self.serve(theirs, back), [theirs.socket_fileno(), back.fileno()])
        theirs.close()
        back.close()

    @staticmethod
    def serve(receiver: Receiver[Any], sender: Sender[Any]) -> None:
        """What the peer does."""
        answer(receiver.recv, sender.send)

    def exchange(self, message: bytes) -> None:
        self.sender.send(message)
        self.receiver.recv()

    def stream(self, message: bytes, count: int) -> None:
        self.sender.send(None)
        self.send_all(message, count)
        self.sender.send(None)
        assert self.receiver.recv() == count

    def send_all(self, message: bytes, count: int) -> None:
        """One send each."""
        send = self.sender.send
        for _ in range(count):
            send(message)

    def end(self) -> None:
        super().end()
        self.sender.close()
        self.receiver.close()


class Inline(Contender):
    """One connection for both directions, as with a child that cannot pass descriptors."""

    name = "tui_ipc, inline"

    def __init__(self, size: int, cpu: int) -> None:
        super().__init__(size, cpu)
        ours, theirs = socket.socketpair()

        def peer() -> None:
            receiver: Receiver[Any] = Receiver(theirs)
            answer(receiver.recv, answering(receiver).send)

        self.fork(peer, [theirs.fileno()])
        theirs.close()
        self.receiver: Receiver[Any] = Receiver(ours)
        self.sender = answering(self.receiver)

    def exchange(self, message: bytes) -> None:
        self.sender.send(message)
        self.receiver.recv()

    def end(self) -> None:
        super().end()
        self.sender.close()
        self.receiver.close()


class Batches(Channel):
    """The same with send_many."""

    name = "tui_ipc, send_many"

    def send_all(self, message: bytes, count: int) -> None:
        self.sender.send_many(message for _ in range(count))


class Pipe(Contender):
    """multiprocessing.Pipe."""

    name = "multiprocessing.Pipe"

    def __init__(self, size: int, cpu: int) -> None:
        super().__init__(size, cpu)
        self.ours, theirs = multiprocessing.Pipe()

        self.fork(lambda: self.serve(theirs), [theirs.fileno()])
        theirs.close()

    @staticmethod
    def serve(connection: "Connection[Any, Any]") -> None:
        """What the peer does."""
        answer(connection.recv, connection.send)

    def exchange(self, message: bytes) -> None:
        self.ours.send(message)
        self.ours.recv()

    def stream(self, message: bytes, count: int) -> None:
        send = self.ours.send
        send(None)
        for _ in range(count):
            send(message)
        send(None)
        assert self.ours.recv() == count

    def end(self) -> None:
        super().end()
        self.ours.close()


class ZeroMQ(Contender):
    """Pyzmq's PAIR over ipc://, the messages in msgpack."""

    name = "pyzmq PAIR"

    def __init__(self, size: int, cpu: int) -> None:
        import zmq  # an extra: only who wants the comparison needs it

        super().__init__(size, cpu)
        # In Linux's abstract namespace: no file to leave behind.
        address = f"ipc://@tui-ipc-benchmark-{os.getpid()}-{size}-{id(self)}"

        def peer() -> None:
            theirs = zmq.Context().socket(zmq.PAIR)
            theirs.connect(address)
            answer(lambda: msgpack.unpackb(theirs.recv()), lambda value: theirs.send(msgpack.packb(value)))

        self.fork(peer, [])
        self.context = zmq.Context()
        self.ours = self.context.socket(zmq.PAIR)
        self.ours.bind(address)

    def exchange(self, message: bytes) -> None:
        self.ours.send(msgpack.packb(message))
        msgpack.unpackb(self.ours.recv())

    def stream(self, message: bytes, count: int) -> None:
        send, pack = self.ours.send, msgpack.packb
        send(pack(None))
        for _ in range(count):
            send(pack(message))
        send(pack(None))
        assert msgpack.unpackb(self.ours.recv()) == count

    def end(self) -> None:
        super().end()
        self.ours.close(0)
        self.context.term()
