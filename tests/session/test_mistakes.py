"""Bytes that are not a message, as the usual mistakes make them, are named with a remedy."""

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.misbehaving.rows import HELLO
from tui_ipc.events import Fault
from tui_ipc.ipc.errors import ProtocolError
from tui_ipc.ipc.wire import encode
from tui_ipc.session.mistakes import (
    describe_fault_bytes,
    describe_limit,
    explain_fault,
    explain_first_bytes,
    find_bad_text,
    quote_bytes,
)

FIELDS = {"tui-ipc": 1, "pid": 7, "name": "by-hand"}
SIZE = len(HELLO)


@pytest.mark.parametrize(
    ("data", "guess"),
    [
        (json.dumps(FIELDS).encode(), "JSON, whose first byte is the number 123: pack the same value"),
        (b"[1, 2]\n", "JSON, whose first byte is the number 91"),
        (encode(json.dumps(FIELDS)), "a text that holds JSON: pack the map itself"),
        (SIZE.to_bytes(4, "big") + HELLO, f"a length of 4 bytes ({SIZE}, big-endian) before the hello"),
        (SIZE.to_bytes(4, "little") + HELLO, f"a length of 4 bytes ({SIZE}, little-endian) before the hello"),
        (SIZE.to_bytes(8, "little") + HELLO, f"a length of 8 bytes ({SIZE}, little-endian) before the hello"),
        (SIZE.to_bytes(2, "big") + HELLO, f"a length of 2 bytes ({SIZE}, big-endian) before the hello"),
        (bytes([SIZE]) + HELLO, f"a length of 1 byte ({SIZE}) before the hello"),
        (b"\0\0\0\x0f" + b'{"tui-ipc": 1}\n', "a length of 4 bytes (15, big-endian) before the hello"),
        (b'Content-Length: 14\r\n\r\n{"tui-ipc": 1}', "a Content-Length header"),
        (b"GET /socket HTTP/1.1\r\nHost: localhost\r\n", "HTTP: connect a plain Unix socket"),
        (b"HTTP/1.1 200 OK\r\n", "HTTP"),
        (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", "TLS: connect a plain Unix socket"),
        (b"\xef\xbb\xbf" + HELLO, "text with a byte order mark"),
        (pickle.dumps(FIELDS), "Python's pickle"),
        (b"\xa3gtui-ipc\x01cpid\x07", "CBOR"),
        (b"hello world\n", "plain text: send even a text as msgpack"),
        (
            encode({key.encode(): item for key, item in FIELDS.items()}),
            "a hello whose texts are sent as bytes",
        ),
        (encode(list(FIELDS.values())), "a struct that is sent as a list of its values"),
    ],
)
def test_first_bytes_that_are_a_usual_mistake_are_named(data: bytes, guess: str) -> None:
    """With what to do instead, and where to read on."""
    found = explain_first_bytes(data)
    assert found.startswith(f"That looks like {guess}")
    assert found.endswith("PROTOCOL.md, section 13, says what to tell your library.")


@pytest.mark.parametrize("data", [b"", HELLO, HELLO[:9], b"\xc1\0\0", b"\x83\xa7tui-ipc\x02", b"\0\0\0\0"])
def test_of_other_bytes_nothing_is_guessed(data: bytes) -> None:
    """A hello that is wrong in other ways, and what is like nothing known."""
    assert not explain_first_bytes(data)


@given(st.binary(max_size=64))
def test_any_bytes_can_be_explained_and_quoted(data: bytes) -> None:
    """What is quoted is safe to print."""
    explain_first_bytes(data)
    assert quote_bytes(data).replace("…", "").isascii()
    assert quote_bytes(data).isprintable()


def test_bytes_are_quoted_in_hexadecimal_and_as_text() -> None:
    """16 of them."""
    assert quote_bytes(b"GET / HTTP/1.1\r\n") == (
        "47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a (GET / HTTP/1.1..)"
    )
    assert quote_bytes(bytes(17)) == f"{bytes(16).hex(' ')} … ({'.' * 16}…)"


def test_faults_that_libraries_cause_are_explained() -> None:
    """By the text of the error; others are not."""
    assert "sent as bin" in explain_fault("a str is not UTF-8: invalid start byte (at byte 28)")
    assert "plain maps" in explain_fault("unknown ext type 114 (at byte 28)")
    assert "SCM_RIGHTS" in explain_fault(
        "a handle names descriptor 0, but 0 came with its message (at byte 2)"
    )
    assert not explain_fault("a handle names descriptor 1, but 1 came with its message (at byte 2)")


@pytest.mark.parametrize(
    ("message", "text", "described"),
    [
        (
            b"\x82\xa1a\x01\xa8to_child\xd4\x01\x00",
            "handle 0: it is bad",
            'the handle under "to_child": it is bad',
        ),
        (
            b"\x82\xa1a\xd4\x01\x01\xa1b\xd4\x02\x00",
            "a handle names descriptor 0, but 0 came",
            'the handle under "b" names descriptor 0, but 0 came',
        ),
        (b"\x92\xa1a\xd4\x01\x00", "handle 0: it is bad", "handle 0: it is bad"),
        (b"\x81\xd4\x01\x00\xa1a", "handle 0: it is bad", "handle 0: it is bad"),
        (b"\x91\xd4\x05\x00", "handle 0: it is bad", "handle 0: it is bad"),
        (b"", "handle 0: it is bad", "handle 0: it is bad"),
    ],
)
def test_a_handle_is_named_by_its_key(message: bytes, text: str, described: str) -> None:
    """Where it is the value of an entry of a map; else by its number in the message."""
    error = ProtocolError(text)
    error.received = message
    assert describe_limit(error) == described


def test_the_byte_that_breaks_a_text_is_found() -> None:
    """Also where the message is cut off after it, or broken."""
    message = b"\x82\xa2id\x01\xa4data\xa3a\xff\xfe"
    assert find_bad_text(message) == message.index(0xFF)
    assert find_bad_text(message + b"\xc1") == message.index(0xFF)
    assert find_bad_text(message[:-3]) is None
    assert find_bad_text(encode("ä" * 5000)) is None


def test_the_wrong_byte_of_a_fault_is_shown_among_those_around_it() -> None:
    """With its place in the message; what no byte is named of, is shown from its beginning."""
    around = bytes(range(16, 48))
    fault = Fault(at=1, run=1, sentence="x", byte=120, around=around, around_offset=100, message_byte=1020)
    assert describe_fault_bytes(fault) == (
        "1c 1d 1e 1f 20 21 22 23 [24] 25 26 27 28 29 2a 2b 2c, byte 1 020 of its message"
    )
    assert describe_fault_bytes(Fault(at=1, run=1, sentence="x", received=b"\xa9ab")) == "a9 61 62 (.ab)"
    assert not describe_fault_bytes(Fault(at=1, run=1, sentence="x"))
