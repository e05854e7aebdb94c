"""The kinds of events in a recording: all of them, as documented."""

import dataclasses
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.event_strategies import EVENTS_BY_KIND, any_event, texts
from tests.support.fuzz_recordings import EDGE_VALUES
from tests.support.message_strategies import same
from tui_ipc import events as ev
from tui_ipc.recording.codec import CLOCK_KIND, END_KIND
from tui_ipc.recording.event_schema import SCHEMAS, EventSchema, FieldError, to_encodable
from tui_ipc.recording.reader import open_recording

DOCUMENT = files("tui_ipc").joinpath("docs/RECORDING.md").read_text(encoding="utf-8")


def test_no_kind_of_event_and_no_field_is_forgotten() -> None:
    kinds = set(get_args(ev.AnyEvent))
    assert {schema.event for schema in SCHEMAS.values()} == kinds == set(EVENTS_BY_KIND)
    for schema in SCHEMAS.values():
        derived = {"value"} if schema.event is ev.MessageReceived else set()
        assert {field.name for field in dataclasses.fields(schema.event)} == {*schema.names} | derived


def test_no_two_kinds_of_event_have_one_number() -> None:
    numbers = [event.KIND for event in get_args(ev.AnyEvent)]
    assert sorted(numbers) == sorted({*numbers} - {CLOCK_KIND, END_KIND})


def test_the_document_lists_every_kind_with_its_fields() -> None:
    rows = re.findall(r"^\| (\d+) \| (\w+) \| ?(.*?) ?\|$", DOCUMENT, re.MULTILINE)
    assert [(int(kind), name, fields) for kind, name, fields in rows] == [
        (kind, schema.event.__name__, list_fields(schema)) for kind, schema in SCHEMAS.items()
    ]


def list_fields(schema: EventSchema) -> str:
    """The fields of a kind as the document has them: in brackets what may be absent at the end."""
    required = ", ".join(schema.names[2 : schema.required])
    optional = ", ".join(schema.names[schema.required :])
    return " ".join(filter(None, (required, f"[{optional}]" if optional else "")))


def read_or_refuse(schema: EventSchema, values: list[Any], *, slowly: bool) -> ev.AnyEvent | str:
    """What one of the two readers makes of an array: an event or the sentence of its refusal."""
    try:
        return schema.read_slowly(values) if slowly else schema.read(values)
    except FieldError as error:
        return str(error)


@pytest.mark.parametrize("kind", [kind for kind in SCHEMAS if not SCHEMAS[kind].event.ONCE_A_RUN])
def test_both_readers_of_a_kind_agree_on_every_field(kind: int) -> None:
    """Whatever the file has in place of one field, or in place of all from one on."""
    schema = SCHEMAS[kind]
    golden = next(event for event in read_golden_events() if kind == event.KIND)
    optional = [field.default for field in dataclasses.fields(schema.event)][len(schema.write(golden)) - 1 :]
    full = [read_back(value) for value in (*schema.write(golden), *optional)]
    for index in range(1, len(full)):
        for value in EDGE_VALUES:
            for values in ([*full[:index], value, *full[index + 1 :]], [*full[:index], value], full[:index]):
                fast, slow = (read_or_refuse(schema, values, slowly=slowly) for slowly in (False, True))
                assert same(fast, slow), values


def read_golden_events() -> Iterator[ev.AnyEvent]:
    """Events of every kind."""
    for path in (Path(__file__).parent / "golden").glob("version-2/*.rec"):
        yield from open_recording(str(path)).events()


def read_back(value: Any) -> Any:
    """What is read of a field that was written."""
    return list(map(read_back, value)) if isinstance(value, tuple) else to_encodable(value)


@given(any_event)
def test_both_readers_of_a_kind_agree_on_an_event(event: ev.AnyEvent) -> None:
    schema = SCHEMAS[event.KIND]
    values = [read_back(value) for value in schema.write(event)]
    assert same(schema.read(values), event)
    assert same(schema.read_slowly(values), event)


def test_only_the_messages_and_the_output_are_long() -> None:
    assert {schema.event for schema in SCHEMAS.values() if schema.long_position} == {
        ev.HelloReceived,
        ev.MessageSent,
        ev.MessageReceived,
        ev.ChildOutput,
    }


@given(st.lists(texts))
def test_text_that_utf8_can_express_stays_text(written: list[str]) -> None:
    for text, stored in zip(written, to_encodable(written), strict=True):
        if isinstance(stored, bytes):
            assert any(0xD800 <= ord(character) <= 0xDFFF for character in text)
            assert stored.decode("utf-8", "surrogatepass") == text
        else:
            assert stored == text
            stored.encode()
