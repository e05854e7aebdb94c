"""PROTOCOL.md says what the code does: its bytes are the wire's, its child is one."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tui_ipc.ipc import wire
from tui_ipc.ipc.decoder import PacketDecoder
from tui_ipc.session.notation import parse

TEXT = Path(wire.__file__).parents[1].joinpath("PROTOCOL.md").read_text()
LINES = [
    line
    for block in re.findall(r"^```bytes\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
VALUES = [line.split(" = ", 1) for line in LINES if " = " in line]
EXTENSIONS = [re.split(r"\s+(?=ext )", line) for line in LINES if " = " not in line]


class Fake(wire.Handle):
    """A handle that only remembers what it was claimed as."""

    def __init__(self, kind: int, descriptor: int, rest: bytes) -> None:
        self.facts = (kind, descriptor, rest)

    def _describe(self) -> tuple[int, bytes]:
        return self.facts[0], self.facts[2]


def decoded(data: bytes, descriptors: tuple[int, ...] = ()) -> Any:
    """What a receiver makes of a packet."""
    return PacketDecoder(Fake, lambda descriptor: None).decode(data, descriptors)


@pytest.mark.parametrize(("data", "text"), VALUES)
def test_examples_of_values(data: str, text: str) -> None:
    """The bytes are what we send for the value, and the value is what we make of the bytes."""
    raw, value = bytes.fromhex(data), parse(text)
    assert wire.encode(value) == raw
    assert decoded(raw) == value


@pytest.mark.parametrize(("data", "text"), EXTENSIONS)
def test_examples_of_extensions(data: str, text: str) -> None:
    """The bytes are a handle of that ext type with that descriptor and size, or such an announcement."""
    kind, *numbers = map(int, re.findall(r"\d+", text))
    value = decoded(bytes.fromhex(data), (70, 71, 72))
    if kind == wire.LARGE:
        assert value == (numbers[0], [70, 71, 72])
        assert wire.announce(numbers[0]) == bytes.fromhex(data)
        return
    sizes = [size.to_bytes(8, "big") for size in numbers[:-1]]
    assert value.facts == (kind, 70 + numbers[-1], b"".join(sizes))


def test_there_are_examples_of_all_kinds() -> None:
    """A block in another form would otherwise be passed over in silence."""
    assert len(VALUES) >= 9
    assert [text[:5] for _, text in EXTENSIONS] == ["ext 1", "ext 2", "ext 3", "ext 4"]
    assert len(VALUES) + len(EXTENSIONS) == len(LINES)


@pytest.mark.parametrize(
    "number",
    [
        wire.PACKET_LIMIT,
        wire.STREAM_PACKET_LIMIT,
        wire.DESCRIPTOR_LIMIT,
        wire.LARGE_DESCRIPTOR_LIMIT,
        wire.DEFAULT_MAX_MESSAGE_SIZE,
        wire.NESTING_LIMIT,
    ],
)
def test_limits_are_stated(number: int) -> None:
    """Every limit of the code stands in the text."""
    assert re.search(rf"\b{number}\b", TEXT)


def test_the_child_in_the_text_talks(tmp_path: Path) -> None:
    """Written from the text alone, with the standard library, it passes the built-in conversation."""
    (program,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    child = tmp_path / "by_hand.py"
    child.write_text(program)
    command = [sys.executable, "-m", "tui_ipc", "--script", "--", sys.executable, str(child)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert "Received from child: Child received: Goodbye!" in done.stdout
    assert "Child process exiting." in done.stdout
