"""Answers each message by what is in it, so that every kind of handle is used in both directions."""

import os
import signal
import sys
from typing import Any

from tui_ipc import FileDescriptor, Receiver, Sender, SharedMemory, channel
from tui_ipc.child import serve


def answer(message: Any) -> Any:
    """Use what came, and say what it was; plain values come back as they are."""
    match message:
        case {"exit": int(code)}:
            sys.exit(code)
        case {"signal": int(number)}:
            os.kill(os.getpid(), number)
        case {"stop": _}:
            os.kill(os.getpid(), signal.SIGSTOP)
        case {"terminals": _}:
            return [os.isatty(descriptor) for descriptor in range(3)]
        case {"send": Sender() as sender, **rest}:
            with sender:
                sender.send(rest)
        case {"receive": Receiver() as receiver}:
            with receiver:
                return list(receiver)
        case {"call me": Sender() as sender}:
            to_me, from_you = channel()
            with sender, from_you:
                sender.send({"here": to_me}, move=True)
                return from_you.recv(timeout=20)
        case {"memory": SharedMemory() as memory}:
            with memory:
                return bytes(memory.view)
        case {"file": FileDescriptor() as file}:
            with file:
                os.write(file.fileno(), b"written by the child")
    return message if not isinstance(message, dict) else {"kind": sorted(message)}


serve(answer)
