"""The child of the corpus: it prints, answers, sends unasked, and ends as it is told to."""

import os
import signal
import sys

from tui_ipc.child import serve

print("ready 1 of 1", flush=True)
print("careful: /tmp", file=sys.stderr, flush=True)
signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b"signalled\n"))


def answer(message: object) -> object:
    match message:
        case {"op": "add", "a": int(a), "b": int(b)}:
            return {"op": "add", "result": a + b, "id": 17, "more": {"x": [1, 2, 3, 4]}}
        case {"op": "again", "id": number}:
            return [number, "text / with a slash", None, True, 1.5, b"\x00\xff"]
        case "exit":
            os._exit(3)
        case "abort":
            os.kill(os.getpid(), signal.SIGKILL)
        case "print":
            print("printed: 100%", flush=True)
    return message


serve(answer)
