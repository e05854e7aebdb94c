"""The kinds of events in a recording: all of them, as documented."""

import dataclasses
import re
from importlib.resources import files
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from tests.support.event_strategies import EVENTS_BY_KIND, texts
from tui_ipc import events as ev
from tui_ipc.recording.codec import CLOCK_KIND, END_KIND
from tui_ipc.recording.event_schema import SCHEMAS, EventSchema, to_encodable

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
    return required + (f" [{optional}]" if optional else "")


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
