"""Hand handles to processes of multiprocessing, by the start method that is the argument, in every way."""

import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from tests.support.threads import PATIENCE
from tui_ipc import FileDescriptor, Receiver, Sender, SharedMemory, channel
from tui_ipc.ipc import aio


def work(sender: Sender[Any], receiver: Receiver[Any], memory: SharedMemory, message: object) -> None:
    """Send what the handles give."""
    with sender, receiver, memory:
        sender.send([message, receiver.recv(PATIENCE), bytes(memory.view), sender.max_message_size])


def is_open(handles: list[Any]) -> list[bool]:
    """A task of a pool."""
    try:
        return [os.get_inheritable(handle.fileno()) for handle in handles]
    finally:
        for handle in handles:
            handle.close()


def is_asyncio(sender: Any) -> bool:
    """A task of a pool: whether an endpoint of asyncio is one still, of the same channel."""
    with sender:
        sender._blocking.send("from asyncio's")
        return type(sender) is aio.Sender


def main(method: str) -> None:
    """Print a line for each way."""
    context: Any = multiprocessing.get_context(method)
    to_parent, from_child = channel(1000)
    to_child, from_parent = channel()
    memory = SharedMemory(b"content")

    process = context.Process(target=work, args=(to_parent, from_parent, memory, "started"))
    process.start()
    from_parent.close()
    to_child.send("hello")
    print(*from_child.recv(PATIENCE))
    process.join()
    assert process.exitcode == 0

    handles = [to_parent, memory, to_parent.clone(), FileDescriptor(sys.stdout)]
    with context.Pool(1) as pool:
        for _ in range(3):
            print("pool:", *pool.apply(is_open, (handles,)))
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        print("executor:", *executor.submit(is_open, handles).result())
        with aio.Sender(to_parent.clone()) as sender:
            print("asyncio:", executor.submit(is_asyncio, sender).result(), from_child.recv(PATIENCE))
    for handle in handles:
        handle.close()
    memory.close()
    to_child.close()
    from_child.close()


if __name__ == "__main__":
    main(sys.argv[1])
