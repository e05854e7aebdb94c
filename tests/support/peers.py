"""Second processes for the tests: small programs, each of which does one thing with the handles it is given.

``with peer(program, argument) as process`` runs ``program(argument)`` in a Python of its own. The argument is
a message, so that its handles get there as handles do anywhere else: over the library under test. The end of
the block waits for the process, which must have succeeded unless the test says what else it expects.
"""

import array
import fcntl
import itertools
import select
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.raw_wire import begin_large
from tests.support.threads import PATIENCE
from tui_ipc import OneShotServer, channel, connect
from tui_ipc.ipc.wire import encode

_ROOT = Path(__file__).parents[2]


@contextmanager
def peer(
    program: Callable[[Any], None], argument: object = None, *, status: int = 0
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program of this module in a second process, with one message as its argument.

    Args:
        program: A function of this module.
        argument: What it is called with; receivers in it move to the process.
        status: The exit status it must end with, by itself or by what the test does to it.
    """
    with OneShotServer() as server:
        command = [sys.executable, "-m", "tests.support.peers", program.__name__, server.name]
        process = subprocess.Popen(command, cwd=_ROOT)
        try:
            bootstrap, to_process = server.accept(PATIENCE, process)
            with bootstrap, to_process:
                to_process.send(argument)
            yield process
            assert process.wait(PATIENCE) == status
        finally:
            process.kill()
            process.wait()


def echo(ends: list[Any]) -> None:
    """Send back whatever comes, until the end."""
    sender, receiver = ends
    with sender, receiver:
        for message in receiver:
            sender.send(message)


def send_all(arguments: list[Any]) -> None:
    """Send each of some messages."""
    sender, messages = arguments
    with sender:
        for message in messages:
            sender.send(message)


def send_repeated(arguments: list[Any]) -> None:
    """Send ``count`` messages that repeat one character ``size`` times."""
    sender, character, size, count = arguments
    with sender:
        for _ in range(count):
            sender.send(character * size)


def send_sizes(arguments: list[Any]) -> None:
    """Send messages of some sizes, over and over, numbered, every seventh with a handle."""
    sender, number, rounds, sizes = arguments
    with sender:
        for place in range(rounds * len(sizes)):
            content = chr(97 + number) * sizes[place % len(sizes)]
            sender.send([number, place, content, *([sender] if place % 7 == 0 else [])])


def receive_nested(ends: list[Any]) -> None:
    """Receive a receiver from a receiver from a receiver, and tell what each held."""
    teller, outermost = ends
    with teller, outermost:
        first, middle = outermost.recv()
        with middle:
            second, innermost = middle.recv()
            with innermost:
                teller.send([first, second, list(innermost)])


def echo_under_signals(ends: list[Any]) -> None:
    """Echo while a signal strikes a thousand times a second; at the end tell how often its handler ran.

    Every second message is received and sent with a timeout, which is another path to the kernel.
    """
    sender, receiver = ends
    struck = 0

    def strike(_number: int, _frame: object) -> None:
        nonlocal struck
        struck += 1

    with sender, receiver:
        signal.signal(signal.SIGALRM, strike)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        for timeout in itertools.cycle((None, PATIENCE)):
            message = receiver.recv(timeout)
            if message is None:
                break
            sender.send(message, timeout)
        signal.setitimer(signal.ITIMER_REAL, 0)
        sender.send(struck)


def send_and_stay(arguments: list[Any]) -> None:
    """Send each of some messages, then wait to be killed."""
    sender, messages = arguments
    with sender:
        sender.send_many(messages)
        signal.pause()


def parent_in_the_middle(arguments: list[Any]) -> None:
    """Be a parent in the middle of a message of 50 MiB with its child, tell the child's pid, and stay there.

    With ``sending`` it is the parent's message, otherwise the child's answer to one.
    """
    teller, command, sending = arguments
    with OneShotServer() as server:
        process = subprocess.Popen([*command, f"channel_name:{server.name}"], stdout=subprocess.DEVNULL)
        bootstrap, hello = server.accept(PATIENCE, process)
    to_child, from_child = hello["to_child"], hello["from_child"]
    message = "x" * (50 * 1024 * 1024)
    with teller, bootstrap, to_child, from_child:
        if sending:
            body = begin_large(to_child, len(message) + 5)
            body.sendall(encode(message)[: 1024 * 1024])
            wait_until_read(body)
        else:
            to_child.send(message)
            select.select([from_child], [], [])  # the answer is announced, and more than the kernel holds
        teller.send(process.pid)
        signal.pause()


def wait_until_read(body: socket.socket) -> None:
    """Wait until the peer has taken all that was written."""
    unread = array.array("i", [1])
    while unread[0]:
        fcntl.ioctl(body, termios.TIOCOUTQ, unread)


if __name__ == "__main__":
    from_test: Any
    to_self, from_test = channel()
    with connect(sys.argv[2]) as bootstrap:
        bootstrap.send(to_self)
    to_self.close()
    with from_test:
        given = from_test.recv()
    globals()[sys.argv[1]](given)
