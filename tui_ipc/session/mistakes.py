"""What bytes that are not a message look like: usual mistakes of whoever writes a child, with remedies."""

import re
from typing import Final

from tui_ipc.events import Fault
from tui_ipc.ipc.errors import ProtocolError
from tui_ipc.ipc.wire import RECEIVER, SENDER, SHARED_MEMORY
from tui_ipc.session.unfinished import MAX_EXAMINED
from tui_ipc.text.notation import render_value
from tui_ipc.text.units import format_count

MAX_SHOWN: Final = 16  # bytes

_SEE: Final = "PROTOCOL.md, section 13, says what to tell your library"
_NO_PREFIX: Final = "messages follow each other with nothing between them: leave it out"

_TEXT_PROTOCOLS: Final = (
    (
        rb"\s*[{\[]",
        "JSON, whose first byte is the number {first}",
        "pack the same value with a msgpack library",
    ),
    (
        rb"\xef\xbb\xbf",
        "text with a byte order mark",
        "write msgpack, as bytes and not through a text encoding",
    ),
    (rb"(?i)content-length:", "a Content-Length header, as JSON-RPC of language servers has it", _NO_PREFIX),
    (rb"[A-Z]{3,7} \S* HTTP/|HTTP/1", "HTTP", "connect a plain Unix socket, without an HTTP library"),
    (rb"\x16\x03[\x00-\x04]", "TLS", "connect a plain Unix socket, without encryption"),
    (rb"\x80[\x02-\x05]", "Python's pickle", "pack messages with msgpack, or use tui_ipc.connect()"),
    (rb"[\xa1-\xb7]gtui-ipc", "CBOR, which is another format", "use a msgpack library"),
    (rb"[ -~\t]+\r?\n|[ -~\t]{4}", "plain text", "send even a text as msgpack; print for people on stdout"),
)
"""What data begin with, what that is, and what to do instead."""

_MAX_FAULTY_BYTES: Final = 64 * 1024  # of a message that broke the protocol, in its event
_AROUND_FAULT: Final = 32  # bytes before the wrong one, and as many from it on
_INTEGER_SIZES: Final = (4, 2, 8, 1)


def quote_bytes(data: bytes) -> str:
    """Quote the first bytes, in hexadecimal and as text: ``7b 22 69 64 … '{"id…'``."""
    shown, more = data[:MAX_SHOWN], "…" if len(data) > MAX_SHOWN else ""
    text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in shown)
    return f"{shown.hex(' ')}{more and f' {more}'} ({text}{more})"


def explain_first_bytes(data: bytes) -> str:
    """Explain what the first bytes of a child are that are not its hello; empty if that is not known.

    Args:
        data: The bytes, as many as have come, from the first one on.

    Returns:
        Sentences: the guess, and the remedy.
    """
    looks_like, remedy = _recognise(data)
    if not looks_like:
        return ""
    return f"That looks like {looks_like}: {remedy}. {_SEE}."


def _recognise(data: bytes) -> tuple[str, str]:
    prefix = _find_length_prefix(data)
    if prefix:
        return prefix, _NO_PREFIX
    if b"\xc4\x07tui-ipc" in data[:32]:
        return "a hello whose texts are sent as bytes (bin)", "have the library send text as str"
    if data[:1] and (0x91 <= data[0] <= 0x9F or data[0] == 0xDC):
        return "a struct that is sent as a list of its values", "have the library send it as a map with names"
    if re.match(rb"(?:[\xa1-\xbf]|\xd9.|\xda..)\s*[{\[]", data, re.DOTALL):
        return "a text that holds JSON", "pack the map itself, not its JSON"
    for pattern, looks_like, remedy in _TEXT_PROTOCOLS:
        if re.match(pattern, data, re.DOTALL):
            return looks_like.format(first=data[0]), remedy
    return "", ""


def _find_length_prefix(data: bytes) -> str:
    """A number before something that may be a hello, if the number is its length."""
    for size in _INTEGER_SIZES:
        rest = data[size:]
        if not rest or not re.match(rb"[\x81-\x8f\xde\xdf{\x80]", rest):
            continue
        for order, name in (("big", "big-endian"), ("little", "little-endian")):
            length = int.from_bytes(data[:size], order)  # type: ignore[arg-type]  # one of the two
            if length and length in (len(rest), len(data)):
                how = "" if size == 1 else f", {name}"
                return f"a length of {size} byte{'s' if size > 1 else ''} ({length}{how}) before the hello"
    return ""


_FAULTS: Final = (
    (
        "is not UTF-8",
        "Bytes that are not text must be sent as bin, which many libraries do only if asked to; {see}.",
    ),
    (
        "unknown ext type",
        "An ext type of the library's own: have it send plain maps, lists, text and bytes; {see}.",
    ),
    (
        "but 0 came with its message",
        (
            "A descriptor travels with sendmsg and SCM_RIGHTS, and not through a proxy, ssh or a pipe: a "
            "child that cannot send any leaves to_child and from_child out of its hello (inline mode), and "
            "sends no handles."
        ),
    ),
    (
        "0xc1 is not the first byte",
        "Usually a length or a count before it is wrong, so that the rest is read as a message.",
    ),
)


def explain_fault(text: str) -> str:
    """Explain what usually causes an error in what a child sent; empty if that is not known."""
    if text.endswith("(at byte 0)"):
        return ""  # nothing came before it that could be wrong
    return next((cause.format(see=_SEE) for sign, cause in _FAULTS if sign in text), "")


def find_bad_text(data: bytes) -> int | None:
    """Find the first byte that is not UTF-8 in a text of a message; None if none is near its beginning."""
    from tui_ipc.text.msgpack_index import Token, read_token  # most sessions have no such message

    offset = 0
    while offset < min(len(data), MAX_EXAMINED):
        token = read_token(data, offset)
        if not isinstance(token, Token):
            return None
        if token.family == "str":
            try:
                data[token.payload_start : token.end].decode()
            except UnicodeDecodeError as error:
                return token.payload_start + error.start
        offset = token.end
    return None


_SHOWN_AROUND: Final = 8  # bytes before the wrong one, and after it


def describe_fault_bytes(fault: Fault) -> str:
    """Describe the bytes of a fault: the wrong one in brackets among others; empty if there are none."""
    if fault.byte is None or fault.around_offset is None:
        return quote_bytes(fault.received) if fault.received else ""
    index = fault.byte - fault.around_offset
    before = fault.around[max(0, index - _SHOWN_AROUND) : index].hex(" ")
    after = fault.around[index + 1 : index + 1 + _SHOWN_AROUND].hex(" ")
    wrong = f"[{fault.around[index : index + 1].hex()}]"
    where = "" if fault.message_byte is None else f", byte {format_count(fault.message_byte)} of its message"
    return f"{' '.join(filter(None, (before, wrong, after)))}{where}"


_HANDLE: Final = re.compile(r"handle (\d+)(?=: )|a handle(?= names descriptor (\d+))")


def describe_limit(error: BaseException) -> str:
    """Describe an error; a limit to raise is named as on the command line, a handle by its key."""
    text = str(error).replace("raise it with max_message_size", "raise it with --max-message-size")
    handle = _HANDLE.match(text)
    if handle is not None and isinstance(error, ProtocolError):
        key = _find_handle_key(error.received, int(handle[1] or handle[2]))
        text = text if key is None else f"the handle under {render_value(key)}{text[handle.end() :]}"
    return text


def _find_handle_key(data: bytes, index: int) -> str | None:
    """Find the key of the map entry whose value is the handle of a descriptor; None if there is none."""
    from tui_ipc.text.msgpack_index import MsgpackIndex, Token  # most sessions have no such message

    contents = MsgpackIndex(data[:MAX_EXAMINED])
    contents.advance(MAX_EXAMINED)
    maps: set[tuple[int, ...]] = set()
    before = Token(0, 0, 0, "nil", "nil")
    for token, path in contents.tokens(0):
        if token.family == "map":
            maps.add(path)
        payload = token.payload_start
        is_handle = token.family == "ext" and data[payload - 1] in (SENDER, RECEIVER, SHARED_MEMORY)
        if is_handle and data[payload : payload + 1] == bytes([index]):
            is_entry = path[:-1] in maps and path[-1] % 2 and before.family == "str"
            return None if not is_entry else data[before.payload_start : before.end].decode(errors="replace")
        before = token
    return None


def make_fault(
    at: int,
    run: int,
    sentence: str,
    error: BaseException | None = None,
    received: bytes = b"",
    *,
    ends_channel: bool,
    channel: int = 0,
) -> Fault:
    """Make the event of something that could not be received, with the bytes around what is wrong.

    Args:
        at: When.
        run: The run's number.
        sentence: What is wrong.
        error: What was raised; a ProtocolError knows the bytes.
        received: What came of the message, where the error does not know it.
        ends_channel: Whether the channel is of no more use.
        channel: Its number.
    """
    byte, around, around_offset, index = None, b"", None, None
    if isinstance(error, ProtocolError) and error.offset is not None:
        byte, received = error.offset, error.received
        index = byte - error.received_offset  # of the wrong byte in its message
        if index == 0 and (bad_text := find_bad_text(received)):
            index, byte = bad_text, byte + bad_text  # msgpack tells of the message only
        start = max(0, index - _AROUND_FAULT)
        around = received[start : index + _AROUND_FAULT] if index >= 0 else b""
        around_offset = error.received_offset + start if around else None
    return Fault(
        at=at,
        run=run,
        sentence=f"{sentence}. {cause}" if (cause := explain_fault(sentence)) else sentence,
        byte=byte,
        ends_channel=ends_channel,
        received=received[:_MAX_FAULTY_BYTES],
        around=around,
        around_offset=around_offset,
        channel=channel,
        message_byte=index if around else None,
    )
