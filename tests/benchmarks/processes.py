"""The contenders that need a process of their own kind, begun by multiprocessing instead of by a plain fork.

A Queue belongs to a ``multiprocessing.Process``; nng and iceoryx2, once used, do not survive a fork.
"""

import ctypes
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


class Iceoryx(OfProcess):
    """iceoryx2: bytes published in shared memory and an event that wakes, the messages in msgpack.

    It leaves a segment of its own in /dev/shm and a directory in /tmp, which all its programs share.
    """

    name = "iceoryx2"

    def __init__(self, size: int, cpu: int) -> None:
        super().__init__(size, cpu)
        address = f"tui-ipc-benchmark-{os.getpid()}-{size}-{id(self)}"
        self.node, self.ports, self.send, self.receive = self.open(address, "there", "back", size)
        self.start("spawn", self.peer, address, size)
        assert self.receive() == "ready"

    @staticmethod
    def open(
        address: str, outgoing: str, incoming: str, size: int
    ) -> tuple[Any, list[Any], Callable[[Any], None], Callable[[], Any]]:
        """The ports of one end, and what sends and receives by them."""
        import iceoryx2  # an extra: only who wants the comparison needs it

        iceoryx2.set_log_level(iceoryx2.LogLevel.Error)
        node: Any = iceoryx2.NodeBuilder.new().create(iceoryx2.ServiceType.Ipc)

        def service(direction: str) -> Any:
            return node.service_builder(iceoryx2.ServiceName.new(f"{address}/{direction}"))

        def messages(direction: str) -> Any:
            return service(direction).publish_subscribe(iceoryx2.Slice[ctypes.c_uint8]).open_or_create()

        publisher = messages(outgoing).publisher_builder().initial_max_slice_len(size + 64).create()
        subscriber = messages(incoming).subscriber_builder().create()
        notifier = service(outgoing).event().open_or_create().notifier_builder().create()
        listener = service(incoming).event().open_or_create().listener_builder().create()

        def send(message: Any) -> None:
            data = msgpack.packb(message)
            sample = publisher.loan_slice_uninit(len(data))
            ctypes.memmove(sample.payload().as_ptr(), data, len(data))
            sample.assume_init().send()
            notifier.notify()

        def receive() -> Any:
            while (sample := subscriber.receive()) is None:
                listener.blocking_wait()
            content = sample.payload()
            message = msgpack.unpackb(ctypes.string_at(content.as_ptr(), content.len()))
            sample.delete()
            return message

        return node, [publisher, subscriber, notifier, listener], send, receive

    @classmethod
    def peer(cls, address: str, size: int, cpu: int) -> None:
        """What the process does, until it is sent None: killed, it would leave its files."""
        settle(cpu)
        _, ports, send, receive = cls.open(address, "back", "there", size)
        send("ready")
        while (message := receive()) is not None:
            send(message)
        for port in ports:
            port.delete()

    def exchange(self, message: bytes) -> None:
        self.send(message)
        self.receive()

    def end(self) -> None:
        self.send(None)
        self.process.join()
        for port in self.ports:
            port.delete()
        del self.node, self.send, self.receive
        self.process.close()
