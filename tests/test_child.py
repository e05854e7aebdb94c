"""The child's side: ``serve``, three lines of a user's; and the built-in child, in the words of the
example.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.ipc_programs import outcome, running
from tests.support.threads import PATIENCE
from tui_ipc import Disconnected, OneShotServer, Receiver, Sender

ROOT = Path(__file__).parents[1]

Conversation = tuple["subprocess.Popen[str]", Sender[Any], Receiver[Any], dict[str, Any]]


@contextmanager
def talking_to(program: str, *, by_variable: bool = False) -> Iterator[Conversation]:
    """A child that has sent its hello: its process, the channels to and from it, and the hello."""
    with OneShotServer() as server:
        arguments = () if by_variable else (f"channel_name:{server.name}",)
        env = {"TUI_IPC_SERVER": server.name} if by_variable else {}
        with running(program, *arguments, env=env) as process:
            bootstrap, hello = server.accept(PATIENCE, process)
            with bootstrap, hello["to_child"] as to_child, hello["from_child"] as from_child:
                yield process, to_child, from_child, hello


@contextmanager
def built_in(*arguments: str, env: Mapping[str, str] | None = None) -> Iterator["subprocess.Popen[str]"]:
    """The built-in child."""
    with subprocess.Popen(
        [sys.executable, "-m", "tui_ipc.child", *arguments],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


# ----------------------------------------------------------------------------------------------- Three lines


@pytest.mark.parametrize("by_variable", [False, True], ids=["argument", "variable"])
def test_three_lines_answer(by_variable: bool) -> None:
    """A child in three lines answers each message, whether it learns the server name by argument or
    variable.
    """
    with talking_to("three_lines", by_variable=by_variable) as (process, to_child, from_child, hello):
        assert hello.keys() == {"tui-ipc", "pid", "name", "to_child", "from_child"}
        assert (hello["tui-ipc"], hello["pid"], hello["name"]) == (1, process.pid, "three_lines.py")
        for message in ("hello", 17, None, b"\xff", {"a": [1]}):
            to_child.send(message)
            assert from_child.recv(PATIENCE) == "you said " + str(message)
        to_child.send("quit")
        assert outcome(process) == (0, "Child process exiting.\n", "")


def test_quit_is_answered_by_nothing() -> None:
    """``"quit"``: the child prints that it exits, answers nothing, leaves what follows unread and ends with
    0.
    """
    with talking_to("three_lines") as (process, to_child, from_child, _):
        to_child.send_many(["quit", "too late"])
        with pytest.raises(Disconnected, match="every sender"):
            from_child.recv(PATIENCE)
        assert outcome(process) == (0, "Child process exiting.\n", "")


def test_only_the_string_quit_ends_a_child() -> None:
    """What merely looks like it is a message: other case, bytes, inside a list."""
    with talking_to("three_lines") as (process, to_child, from_child, _):
        for message in ("Quit", "quit ", b"quit", ["quit"]):
            to_child.send(message)
            assert from_child.recv(PATIENCE) == "you said " + str(message)
        to_child.send("quit")
        assert outcome(process)[0] == 0


def test_a_child_with_a_name_and_a_status() -> None:
    """``serve`` sends the name that it was given, and returns the exit code."""
    with talking_to("custom") as (process, to_child, from_child, hello):
        assert hello["name"] == "counter"
        to_child.send([1, 2, 3])
        assert from_child.recv(PATIENCE) == 3
        to_child.send("quit")
        assert outcome(process) == (0, "Child process exiting.\n", "")


@pytest.mark.parametrize("last_words", [None, "hello"], ids=["idle", "answering"])
def test_a_child_whose_parent_is_gone_ends_by_itself(last_words: str | None) -> None:
    """The parent goes without a word: the child ends by itself, with code 1 and a line that says why."""
    with talking_to("custom") as (process, to_child, from_child, _):
        if last_words is not None:
            from_child.close()
            to_child.send(last_words)
        else:
            to_child.close()
        assert outcome(process) == (1, "", "custom.py: the parent is gone\n")


# -------------------------------------------------------------------------------------------- Nobody to meet


@pytest.mark.parametrize("arguments", [(), ("channel_name:",), ("elsewhere:/x", "--channel_name:")], ids=repr)
def test_no_server_name(arguments: tuple[str, ...]) -> None:
    """Missing: exit code 2 and one line on stderr that says how to give it, no traceback."""
    with running("three_lines", *arguments) as process:
        sentence = "no server name: give channel_name:NAME as the last argument, or set TUI_IPC_SERVER"
        assert outcome(process) == (2, "", f"three_lines.py: {sentence}\n")


def test_a_malformed_server_name() -> None:
    """Malformed: exit code 2 and one line on stderr."""
    with running("three_lines", f"channel_name:{'x' * 108}") as process:
        code, stdout, stderr = outcome(process)
    assert (code, stdout) == (2, "")
    assert stderr.startswith("three_lines.py: invalid server name 'xxx")
    assert stderr.endswith("': it is the path of a socket, 1 to 107 bytes\n")
    assert stderr.count("\n") == 1


def test_a_server_name_without_a_server(tmp_path: Path) -> None:
    """Nobody listens: exit code 1 and one line on stderr."""
    with running("three_lines", f"channel_name:{tmp_path}/gone") as process:
        code, stdout, stderr = outcome(process)
    assert (code, stdout) == (1, "")
    assert stderr.startswith(f"three_lines.py: no one-shot server listens at {tmp_path}/gone (No such file")
    assert stderr.count("\n") == 1


def test_the_argument_comes_before_the_variable() -> None:
    """Where both name a server, the last argument counts, among others that are the child's own."""
    with OneShotServer() as right, OneShotServer() as wrong:
        arguments = ("--fast", f"channel_name:{wrong.name}", f"channel_name:{right.name}")
        with running("three_lines", *arguments, env={"TUI_IPC_SERVER": wrong.name}) as process:
            bootstrap, hello = right.accept(PATIENCE, process)
            bootstrap.close()
            hello["to_child"].close()
            hello["from_child"].close()
            assert outcome(process)[2] == "three_lines.py: the parent is gone\n"


# ---------------------------------------------------------------------------------------- The built-in child


def test_the_words_of_the_example() -> None:
    """The built-in child prints and answers exactly what the example's does."""
    with OneShotServer() as server, built_in(f"channel_name:{server.name}") as process:
        bootstrap, hello = server.accept(PATIENCE, process)
        assert hello["name"] == "echo"
        with bootstrap, hello["to_child"] as to_child, hello["from_child"] as from_child:
            for message in ("Hello from parent", "How are you?", "Goodbye!"):
                to_child.send(message)
                assert from_child.recv(PATIENCE) == f"Child received: {message}"
            to_child.send("quit")
            stdout, stderr = process.communicate(timeout=PATIENCE)
    assert stdout == (
        "Child process started\n"
        f"One Shot Server name: {server.name}\n"
        "Received from parent: Hello from parent\n"
        "Received from parent: How are you?\n"
        "Received from parent: Goodbye!\n"
        "Received from parent: quit\n"
        "Child process exiting.\n"
    )
    assert (process.returncode, stderr) == (0, "")


def test_each_line_is_printed_as_it_happens() -> None:
    """Each line of the built-in child comes at once, though a pipe would keep it back."""
    with OneShotServer() as server, built_in(f"channel_name:{server.name}") as process:
        bootstrap, hello = server.accept(PATIENCE, process)
        with bootstrap, hello["to_child"] as to_child, hello["from_child"] as from_child:
            to_child.send("hello")
            assert from_child.recv(PATIENCE) == "Child received: hello"
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(3)]
            assert lines[2] == "Received from parent: hello\n"
            to_child.send("quit")
        assert process.wait(PATIENCE) == 0


def test_the_built_in_child_without_a_server() -> None:
    """The built-in child without a server name says so in one line."""
    with built_in() as process:
        stdout, stderr = process.communicate(timeout=PATIENCE)
    assert (process.returncode, stdout) == (2, "Child process started\n")
    assert stderr.startswith("child.py: no server name: ")
    assert stderr.count("\n") == 1


def test_a_child_that_is_stopped_and_continued_goes_on() -> None:
    """A child that is stopped and continued, as job control does, answers on."""
    with talking_to("three_lines") as (process, to_child, from_child, _):
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        to_child.send("hello")
        assert select.select([from_child], [], [], 0)[0] == []
        process.send_signal(signal.SIGCONT)
        assert from_child.recv(PATIENCE) == "you said hello"


# -------------------------------------------------------------------------------------------------- Start-up

HEAVY = ("asyncio", "dataclasses", "enum", "inspect", "logging", "pathlib", "textual", "typing")


@pytest.mark.parametrize("module", ["tui_ipc", "tui_ipc.child"])
def test_a_child_starts_with_little(module: str) -> None:
    """A child's imports load nothing that would slow its start, beyond what ``socket`` and ``msgpack`` do."""
    program = f"""
import sys, socket, msgpack, selectors
before = set(sys.modules)
import {module}
print(*(set(sys.modules) - before))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & set(HEAVY)


def test_a_child_loads_what_it_needs_and_no_more() -> None:
    """Without a bare ``import socket, msgpack`` before: no asyncio, Textual, dataclasses or typing at all."""
    program = "import sys, tui_ipc.child; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not set(done.stdout.split()) & {
        "asyncio",
        "textual",
        "dataclasses",
        "typing",
        "inspect",
        "logging",
    }
