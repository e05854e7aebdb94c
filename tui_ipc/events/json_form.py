"""Events as lines of JSON, for programs that read what happened. Pure.

A line has everything that the event has, and no value is changed to fit into JSON. What JSON cannot hold
exactly is not in ``value``, but in ``text`` in the notation and in ``raw`` as bytes.
"""

import json
import math
import re
from dataclasses import fields
from typing import Any, Final, assert_never

from tui_ipc import events as ev
from tui_ipc.text.notation import render_value

SCHEMA_VERSION: Final = 1
"""The version of what a line holds: raised when a member changes its meaning or goes; not when one comes."""

MAX_VALUE_DEPTH: Final = 64
"""How deeply a ``value`` nests at most: readers of JSON recurse, and most have a limit."""

MAX_VALUES: Final = 100_000
"""How many values a ``value`` holds at most: writing more keeps signals and deadlines waiting."""

MAX_TEXT: Final = 256 * 1024
"""About how many characters a ``text`` has at most; 64 MiB of small values would take minutes to write."""

_CHARACTERS_PER_VALUE: Final = 256  # of a string; so many take as long to write as one value
_WORD_BEGINS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def format_line(event: ev.AnyEvent, time: str | None = None) -> str:
    """Format an event as one line of JSON, in ASCII and without its end: it cannot steer a terminal.

    Args:
        event: The event.
        time: When it happened by the wall clock; the member ``time``, which is left out for None.
    """
    members = list_members(event) if time is None else list_members(event) | {"time": time}
    return json.dumps(members, ensure_ascii=True, allow_nan=False)


def list_members(event: ev.AnyEvent) -> dict[str, Any]:
    r"""List the members that an event has in JSON.

    Every event has ``schema``, ``event`` (its kind, such as ``message-received``), ``at`` and ``run``, and
    those of its own under their names, with these exceptions:

    * A message: ``text`` is its value in the notation, cut after :data:`MAX_TEXT` characters; ``value`` is
      the value itself, and missing where JSON cannot hold it exactly (binary, a time stamp, a handle, a key
      that is not a string, not a finite number, nested more than :data:`MAX_VALUE_DEPTH` deep) and where it
      is large (more than :data:`MAX_VALUES`); ``raw`` its bytes in hexadecimal, ``size`` their number.
    * A hello: ``raw`` and ``size`` likewise.
    * Output: ``text`` is the piece as UTF-8, with ``\xNN`` for other bytes; ``raw`` is there only then.
      ``size`` counts its bytes.
    * An audit: ``clean`` is whether nothing was left behind.
    * A step of a script: ``details`` are objects with ``title`` and ``text``.
    """
    made: dict[str, Any] = {"schema": SCHEMA_VERSION, "event": name_kind(event)}
    made |= {field.name: getattr(event, field.name) for field in fields(event)}
    match event:
        case ev.MessageSent() | ev.MessageReceived():
            made |= _bytes_to_json(event.raw) | {"text": render_value(event.value, MAX_TEXT)}
            if not _fits_into_json(event.value):
                del made["value"]
        case ev.HelloReceived():
            made |= _bytes_to_json(event.raw)
        case ev.Fault():
            made |= {"received": event.received.hex(), "around": event.around.hex()}
        case ev.ChildOutput():
            del made["data"]
            made |= _output_to_json(event.data)
        case ev.Audit():
            made["clean"] = event.clean
        case ev.ScriptStep():
            parts = (detail.partition(": ") for detail in event.details)
            made["details"] = [{"title": title, "text": text} for title, _, text in parts]
        case (
            ev.ServerListening()
            | ev.ChildSpawned()
            | ev.ChildConnected()
            | ev.ChannelsOpen()
            | ev.StepLate()
            | ev.ChannelClosed()
            | ev.SignalSent()
            | ev.ChildStopped()
            | ev.ChildContinued()
            | ev.ChildExited()
            | ev.HandshakeFailed()
            | ev.Note()
        ):
            pass  # their fields are what JSON has
        case _:
            assert_never(event)
    return made


def name_kind(event: ev.AnyEvent) -> str:
    """Return the kind of an event: ``message-received``."""
    return _WORD_BEGINS.sub("-", type(event).__name__).lower()


def _bytes_to_json(data: bytes) -> dict[str, Any]:
    return {"size": len(data), "raw": data.hex()}


def _output_to_json(data: bytes) -> dict[str, Any]:
    try:
        return {"size": len(data), "text": data.decode()}
    except UnicodeDecodeError:
        return _bytes_to_json(data) | {"text": data.decode(errors="backslashreplace")}


def _fits_into_json(value: Any) -> bool:
    """Whether JSON holds a value exactly, and it is soon written. Does not recurse."""
    unseen = [(value, 0)]
    room = MAX_VALUES
    while unseen:
        item, depth = unseen.pop()
        room -= 1
        if isinstance(item, list | tuple | dict):
            if depth == MAX_VALUE_DEPTH or len(item) > room:
                return False
            if isinstance(item, dict):
                if not all(type(key) is str for key in item):
                    return False
                room -= sum(map(len, item)) // _CHARACTERS_PER_VALUE
                item = item.values()
            unseen += ((inner, depth + 1) for inner in item)
        elif type(item) is str:
            room -= len(item) // _CHARACTERS_PER_VALUE
        elif type(item) is float:
            if not math.isfinite(item):
                return False
        elif item is not None and type(item) not in (bool, int):
            return False
        if room < 0:
            return False
    return True
