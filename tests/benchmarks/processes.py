"""The contenders that need a process of their own kind, begun by multiprocessing instead of by a plain fork.

A Queue belongs to a ``multiprocessing.Process``; nng, once it was used, does not survive a fork.
"""

import gc
import multiprocessing
import os
from collections.abc import Callable
from typing import Any

import msgpack

from tests.benchmarks.contenders import Contender, answer, settle


class OfProcess(Contender):
    """A contender whose peer is a ``multiprocessing.Process``."""

    def start(self, method: str, peer: Callable[..., None], *arguments: Any) -> None:
        """Run ``peer`` with these arguments and the CPU."""
        context: Any = multiprocessing.get_context(method)
        self.process = context.Process(target=peer, args=(*arguments, self.cpu), daemon=True)
        self.process.start()

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.process.close()


class Queue(OfProcess):
    """Two multiprocessing.Queues."""

    name = "multiprocessing.Queue"

    def __init__(self, size: int, cpu: int) -> None:
        super().__init__(size, cpu)
        context = multiprocessing.get_context("fork")
        self.there: multiprocessing.Queue[Any] = context.Queue()
        self.back: multiprocessing.Queue[Any] = context.Queue()
        self.start("fork", self.peer, self.there, self.back)

    @staticmethod
    def peer(inbox: "multiprocessing.Queue[Any]", outbox: "multiprocessing.Queue[Any]", cpu: int) -> None:
        """What the process does."""
        settle(cpu)
        answer(inbox.get, outbox.put)

    def exchange(self, message: bytes) -> None:
        self.there.put(message)
        self.back.get()

    def stream(self, message: bytes, count: int) -> None:
        put = self.there.put
        put(None)
        for _ in range(count):
            put(message)
        put(None)
        assert self.back.get() == count

    def end(self) -> None:
        super().end()
        for queue in (self.there, self.back):
            queue.close()
            queue.join_thread()


class NNG(OfProcess):
    """Pynng's Pair0 over ipc://, the messages in msgpack."""

    name = "pynng Pair0"

    def __init__(self, size: int, cpu: int) -> None:
        import pynng  # an extra: only who wants the comparison needs it

        super().__init__(size, cpu)
        address = f"abstract://tui-ipc-benchmark-{os.getpid()}-{size}-{id(self)}"
        self.ours: Any = pynng.Pair0(listen=address, recv_max_size=0, recv_timeout=30_000)
        self.start("spawn", self.peer, address)

    @staticmethod
    def peer(address: str, cpu: int) -> None:
        """What the process does."""
        import pynng

        settle(cpu)
        theirs: Any = pynng.Pair0(dial=address, recv_max_size=0)
        answer(lambda: msgpack.unpackb(theirs.recv()), lambda value: theirs.send(msgpack.packb(value)))

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
        self.ours.close()
        del self.ours
        gc.collect()  # it is in a cycle, and would abort any later fork that happened to collect it
