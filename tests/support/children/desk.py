"""The child of the examples in SCRIPTS.md: it sends messages back, and keeps customers."""

import os

from tui_ipc.child import serve

customers: dict[str, dict[str, object]] = {}


def answer(message: object) -> object:
    match message:
        case {"op": "create", "name": name}:
            customers[str(len(customers) + 7)] = {"name": name, "born": None}
            return {"id": 7, "score": 0.1 + 0.2, "tags": ["c", "b", "a"], "hex": f"{os.getpid():08x}"}
        case {"op": "list"}:
            return {"users": customers}
        case {"op": _}:
            return {"error": "no such operation"}
        case {"customer": customer, **rest}:
            return {"customer": customer, **rest, "id": 7}
    return message


print(f"\x1b[32mlistening on port \x1b[1m{8000 + os.getpid() % 1000}\x1b[0m", flush=True)
serve(answer)
