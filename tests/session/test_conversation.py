"""What passes between a session and a real child: which message answers which, and faults."""

import pytest

from tests.support.sessions import EventCollector, child, run_session, single_event
from tui_ipc import events as ev
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import Session


def answers(match: str | None) -> list[tuple[object, int | None, bool]]:
    """Every message of a child that answers out of order: value, what it answers, whether that took time."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        for number in (1, 2):
            await session.send({"id": number})
        await watch.until(ev.MessageReceived, lambda event: event.number == 4)

    events = run_session(child("answers_by_id"), act, match=match)
    received = (event for event in events if isinstance(event, ev.MessageReceived))
    return [(event.value, event.answers, event.elapsed is not None) for event in received]


def test_by_a_key_path_answers_find_their_messages_in_any_order() -> None:
    """A second answer and a message without the key are unasked."""
    assert answers("id") == [
        ({"id": 2}, 2, True),
        ({"note": "unasked"}, None, False),
        ({"id": 2}, None, False),
        ({"id": 1}, 1, True),
    ]


def test_without_a_key_path_answers_are_matched_in_order() -> None:
    """Whatever they say."""
    assert [number for _, number, _ in answers(None)] == [1, 2, None, None]


@pytest.mark.parametrize("path", ["", ".", "header..id"])
def test_a_session_refuses_an_empty_key_path(path: str) -> None:
    """At once, not with its first message."""
    with pytest.raises(ValueError, match="the key path"):
        SessionOptions(match=path)


def test_a_fault_names_the_byte_of_an_inline_childs_stream() -> None:
    """Counted from the first byte of its hello on."""
    garbage = child("breaks_the_wire", "garbage")
    fault = single_event(run_session(garbage, lambda _, watch: watch.until(ev.Fault), grace=0.1), ev.Fault)
    hello = len(b"\x83\xa7tui-ipc\x01\xa3pid\xce....\xa4name\xa7by-hand")
    message_size = len(b"\xd9\x0eso far so good")
    assert fault.byte == hello + message_size
    assert f"at byte {fault.byte}" in fault.sentence
    assert fault.received[:1] == fault.around[:1] == b"\xc1"
    assert fault.around_offset == fault.byte


def test_of_an_unfinished_message_no_byte_is_at_fault() -> None:
    """The next one is missing; how many there are is in the sentence."""
    events = run_session(child("breaks_the_wire", "cut off"), lambda _, watch: watch.until(ev.ChildExited))
    fault = single_event(events, ev.Fault)
    assert fault.byte is None
    assert "10" in fault.sentence
    assert len(fault.received) == 10


def test_a_text_that_is_not_utf_8_is_found_in_its_message() -> None:
    """Its byte is counted in the stream and in the message."""
    hello = b"\x83\xa7tui-ipc\x01\xa3pid\x07\xa4name\xa7by-hand"
    message = b"\x82\xa2id\x01\xa4data\xa3a\xff\xfe"
    command = child("sends_bytes", (hello + message).hex())
    fault = single_event(run_session(command, lambda _, watch: watch.until(ev.Fault), grace=0.1), ev.Fault)
    assert fault.message_byte == message.index(0xFF)
    assert fault.byte == len(hello) + fault.message_byte
    assert fault.around_offset is not None
    assert fault.around[fault.byte - fault.around_offset] == 0xFF
