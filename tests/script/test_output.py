"""What is said where nobody may listen."""

import asyncio
import fcntl
import io
import os
import sys
from collections.abc import Iterator

import pytest

from tui_ipc.script.output import OutputLostError, OutputStream, write_stderr


def test_lines_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its end."""
    write_stderr("one", "two")
    write_stderr()
    assert capsys.readouterr().err == "one\ntwo\n"


def test_whoever_does_not_listen_loses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed stream, a full disk, a reader that went away: no traceback, and all else goes on."""
    monkeypatch.setattr(sys, "stderr", None)
    write_stderr("lost")
    reading, writing = os.pipe()
    os.close(reading)
    for name in ("/dev/full", writing):
        stream = open(name, "w", buffering=1, encoding="utf-8")  # noqa: SIM115 - closing it fails, as it must
        monkeypatch.setattr(sys, "stderr", stream)
        write_stderr("lost")
        with pytest.raises(OSError, match=r"No space|Broken pipe"):
            stream.close()


@pytest.fixture
def pipe() -> Iterator[tuple[io.BufferedReader, io.TextIOWrapper]]:
    """A pipe that holds 65 536 bytes, and whose text is ASCII."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 65_536)
    with open(reading, "rb") as reader, open(writing, "w", encoding="ascii") as writer:
        yield reader, writer


Pipe = tuple[io.BufferedReader, io.TextIOWrapper]


def test_a_slow_reader_makes_only_the_writer_wait(pipe: Pipe) -> None:
    """The event loop goes on while a write waits, and all arrives in order."""
    reader, writer = pipe
    os.set_blocking(reader.fileno(), False)
    data = bytes(range(256)) * 1000
    got: list[bytes] = []

    async def main() -> None:
        writing = asyncio.create_task(OutputStream(writer).write(data))
        while sum(map(len, got)) < len(data):
            await asyncio.sleep(0)
            got.append(reader.read(1000) or b"")
        await writing

    asyncio.run(main())
    assert b"".join(got) == data


def test_a_write_can_be_given_up(pipe: Pipe) -> None:
    """A reader that never reads keeps nobody from ending."""
    _, writer = pipe

    async def main() -> None:
        writing = asyncio.create_task(OutputStream(writer).write(bytes(100_000)))
        await asyncio.sleep(0)
        assert not writing.done()
        writing.cancel()
        await asyncio.wait([writing])
        assert writing.cancelled()

    asyncio.run(main())


def test_a_reader_that_went_away(pipe: Pipe) -> None:
    """Data cannot be lost in silence, narration can."""
    reader, writer = pipe
    reader.close()
    with pytest.raises(OutputLostError, match="Broken pipe") as lost:
        asyncio.run(OutputStream(writer).write(b"data"))
    assert lost.value.closed
    asyncio.run(OutputStream(writer, lossy=True).line("narration"))


def test_a_full_disk() -> None:
    """It is told from a reader that went away."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        with pytest.raises(OutputLostError, match="No space left") as lost:
            asyncio.run(OutputStream(full).write(b"data"))
        assert not lost.value.closed


def test_our_lines_stand_alone(pipe: Pipe) -> None:
    """They do not continue a line that the child has begun, and fit any encoding."""
    reader, writer = pipe

    async def main() -> None:
        sink = OutputStream(writer)
        await sink.write(b"child: \xff")
        await sink.line("parent: é→")
        await sink.line("again")

    asyncio.run(main())
    assert os.read(reader.fileno(), 1000) == b"child: \xff\nparent: \\xe9\\u2192\nagain\n"


def test_a_closed_stream_takes_everything() -> None:
    """Whoever closes our standard output wants none of it."""
    asyncio.run(OutputStream(None).write(b"data"))
