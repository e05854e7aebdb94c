"""The explorer with a real session: the built-in child, and a terminal of its own."""

import asyncio
import os
import select
import signal
import sys
from pathlib import Path
from time import monotonic

import pytest

from tests.support.app_harness import WAIT_SECONDS
from tests.support.explorer_terminal import terminal
from tests.support.recordings import encode_recording
from tests.support.sample_events import LISTENING, SPAWNED
from tui_ipc.events import ChannelClosed
from tui_ipc.osutil.procfs import read_process_state
from tui_ipc.session.session import Session
from tui_ipc.tui.app import ExplorerApp

FLOOD = """\
import os, sys, threading
from tui_ipc.child import serve
def flood():
    while True:
        print("x" * 70, flush=True)
with open(sys.argv[1], "w") as file:
    file.write(str(os.getpid()))
serve(lambda message: threading.Thread(target=flood, daemon=True).start())
"""


def test_three_messages_get_three_answers() -> None:
    """The built-in child is spawned, answers, prints, is restarted, and is gone after quitting."""

    async def main() -> None:
        app = ExplorerApp(Session())
        async with app.run_test(size=(120, 36)) as pilot:
            for text in ("Hello from parent", "How are you?", "Goodbye!"):
                await pilot.press(*text, "enter")
            deadline = monotonic() + WAIT_SECONDS
            while app.model.status.received < 3 or app.model.output.end < 5:
                assert monotonic() < deadline
                await pilot.pause()
            first = app.model.status.pid
            await pilot.press("ctrl+r", "enter")
            while app.model.status.run < 2 or app.model.status.phase != "open":
                assert monotonic() < deadline
                await pilot.pause()
            second = app.model.status.pid
            await pilot.press("ctrl+q")
            while app.return_code is None:
                assert monotonic() < deadline
                await pilot.pause()
        lines = [app.model.output[index].text for index in range(app.model.output.end)]
        assert "Received from parent: How are you?" in lines
        assert lines[-1] == "Child process exiting."
        for pid in (first, second):
            assert pid is not None
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
        assert app.return_code == 0

    asyncio.run(main())


def test_a_child_that_is_none_is_explained() -> None:
    """A program that ends at once is reported with its status, and the explorer stays."""

    async def main() -> None:
        app = ExplorerApp(Session(["false"]))
        async with app.run_test() as pilot:
            deadline = monotonic() + WAIT_SECONDS
            while not app.notice.has_class("-shown"):
                assert monotonic() < deadline
                await pilot.pause()
            assert "code 1" in str(app.notice.render())
            assert app.is_running

    asyncio.run(main())


def test_quitting_gives_the_terminal_back() -> None:
    """ctrl+c says how to quit; ctrl+q ends with code 0, the usual screen and no traceback."""
    with terminal() as it:
        it.read_until(b"connected")
        it.type(b"\x03")
        it.read_until(b"to quit.")
        it.type(b"\x11")
        assert it.finish() == 0
    after = it.screen.rpartition(b"\x1b[?1049l")[2]
    assert b"run 1: echo ran for " in after
    assert b" and exited with code 0\r\nleft behind: nothing\r\n" in after
    assert b"Traceback" not in it.screen


def test_a_signal_ends_the_child_too() -> None:
    """SIGTERM to the explorer is a quit: the child is told, the terminal given back, the exit code 143."""
    with terminal() as it:
        it.read_until(b"connected")
        it.process.send_signal(signal.SIGTERM)
        assert it.finish() == 128 + signal.SIGTERM, it.screen[-4000:].decode(errors="replace")
    assert b"\x1b[?1049l" in it.screen
    assert b"Traceback" not in it.screen


def test_a_terminal_that_takes_nothing_holds_nobody_up(tmp_path: Path) -> None:
    """SIGTERM ends the explorer and its child although it waits for a terminal that nobody reads."""
    told = tmp_path / "pid"
    with terminal("--", sys.executable, "-c", FLOOD, str(told)) as it:
        it.read_until(b"connected")
        pid = int(told.read_text())
        it.type(b"flood\r")
        waits = 0
        deadline = monotonic() + WAIT_SECONDS
        while waits < 20:
            assert monotonic() < deadline, "it does not wait for its terminal"
            call = read_process_state(it.process.pid).call
            waits = waits + 1 if call is not None and call.name == "futex" else 0
            select.select([], [], [], 0.02)
        it.process.send_signal(signal.SIGTERM)
        assert it.process.wait(WAIT_SECONDS) == 128 + signal.SIGTERM
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_closing_the_window_ends_everything() -> None:
    """When its terminal hangs up, the explorer quits and waits for nothing."""
    with terminal() as it:
        it.read_until(b"connected")
        it.close()
        assert it.process.wait(WAIT_SECONDS) == 128 + signal.SIGHUP


def test_a_terminal_that_goes_without_a_signal_ends_everything() -> None:
    """One that is not the controlling terminal just stops to be there."""
    with terminal(LOOSE="") as it:
        it.read_until(b"connected")
        it.close()
        assert it.process.wait(WAIT_SECONDS) == 128 + signal.SIGHUP


def test_a_recording_is_shown_on_a_terminal(tmp_path: Path) -> None:
    """It is played and left with q, an hour before its end: code 0, the usual screen, no traceback."""
    path = tmp_path / "talk.rec"
    closed = ChannelClosed(at=3_600_000_000_000, run=1)
    path.write_bytes(encode_recording(LISTENING, SPAWNED, closed, command=("./calculator",)))
    with terminal(str(path)) as it:
        it.read_until(b"spawned")
        it.read_until(b"playing")
        it.type(b"q")
        assert it.finish() == 0
    assert b"\x1b[?1049l" in it.screen
    assert b"Traceback" not in it.screen


def test_message_typed_before_the_first_frame_is_sent() -> None:
    """What is typed while the explorer starts goes to the message box, and Enter sends it."""
    with terminal() as it:
        it.type(b"early\r")
        it.read_until(b"Child received: early")
        it.type(b"\x11")
        assert it.finish() == 0


def test_bytes_that_are_not_utf_8_do_not_end_the_explorer() -> None:
    """Latin-1 letters and mouse reports of the oldest kind are read as replacement characters."""
    with terminal() as it:
        it.read_until(b"connected")
        it.type(b"caf\xe9 \xff\x1b[M\x20\xff\x30")
        it.type(b"!\r")
        it.read_until("Child received: caf\ufffd \ufffd".encode())
        it.type(b"\x11")
        assert it.finish() == 0
    assert b"Traceback" not in it.written


def test_ctrl_z_suspends_and_the_whole_screen_comes_back() -> None:
    """The process stops with the usual screen; continued, it draws every pane, and so does ctrl+l."""
    with terminal() as it:
        it.read_until(b"connected")
        it.type(b"\x1a")
        _, status = os.waitpid(it.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        it.read_until(b"\x1b[?1049l")
        it.forget()
        it.process.send_signal(signal.SIGCONT)
        it.read_until(b"Child output")
        it.step(b"\x0c", b"Child output")
        it.step(b"after\r", b"Child received: after")
        it.type(b"\x11")
        assert it.finish() == 0


def test_what_is_pasted_reaches_the_child_as_it_is() -> None:
    """A tab, an escape sequence and a joined emoji: the box shows them, and the log what was sent."""
    pasted = "[\x1b[31m\ta👩\u200d💻"
    with terminal() as it:
        it.read_until(b"connected")
        it.step(f"\x1b[200~{pasted}\x1b[201~".encode(), then="[␛[31m␉a👩\u200d💻".encode())
        it.step(b"\r", then='"[\\u001b[31m\\ta👩\u200d💻"'.encode())
        it.type(b"\x11")
        assert it.finish() == 0


def test_keys_that_come_at_once_act_in_their_order() -> None:
    """Across a dialog, the palette and a change of focus, no key goes where the one before it leaves."""
    with terminal() as it:
        it.read_until(b"connected")
        it.type(b"\x10\x1b[6~\x1b[6~\x1b")
        it.step(b"\x10metrics\r", b"each bar is one second")
        it.step(b"\tfxyz\r\x1b[Zafter\r", b"Received from parent: after")
        it.step(b"\x1bOS9\r", b"Sent SIGKILL to process group")
        it.type(b"\x11")
        assert it.finish() == 0
    assert b"Traceback" not in it.written


def test_a_child_that_prints_without_pause_delays_neither_messages_nor_the_end() -> None:
    """The title says how far its output is behind; messages, answers and quitting do not wait for it."""
    child = (
        "import os, sys, threading\nfrom tui_ipc.child import serve\n"
        "def pour():\n"
        "    while True: os.write(1, b'nothing has happened\\n' * 1_000)\n"
        "threading.Thread(target=pour, daemon=True).start()\n"
        "sys.exit(serve(lambda message: f'answer to {message}'))\n"
    )
    with terminal("--", sys.executable, "-c", child) as it:
        it.read_until(b"lines behind")
        it.type(b"hello\r")
        it.read_until(b'"answer to hello"')
        it.type(b"\x11")
        assert it.finish() == 0
    assert b"Traceback" not in it.written
