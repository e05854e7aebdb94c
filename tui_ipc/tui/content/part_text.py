"""A part of a message's bytes in words: what msgpack calls it, how long it is, what it says."""

from typing import Final

from tui_ipc.ipc.errors import IpcError
from tui_ipc.ipc.wire import LARGE, RECEIVER, SENDER, SHARED_MEMORY
from tui_ipc.session import notation
from tui_ipc.session.anatomy import Part
from tui_ipc.session.rebuilding import rebuilt
from tui_ipc.session.units import count, plural
from tui_ipc.tui.content.line import Span
from tui_ipc.tui.content.sanitize import visible

BRIEF: Final = 24
"""Bytes of a scalar that are shown where there is little room."""

_PAINTS: Final = {"str": "string", "bin": "string", "int": "number", "float": "number", "ext": "note"}
_EXT_TYPES: Final = {
    SENDER: "a sender",
    RECEIVER: "a receiver",
    SHARED_MEMORY: "a shared memory",
    LARGE: "a large message, announced",
    0xFF: "a time stamp",
}


def described(part: Part, data: bytes) -> str:
    """What a part is, with its sizes: ``str 8, 12 bytes behind a header of 2``."""
    header, body = part.payload - part.start, part.end - part.payload
    match part.family:
        case "map":
            return f"{part.kind}, {plural(part.items, 'pair')}, header of {plural(header, 'byte')}"
        case "array":
            return f"{part.kind}, {plural(part.items, 'item')}, header of {plural(header, 'byte')}"
        case "ext":
            kind = data[part.payload - 1]
            known = f" ({_EXT_TYPES[kind]})" if kind in _EXT_TYPES else ""
            return f"{part.kind}, type {kind}{known}, {plural(body, 'byte')} behind a header of {header}"
        case _ if body:
            return f"{part.kind}, {plural(body, 'byte')} behind a header of {header}"
        case _:
            return f"{part.kind}, {plural(header, 'byte')}"


def brief(part: Part, data: bytes) -> Span:
    """What a part says, in few cells."""
    match part.family:
        case "map" | "array":
            return Span(f"{part.family} {count(part.items)}", "key")
        case "str":
            start = data[part.payload : min(part.end, part.payload + BRIEF)]
            more = "…" if part.end - part.payload > BRIEF else ""
            return Span(visible(notation.render(start.decode(errors="replace"))) + more, "string")
        case "bin" if part.end - part.payload > BRIEF // 4:
            return Span(f"binary {count(part.end - part.payload)}", "string")
        case family:
            return Span(_value(part, data), _PAINTS.get(family, "constant"))


def _value(part: Part, data: bytes) -> str:
    """A short scalar in the notation; what cannot be built by the name of its format."""
    try:
        return visible(notation.render(rebuilt(data[part.start : part.end]), 2 * BRIEF))
    except IpcError:
        return part.kind


def role(part: Part, offset: int) -> str:
    """What a byte does in its part."""
    if offset >= part.payload:
        return f"content, byte {count(offset - part.payload)} of {count(part.end - part.payload)}"
    if part.end - part.start == 1:
        return "kind and content in one"
    if offset == part.start:
        return "header: the kind"
    return "header: the type" if part.family == "ext" and offset == part.payload - 1 else "header: the length"
