"""`spawn`: a child is started, met, and gone after the block, whatever it does."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.threads import PATIENCE
from tui_ipc import (
    Closed,
    Disconnected,
    IpcError,
    ProtocolError,
    ReceiverSet,
    TimedOut,
    channel,
    spawn,
)

SERVE = "from tui_ipc.child import serve; import sys; sys.exit(serve(lambda message: message))"

MEET = """
import os, signal, sys
from tui_ipc import channel, connect
from tui_ipc.ipc.hello import Hello
to_parent, from_child = channel()
to_child, from_parent = channel()
with connect(sys.argv[-1].removeprefix("channel_name:")) as bootstrap, to_child, from_child:
    bootstrap.send(Hello("made up", os.getpid(), (to_child, from_child)).to_message())
"""

INLINE = """
import os, sys
from tui_ipc import Receiver, connect
from tui_ipc.ipc.hello import Hello
from tui_ipc.ipc.sockets import duplicate
sender = connect(sys.argv[-1].removeprefix("channel_name:"))
with sender, Receiver(duplicate(sender.fileno())) as receiver:
    sender.send(Hello("inline", os.getpid()).to_message())
    while (message := receiver.recv()) != "quit":
        sender.send([message, sys.argv[1:-1]])
"""

ENDS_ITS_SIDE = """
import os, socket, sys
from tests.support.children.raw_child import INLINE_HELLO, connect
client = connect()
client.sendall(INLINE_HELLO)
client.recv(5, socket.MSG_WAITALL)
client.shutdown(socket.SHUT_WR)
sys.exit(len(client.recv(99)))
"""

SILENT = MEET.split("    bootstrap.send", maxsplit=1)[0]

FIRST_MESSAGE = """
import sys
from tui_ipc import SharedMemory, channel, connect
with connect(sys.argv[-1].removeprefix("channel_name:")) as bootstrap, SharedMemory(b"x") as memory:
    bootstrap.send({"tui-ipc": 7, "memory": [memory]})
sys.stdin.read()
"""


def python(code: str, **options: Any) -> AbstractContextManager[tuple[Any, Any, Any]]:
    """A child that runs Python code."""
    return spawn([sys.executable, "-c", code], timeout=PATIENCE, **options)


def assert_reaped(pid: int) -> None:
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, 0)


def test_a_child_is_started_met_and_gone() -> None:
    """The block has the process and both ends; after it the child has ended by itself."""
    with python(SERVE, stdout=subprocess.PIPE, text=True) as (child, to_child, from_child):
        to_child.send({"id": 7})
        assert from_child.recv(PATIENCE) == {"id": 7}
        assert os.getpgid(child.pid) == child.pid
    with child:
        assert child.stdout is not None
        assert (child.returncode, child.stdout.read()) == (0, "Child process exiting.\n")
    assert (to_child.closed, from_child.closed) == (True, True)


@pytest.mark.parametrize("command", [["-c", SERVE], ["-c", SERVE, "--at={channel_name}"]])
def test_the_child_finds_the_server_in_its_environment_too(command: list[str]) -> None:
    """Where an argument has `{channel_name}`, that is replaced and nothing is appended."""
    env = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)}
    with spawn([sys.executable, *command], env=env, timeout=PATIENCE) as (_, to_child, from_child):
        to_child.send("there")
        assert from_child.recv(PATIENCE) == "there"


def test_a_child_in_inline_mode() -> None:
    """The connection carries both directions."""
    with python(INLINE) as (child, to_child, from_child):
        to_child.send("hello")
        assert from_child.recv(PATIENCE) == ["hello", []]
    assert child.returncode == 0


def test_a_child_that_ends_its_side_after_quit_sees_the_other_side_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As Node does after ``socket.end()``: it waits for that, and would be ended by a signal otherwise."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    with python(ENDS_ITS_SIDE, grace=PATIENCE) as (child, _, _):
        pass
    assert child.returncode == 0


def test_the_limit_holds_for_both_channels() -> None:
    """`max_message_size`, as everywhere."""
    with python(SERVE, max_message_size=1000) as (_, to_child, from_child):
        assert (to_child.max_message_size, from_child.max_message_size) == (1000, 1000)


# ------------------------------------------------------------------------------------------------- Its end


def test_a_child_that_does_not_quit_is_terminated() -> None:
    """SIGTERM after its time of grace."""
    with python(MEET + "signal.pause()", grace=0.05) as (child, _, _):
        pass
    assert child.returncode == -signal.SIGTERM


def test_a_child_that_is_deaf_is_killed() -> None:
    """SIGKILL after another."""
    code = (
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + MEET + "while True: signal.pause()"
    )
    with python(code, grace=0.05) as (child, _, _):
        pass
    assert child.returncode == -signal.SIGKILL


def test_a_stopped_child_is_terminated() -> None:
    """It is continued to take note of SIGTERM."""
    with python(SERVE, grace=0.05) as (child, _, _):
        child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
    assert child.returncode == -signal.SIGTERM


def test_a_child_that_has_much_to_say_first_ends_in_good_order() -> None:
    """It waits for its answers to be taken before it reads "quit", and the channel to it is full."""
    with python(SERVE, grace=PATIENCE) as (child, to_child, _), suppress(TimedOut):
        while True:
            to_child.send([to_child, "x" * 10_000], timeout=0)
    assert child.returncode == 0


def test_an_exception_in_the_block_ends_the_child() -> None:
    """And is not hidden."""
    with pytest.raises(ZeroDivisionError), python(SERVE) as (child, _, _):
        _ = 1 / 0
    assert child.returncode == 0
    assert_reaped(child.pid)


def test_a_child_that_ends_in_the_block() -> None:
    """Its end is told by the channel; there is nothing left to end."""
    with python(MEET + "from_parent.recv(); sys.exit(7)") as (child, to_child, from_child):
        to_child.send("go")
        with pytest.raises(Disconnected):
            from_child.recv(PATIENCE)
    assert child.returncode == 7


def close_both(to_child: Any, from_child: Any) -> None:
    to_child.close()
    from_child.close()


def put_into_a_set(to_child: Any, from_child: Any) -> ReceiverSet:
    several = ReceiverSet()
    several.add(from_child)
    return several


@pytest.mark.parametrize(("leave", "status"), [(close_both, 1), (put_into_a_set, 0)])
def test_a_block_that_gives_its_ends_away(
    leave: Callable[[Any, Any], ReceiverSet | None], status: int
) -> None:
    """Closed: the child finds its parent gone. In a set: it quits as ever, unheard."""
    with python(SERVE, stderr=subprocess.DEVNULL) as (child, to_child, from_child):
        several = leave(to_child, from_child)
    if several is not None:
        several.close()
    assert child.returncode == status


def test_what_a_killed_child_left_ends_with_it() -> None:
    """A process that it started, and that holds a channel of ours."""
    more = "\nimport subprocess\nmemory = from_parent.recv()\nos.set_inheritable(memory.fileno(), True)\n"
    more += (
        'subprocess.Popen(["tail", "-f", "/dev/null"], close_fds=False)\nto_parent.send(1)\nsignal.pause()'
    )
    held, end = channel()
    with end:
        with python(MEET + more, grace=0.05) as (child, to_child, from_child):
            to_child.send(held, move=True)
            assert from_child.recv(PATIENCE) == 1
        assert child.returncode == -signal.SIGTERM
        with pytest.raises(Disconnected):
            end.recv(PATIENCE)


# -------------------------------------------------------------------------------------- It never comes so far


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize(
    ("code", "timeout", "error", "sentence"),
    [
        ("import sys; sys.exit(3)", PATIENCE, Disconnected, "exited with status 3 before it connected"),
        ("import signal; signal.pause()", 0.05, TimedOut, "no process connected"),
        (SILENT + "    signal.pause()", 2, TimedOut, "sent no whole message"),
        (SILENT + "    pass", PATIENCE, Disconnected, "the peer is gone"),
        (FIRST_MESSAGE, PATIENCE, ProtocolError, "message is a hello of version 7, and .*: {'tui-ipc': 7, "),
    ],
)
def test_a_child_that_is_not_met(
    code: str,
    timeout: float,
    error: type[IpcError],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its error says what is known; the child is gone and reaped, and nothing stays open or in a place."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    before = open_descriptors()
    started = spawn([sys.executable, "-c", code], timeout=timeout)
    with pytest.raises(error, match=sentence), started:
        pytest.fail("it was met")
    assert_reaped(-1)
    assert (open_descriptors(), list(tmp_path.iterdir())) == (before, [])


def test_a_program_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of `subprocess`, and nothing stays."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    before = open_descriptors()
    with pytest.raises(FileNotFoundError, match=r"\./nowhere"), spawn(["./nowhere"]):
        pytest.fail("it was met")
    assert (open_descriptors(), list(tmp_path.iterdir())) == (before, [])


def test_a_block_is_entered_once() -> None:
    """Another child needs another call."""
    started = python(SERVE)
    with started:
        pass
    with pytest.raises(RuntimeError, match="call spawn"), started:
        pytest.fail("it was met")


def test_the_ends_are_closed_after_the_block() -> None:
    """Using them says so."""
    with python(SERVE) as (_, to_child, from_child):
        pass
    with pytest.raises(Closed):
        to_child.send(1)
    with pytest.raises(Closed):
        from_child.recv()
