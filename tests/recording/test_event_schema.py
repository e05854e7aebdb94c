"""The kinds of events in a recording: all of them, as documented."""

import dataclasses
import re
from importlib.resources import files
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from tests.support.event_strategies import EVENTS_BY_KIND, texts
from tui_ipc import events as ev
from tui_ipc.recording.event_schema import SCHEMAS, to_encodable

DOCUMENT = files("tui_ipc").joinpath("docs/RECORDING.md").read_text(encoding="utf-8")


def test_no_kind_of_event_and_no_field_is_forgotten() -> None:
    """Whoever adds one finds out here that recordings need it, and a new version."""
    kinds = set(get_args(ev.AnyEvent))
    assert {layout.event for layout in SCHEMAS.values()} == kinds == set(EVENTS_BY_KIND)
    for layout in SCHEMAS.values():
        derived = {"value"} if layout.event is ev.MessageReceived else set()
        assert {field.name for field in dataclasses.fields(layout.event)} == {*layout.fields} | derived


def test_the_document_lists_every_kind_with_its_fields() -> None:
    rows = re.findall(r"^\| (\d+) \| (\w+) \| ?(.*?) ?\|$", DOCUMENT, re.MULTILINE)
    assert [(int(kind), name, fields.split(", ") if fields else []) for kind, name, fields in rows] == [
        (kind, layout.event.__name__, [*layout.fields][2:]) for kind, layout in SCHEMAS.items()
    ]


def test_only_the_messages_and_the_output_are_long() -> None:
    assert {layout.event for layout in SCHEMAS.values() if layout.long} == {
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
