"""PROTOCOL.md is true: its examples are what the wire does, byte by byte, and its children run as printed."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.support.fd_ledger import Ledger, Paper, descriptors_in
from tests.support.message_strategies import arrived, same
from tests.support.threads import PATIENCE
from tui_ipc import OneShotServer, Receiver, Sender
from tui_ipc.ipc import meeting_place, wire
from tui_ipc.ipc.builder import NOTHING
from tui_ipc.ipc.channel import answering
from tui_ipc.ipc.decoder import StreamDecoder
from tui_ipc.ipc.hello import PROTOCOL_VERSION, QUIT, SERVER_NAME_ARGUMENT, SERVER_NAME_VARIABLE

DOCUMENT = files("tui_ipc").joinpath("docs/PROTOCOL.md").read_text(encoding="utf-8")
LINE = re.compile(r"(?P<bytes>[0-9a-f]{2}( [0-9a-f]{2})*) {2,}\S")


def blocks(kind: str) -> list[tuple[str, str]]:
    """The fenced blocks of a kind: what follows it on the opening line, and the content."""
    return re.findall(rf"^```{kind} ?(.*)\n((?:.*\n)*?)```$", DOCUMENT, re.MULTILINE)


EXAMPLES = [content.splitlines() for _, content in blocks("wire")]
CHILDREN = dict(blocks("python"))
on_each_example = pytest.mark.parametrize("example", EXAMPLES, ids=[example[0] for example in EXAMPLES])


def bytes_of(example: list[str]) -> bytes:
    """The bytes that an example shows, line by line with an explanation each."""
    found = b""
    for line in example[1:]:
        match = LINE.match(line)
        assert match, f"neither bytes nor explanation: {line!r}"
        found += bytes.fromhex(match["bytes"])
    return found


def value_of(example: list[str]) -> Any:
    """The value that an example states, its handles on paper; several values are a tuple."""
    known: dict[tuple[int, int], Paper] = {}

    def handle(kind: int, index: int, rest: bytes = b"") -> Paper:
        return known.setdefault((kind, index), Paper(Ledger(), kind, index, rest))

    names = {
        "UTC": UTC,
        "datetime": datetime,
        "large": lambda size, number=None, head=b"": wire.Large(
            size, [0] if number in (None, wire.OFFERED) else [], number, head
        ),
        "sender": lambda index: handle(wire.SENDER, index),
        "receiver": lambda index: handle(wire.RECEIVER, index),
        "file_descriptor": lambda index: handle(wire.FILE_DESCRIPTOR, index),
        "shared_memory": lambda index, size: handle(wire.SHARED_MEMORY, index, size.to_bytes(8, "big")),
    }
    return eval(example[0], {"__builtins__": {}}, names)


def packed(value: Any) -> bytes:
    if isinstance(value, wire.Large):
        return wire.announce(value.size, value.number, value.head)
    if isinstance(value, tuple):
        return b"".join(map(wire.encode, value))
    return wire.Encoder().pack(value)


@on_each_example
def test_an_example_is_what_is_sent(example: list[str]) -> None:
    """The bytes are those that the library packs."""
    assert bytes_of(example).hex(" ") == packed(value_of(example)).hex(" ")


@on_each_example
def test_an_example_is_what_is_received(example: list[str]) -> None:
    """The bytes are the value that the library makes of them."""
    expected = value_of(example)
    ledger = Ledger()
    decoder = StreamDecoder(ledger.adopt, ledger.discard)
    found = [decoder.decode(bytes_of(example), ledger.fresh(len(descriptors_in(expected))))]
    while decoder.pending:
        found.append(decoder.next())
    found = [value for value in found if value is not NOTHING]
    if isinstance(expected, wire.Large):
        assert found == [expected]
    else:
        assert same(found, arrived(list(expected)) if type(expected) is tuple else [arrived(expected)])


def test_there_are_examples_of_everything() -> None:
    """Handles of each type, both modes' hellos, a large message, time stamps, several values in a row."""
    told = "\n".join(example[0] for example in EXAMPLES)
    for word in (
        "sender(",
        "receiver(",
        "shared_memory(",
        "file_descriptor(",
        "large(",
        "datetime(",
        '"tui-ipc"',
        '"quit"',
        ", [3]",
    ):
        assert word in told
    assert set(CHILDREN) == {"inline.py", "channels.py"}


@pytest.mark.parametrize(
    ("limit", "number"),
    [
        ("bytes of a short message", wire.SHORT_LIMIT),
        ("bytes of a message, unless both ends agree on more", wire.DEFAULT_MAX_MESSAGE_SIZE),
        ("containers inside each other", wire.NESTING_LIMIT),
        ("pairs of list keys with the same hash, for each list key of a map", wire.COLLISION_LIMIT),
        ("descriptors of a message", wire.DESCRIPTOR_LIMIT),
        ("handles of a large message", wire.LARGE_DESCRIPTOR_LIMIT),
        ("bytes of a server name", meeting_place.PATH_LIMIT),
    ],
)
def test_the_limits_are_those_of_the_library(limit: str, number: int) -> None:
    """As its table states them."""
    assert re.search(rf"^\| {re.escape(limit)} \| {number} \|", DOCUMENT, re.MULTILINE)


def test_the_words_are_those_of_the_library() -> None:
    """Argument, variable, version, end."""
    for words in (
        f"`{SERVER_NAME_ARGUMENT}NAME`",
        f"`{SERVER_NAME_VARIABLE}`",
        f"Version {PROTOCOL_VERSION}.",
        f"`{json.dumps(QUIT)}`",
    ):
        assert words in DOCUMENT


@pytest.fixture(params=CHILDREN)
def child(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple["subprocess.Popen[bytes]", Any, Any]]:
    """A child of the document, in a Python without this package; a sender to it and a receiver from it."""
    program = tmp_path / request.param
    program.write_text(CHILDREN[request.param], encoding="utf-8")
    with ExitStack() as stack:
        server = stack.enter_context(OneShotServer())
        command = [sys.executable, "-I", "-S", str(program), f"{SERVER_NAME_ARGUMENT}{server.name}"]
        process = stack.enter_context(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        )
        stack.callback(process.kill)
        bootstrap, hello = server.accept(PATIENCE, process)
        stack.enter_context(bootstrap)
        to_child = stack.enter_context(hello.pop("to_child", None) or answering(bootstrap))
        from_child = stack.enter_context(hello.pop("from_child", None) or bootstrap)
        assert hello == {"tui-ipc": PROTOCOL_VERSION, "pid": process.pid, "name": request.param}
        assert isinstance(to_child, Sender)
        assert isinstance(from_child, Receiver)
        yield process, to_child, from_child


@pytest.mark.parametrize("size", [1, 31, 32, 255, 256, 32_763, 32_764, 70_000, 300_000, 3_000_000])
def test_a_child_of_the_document_answers(child: tuple[Any, Sender[str], Receiver[str]], size: int) -> None:
    """Text of any length, and several with one system call; it ends as told."""
    process, to_child, from_child = child
    for text in ("Hello from parent", "é" * (size // 2), "x" * size):
        to_child.send(text, PATIENCE)
        assert from_child.recv(PATIENCE) == f"Child received: {text}"
    to_child.send_many(["several", "in", "one write", QUIT])
    assert list(from_child) == ["Child received: several", "Child received: in", "Child received: one write"]
    out, err = process.communicate(timeout=PATIENCE)
    assert (out, err, process.returncode) == (b"Child process exiting.\n", b"", 0)


def test_a_child_of_the_document_ends_with_its_parent(child: tuple[Any, Any, Any]) -> None:
    """Without being told to."""
    process, to_child, from_child = child
    to_child.close()
    from_child.close()
    out, err = process.communicate(timeout=PATIENCE)
    assert (out, err, process.returncode) == (b"", b"the parent is gone\n", 1)
