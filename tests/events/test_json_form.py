"""Events as lines of JSON."""

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given

from tests.support.event_strategies import EVENTS_BY_KIND, any_event
from tui_ipc import events as ev
from tui_ipc.events.json_form import (
    MAX_TEXT,
    MAX_VALUE_DEPTH,
    MAX_VALUES,
    SCHEMA_VERSION,
    format_line,
    list_members,
    name_kind,
)
from tui_ipc.events.message_values import RecordedHandle
from tui_ipc.ipc.wire import encode
from tui_ipc.text.notation import render_value


def received(value: Any) -> ev.MessageReceived:
    return ev.MessageReceived(at=5, run=1, number=2, value=value, raw=b"\x01\xff", answers=1, elapsed=61)


def test_every_kind_of_event_is_known() -> None:
    """Those that the property below walks through are all that there are."""
    assert set(EVENTS_BY_KIND) == set(get_args(ev.AnyEvent))


@given(event=any_event)
def test_a_line_has_everything_and_cannot_steer_a_terminal(event: ev.AnyEvent) -> None:
    """One line of visible ASCII and strict JSON, with each field under its name, or what replaces it."""
    text = format_line(event)
    assert text.isascii()
    assert text.isprintable()
    made = json.loads(text, parse_constant=pytest.fail)
    assert (made["schema"], made["event"]) == (SCHEMA_VERSION, name_kind(event))
    for field in dataclasses.fields(event):
        content = getattr(event, field.name)
        match field.name:
            case "raw":
                assert (bytes.fromhex(made["raw"]), made["size"]) == (content, len(content))
            case "received" | "around":
                assert bytes.fromhex(made[field.name]) == content
            case "data":
                left = bytes.fromhex(made["raw"]) if "raw" in made else made["text"].encode()
                assert (left, made["size"]) == (content, len(content))
            case "value":
                assert made["text"] == render_value(content)
                assert render_value(made.get("value", content)) == made["text"]
            case "details":
                parts = [detail.partition(": ") for detail in content]
                assert made["details"] == [{"title": title, "text": text} for title, _, text in parts]
            case _:
                assert made[field.name] == (list(content) if isinstance(content, tuple) else content)


def test_a_message() -> None:
    """All of it, once."""
    assert format_line(received({"a": [1, None, "é"]})) == (
        '{"schema": 1, "event": "message-received", "at": 5, "run": 1, "number": 2, '
        '"answers": 1, "elapsed": 61, "value": {"a": [1, null, "\\u00e9"]}, "raw": "01ff", "channel": 0, '
        '"size": 2, "text": "{\\"a\\": [1, null, \\"\\u00e9\\"]}"}'
    )


def nested(depth: int) -> Any:
    """A one in so many lists."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        b"x",
        {"a": b"x"},
        [float("nan")],
        float("-inf"),
        {1: 2},
        datetime(2026, 11, 24, tzinfo=UTC),
        RecordedHandle(1),
        nested(MAX_VALUE_DEPTH + 1),
        nested(1000),
    ],
)
def test_a_value_that_json_cannot_hold_is_left_out(value: Any) -> None:
    """There is no ``value``, and there are its text and its bytes."""
    made = list_members(received(value))
    assert "value" not in made
    assert (made["text"], made["raw"]) == (render_value(value), "01ff")
    assert json.loads(format_line(received(value)))


@pytest.mark.parametrize("value", [None, 0, 2**64 - 1, 0.1, "\x7f\x1b", [], {}, nested(MAX_VALUE_DEPTH)])
def test_a_value_that_json_can_hold_is_there(value: Any) -> None:
    """Nothing is a value too."""
    event = ev.MessageSent(at=0, run=1, number=1, value=value, raw=encode(value))
    made = json.loads(format_line(event))
    assert "value" in made
    assert made["value"] == value
    assert type(made["value"]) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        [None] * (MAX_VALUES + 1),
        {str(number): [0] * 1000 for number in range(MAX_VALUES // 1000 + 1)},
        ["x" * 256 * 60_000] * 2,
        {"x" * 256 * (MAX_VALUES + 1): 1},
    ],
)
def test_what_would_take_long_to_write_is_cut(value: Any) -> None:
    """The text ends with the size of the whole, the value is left out, and the bytes are whole."""
    made = list_members(received(value))
    assert "value" not in made
    assert made["text"] == render_value(value, MAX_TEXT)
    assert len(made["text"]) < MAX_TEXT + 100
    assert made["raw"] == "01ff"


def test_a_large_value_below_the_limit_is_whole() -> None:
    """As many values as may be are written; the list itself is one."""
    value = [0] * (MAX_VALUES - 1)
    assert list_members(received(value))["value"] == value
    assert list_members(received("x" * MAX_TEXT))["value"] == "x" * MAX_TEXT


def test_output() -> None:
    """Text if it is text; else its bytes as well."""

    def printed(data: bytes) -> dict[str, Any]:
        made = list_members(ev.ChildOutput(at=0, run=1, stream="stdout", data=data))
        return {name: made[name] for name in made if name in ("text", "raw", "size")}

    assert printed("é\n".encode()) == {"size": 3, "text": "é\n"}
    assert printed(b"\xff\n") == {"size": 2, "text": "\\xff\n", "raw": "ff0a"}


def test_an_audit_is_clean_or_not() -> None:
    """Programs need not know what counts."""
    audit = ev.Audit(at=0, run=1, processes=(), files=(), unread=0, quit_elapsed=None)
    assert list_members(audit)["clean"] is True
    assert list_members(dataclasses.replace(audit, held=("stdout",)))["clean"] is False
