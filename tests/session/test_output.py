"""Reading a stream of output: never more than asked for, never waiting in the kernel."""

import asyncio
import os

import pytest

from tui_ipc.session.output import CHUNK, Output


def test_what_is_there_is_told_from_nothing_yet_and_from_the_end() -> None:
    reading, writing = os.pipe()
    output = Output("stderr", reading)
    assert output.read_now() is None
    os.write(writing, b"some")
    assert output.read_now() == b"some"
    assert output.read_now() is None
    os.write(writing, b"more")
    os.close(writing)
    assert output.read_now() == b"more"
    assert (output.read_now(), output.ended) == (b"", True)
    output.close()
    output.close()
    assert output.read_now() == b""


def test_a_piece_has_a_limit_and_gathers_what_a_terminal_gives_in_small_reads() -> None:
    master, slave = os.openpty()
    output = Output("stdout", master)
    os.set_blocking(slave, False)
    written = 0
    try:
        while True:
            written += os.write(slave, b"x" * CHUNK)
    except BlockingIOError:
        pass
    os.close(slave)
    sizes = []
    while piece := output.read_now():
        sizes.append(len(piece))
    assert sum(sizes) == written
    assert max(sizes) <= CHUNK
    assert len(sizes) <= written // CHUNK + 2
    output.close()


def test_a_cancelled_read_loses_nothing() -> None:
    async def main() -> None:
        reading, writing = os.pipe()
        output = Output("stdout", reading)
        waiting = asyncio.create_task(output.read())
        await asyncio.sleep(0)
        os.write(writing, b"late")
        waiting.cancel()
        await asyncio.wait([waiting])
        assert await output.read() == b"late"
        os.close(writing)
        assert await output.read() == b""
        output.close()

    asyncio.run(main())


def test_an_error_that_is_no_end_is_not_taken_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    output = Output("stdout", reading)

    def fail(*_: int) -> bytes:
        raise OSError(12, "Cannot allocate memory")

    with monkeypatch.context() as patch:
        patch.setattr(os, "read", fail)
        with pytest.raises(OSError, match="allocate"):
            output.read_now()
    os.close(writing)
    output.close()
