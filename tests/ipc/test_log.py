"""The program's log: what opens, closes and is large, and how a child was met, for who listens at DEBUG."""

import logging
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.ipc.conftest import Pair
from tests.support.raw_wire import send_packet
from tui_ipc import ProtocolError, SharedMemory, channel, spawn

CHILD = [sys.executable, "-c", "from tui_ipc.child import serve; serve(lambda message: message)"]


def lines(log: pytest.LogCaptureFixture) -> list[str]:
    """What was logged, each number as N."""
    assert {(record.name, record.levelno) for record in log.records} == {("tui_ipc", logging.DEBUG)}
    return [re.sub(r"[0-9]+", "N", record.getMessage()) for record in log.records]


def test_opens_closes_and_large_messages(caplog: pytest.LogCaptureFixture) -> None:
    """One line each; a short message leaves none."""
    caplog.set_level(logging.DEBUG, "tui_ipc")
    sender, receiver = channel()
    sender.send("short")
    receiver.recv()
    with SharedMemory(b"content") as memory:
        sender.send(["x" * 50_000, memory])
        receiver.recv()[1].close()
    for end in (sender, receiver, sender):
        end.close()
    assert sorted(lines(caplog)) == sorted(
        [
            "made a channel: <Sender on descriptor N>, <Receiver on descriptor N>",
            "descriptor N: a message of N bytes leaves on a new stream",
            "<Receiver on descriptor N>: a message of N bytes comes on a new stream",
            "<SharedMemory N bytes> arrived",
            "closing <SharedMemory N bytes>",
            "closing <SharedMemory N bytes>",
            "closing <Sender on descriptor N>",
            "closing <Receiver on descriptor N>",
        ]
    )


def test_a_handshake(caplog: pytest.LogCaptureFixture) -> None:
    """From the server's name to the child's end."""
    caplog.set_level(logging.DEBUG, "tui_ipc")
    with spawn(CHILD):
        pass
    found = [line for line in lines(caplog) if "descriptor" not in line]
    assert re.fullmatch(r"listening at .*/server", found[0])
    assert found[1].startswith("started process N: [")
    assert re.fullmatch(r"process N connected to .*/server", found[2])
    assert re.fullmatch(r"the child said hello: name .*, process N", found[3])
    assert found[-1] == "process N ended with N"


def test_a_broken_channel(ends: Pair, caplog: pytest.LogCaptureFixture) -> None:
    """With what is wrong."""
    caplog.set_level(logging.DEBUG, "tui_ipc")
    send_packet(ends[0], b"\xc1")
    with pytest.raises(ProtocolError):
        ends[1].recv()
    assert "is of no further use: NxcN is not the first byte" in lines(caplog)[0]


def test_silent_by_default() -> None:
    """A program that does not listen sees nothing, and one without a log does not load it."""
    code = "import sys, tui_ipc; sender, receiver = tui_ipc.channel(); print('logging' in sys.modules)\n"
    code += "import logging; logging.basicConfig(); sender.close(); receiver.close()"
    done: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("False\n", "")
