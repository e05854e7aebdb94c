"""The explorer on a terminal: signals make it leave, and the terminal itself may be taken away.

Once the explorer is to leave, no terminal keeps it. A window is closed, a connection drops, or the output is
not read any more: then the rest is not written, and the child and the explorer end all the same.
"""

import asyncio
import codecs
import gc
import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, TextIO

from tui_ipc.osutil.leaving import LeaveDeadline, catch_background_errors
from tui_ipc.osutil.signals import END_SIGNALS

if TYPE_CHECKING:
    from textual.message import Message

    from tui_ipc.tui.app import ExplorerApp

WRITE_TIMEOUT: Final = 1.0
"""Seconds for which the terminal may take nothing once we are to leave; then we write no more to it."""

LAST_WRITE_MS: Final = 500
"""Milliseconds that the terminal has to take what gives it back when nothing else ends us."""

COLLECT_DELAY: Final = 1.0
"""Seconds after which the screen has been made."""

_POLL_PERIOD: Final = 0.1
"""Seconds between two checks of a terminal that takes what is written."""

_WRITER_THREAD: Final = "textual-output"
"""The name of Textual's thread that writes to the terminal."""

_INTERRUPT_SIGNAL: Final = signal.SIGURG
"""Sent to that thread to interrupt a write that waits; its handler does nothing."""

Handler = Callable[[int, FrameType | None], Any] | int | None
"""A signal's handler, as signal.signal takes and returns it."""


def run_on_terminal(app: "ExplorerApp") -> int:
    """Run an app on this terminal until it is left, by a key or by a signal, and return its exit code.

    Raises:
        Exception: Whatever the app could not handle, once the terminal is given back.
    """
    try:
        with LeaveDeadline(_make_restorer()) as deadline:
            return asyncio.run(_run_app(app, deadline))
    finally:
        gc.enable()
        gc.freeze()  # else the interpreter's last collection visits the whole log: seconds, after a flood


async def _run_app(app: "ExplorerApp", deadline: LeaveDeadline) -> int:
    loop = asyncio.get_running_loop()
    app.limit_leaving = deadline.begin

    def leave(code: int) -> None:
        loop.call_soon_threadsafe(app.leave, code)

    gc.disable()  # what is made until the screen is there stays: collecting it would be in vain
    loop.call_later(COLLECT_DELAY, _enable_collection)
    _replace_undecodable_keys()
    _keep_pastes_whole()
    # Threads of Textual read the keys and write the screen. While the loop is busy, each of their steps would
    # wait for the interpreter lock for 5 ms, which is Python's default.
    sys.setswitchinterval(0.0005)
    with catch_background_errors(loop, app._handle_exception), handle_signals(leave, deadline):
        await app.run_async()
    if app.defect is not None:
        raise app.defect
    return app.return_code or 0


_RESET: Final = (
    b"\x1b[<u\x1b[?2048l\x1b[?2004l\x1b[?1004l\x1b[?1016l\x1b[?1015l\x1b[?1006l\x1b[?1003l\x1b[?1000l"
    b"\x1b[?7h\x1b[?25h\x1b[?1049l\x1b[m"
)
"""Takes back what Textual asks of a terminal: its keyboard protocol, reports of size, pastes, focus and
mouse, no wrapping, no cursor, and the alternate screen."""


def _make_restorer() -> Callable[[], None]:
    """Return a function that gives the terminal back as it is now, without Textual, which may be stuck."""
    try:
        attributes = termios.tcgetattr(0)
    except termios.error:  # not a terminal
        return lambda: None

    def restore() -> None:
        poll = select.poll()
        poll.register(2, select.POLLOUT)
        with suppress(OSError, termios.error):  # it may be gone
            if poll.poll(LAST_WRITE_MS):
                os.write(2, _RESET)
            termios.tcsetattr(0, termios.TCSANOW, attributes)

    return restore


def _replace_undecodable_keys() -> None:
    """Have Textual read a byte that is not UTF-8 as U+FFFD.

    Its driver decodes strictly: one such byte, from a Latin-1 terminal or an old kind of mouse report, ends
    the thread that reads the keys, and the app with a traceback. The driver makes its decoder by this name,
    and takes no other.
    """
    from textual.drivers import linux_driver

    vars(linux_driver)["getincrementaldecoder"] = _make_lenient_decoder


def _make_lenient_decoder(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
    return partial(codecs.getincrementaldecoder(encoding), errors="replace")


def _keep_pastes_whole() -> None:
    """Have Textual's driver read pastes as :class:`PasteParser` does. It makes its parser by this name."""
    from textual.drivers import linux_driver

    vars(linux_driver)["XTermParser"] = PasteParser


class PasteParser:
    """Takes what is pasted, as it is, out of what a terminal sends; all else is for Textual's parser.

    That reads an escape sequence within a paste as keys, and types them before the rest of the paste. A
    terminal brackets a paste by two sequences (DECSET 2004), between which nothing else comes.

    Args:
        debug: Textual's parser logs what it reads.
    """

    START: Final = "\x1b[200~"
    END: Final = "\x1b[201~"

    def __init__(self, debug: bool = False) -> None:
        from textual._xterm_parser import XTermParser

        self._parser = XTermParser(debug)
        self._pasted: list[str] | None = None  # the pieces of a paste that has begun
        self._tail = ""  # the last characters of it, which may be the beginning of its end

    def tick(self) -> "Iterable[Message]":
        """Return what is due because nothing followed it, such as the Escape key."""
        return self._parser.tick()

    def feed(self, data: str) -> "Iterator[Message]":
        """Read what the terminal sent next."""
        from textual.events import Paste

        while data:
            if self._pasted is None:
                keys, start, data = data.partition(self.START)
                if keys:
                    yield from self._parser.feed(keys)
                if start:
                    self._pasted = []
                continue
            pasted, end, data = (self._tail + data).partition(self.END)
            if not end:
                cut = max(0, len(pasted) - len(self.END) + 1)
                pasted, self._tail = pasted[:cut], pasted[cut:]
                self._pasted.append(pasted)
                return
            yield Paste("".join((*self._pasted, pasted)))
            self._pasted, self._tail = None, ""


def _enable_collection() -> None:
    """Let garbage be collected, except what stays.

    With the default thresholds a flood, which fills the rings with some hundred thousand small objects, made
    the collector visit all of them so often that the pauses were up to 140 ms. With these it visits few
    young objects at a time, and the old ones hardly ever: 10 ms.
    """
    gc.freeze()  # the modules and the screen are never visited
    gc.set_threshold(2_000, 5, 1_000)
    gc.enable()


@contextmanager
def handle_signals(leave: Callable[[int], object], deadline: LeaveDeadline) -> Iterator[None]:
    """Call ``leave`` with 128 + N on signal N, and from then on do not wait for a terminal that is not read.

    Args:
        leave: Called in the main thread, between two bytecode instructions of the code that runs there.
        deadline: Is made shorter by each signal.
    """
    # Textual's main thread waits for its writer thread once thirty pieces are queued, and the event loop with
    # it: handlers of the loop would never run. Those of signal.signal interrupt even that wait. And as they
    # interrupt anything, they only write a byte to a pipe, for a thread that watches the terminal.
    finished = threading.Event()
    wake_read, wake_write = os.pipe()

    def handle(number: int, _frame: FrameType | None) -> None:
        os.write(wake_write, b"!")
        deadline.shorten(128 + number)
        leave(128 + number)

    def hang_up() -> None:
        deadline.begin(128 + signal.SIGHUP)
        leave(128 + signal.SIGHUP)

    # Started before there are handlers: one of them might interrupt the start of a thread, which holds locks.
    watch = threading.Thread(target=_watch_terminal, args=(wake_read, finished), name="terminal", daemon=True)
    watch.start()
    ends = dict.fromkeys(set(END_SIGNALS) - {signal.SIGHUP}, handle)
    handlers = {_INTERRUPT_SIGNAL: lambda *_: None, **ends}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    before[signal.SIGHUP] = handle_hang_up(hang_up)
    terminal = sys.__stderr__
    if terminal is not None:
        vars(sys)["__stderr__"] = LossyStream(terminal)  # Textual's driver writes to it, not to sys.stderr
    try:
        yield
    finally:
        vars(sys)["__stderr__"] = terminal
        for number, handler in before.items():
            signal.signal(number, handler)
        finished.set()
        os.write(wake_write, b"!")
        watch.join()
        os.close(wake_write)
        os.close(wake_read)


def handle_hang_up(leave: Callable[[], object]) -> Handler:
    """Call ``leave`` once the terminal is gone (SIGHUP), and write no more to it.

    Args:
        leave: Called in the main thread, between two bytecode instructions of the code that runs there.

    Returns:
        The handler of SIGHUP before.
    """

    def hang_up(_number: int, _frame: FrameType | None) -> None:
        # After a SIGHUP the kernel sends a SIGCONT, on which Textual sets the terminal up again. The loop's
        # handlers would run after that; this one runs before it: Python runs pending handlers by number.
        signal.signal(signal.SIGCONT, signal.SIG_IGN)
        # Textual's writer thread ends at the first EIO, and Textual then waits for its queue for ever.
        _redirect_to_null()
        leave()

    return signal.signal(signal.SIGHUP, hang_up)


class LossyStream:
    """A terminal that may go away: what is written then is lost, and raises nothing."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()


def _watch_terminal(wake_read: int, finished: threading.Event) -> None:
    """Send ourselves SIGHUP if the terminal goes away: the kernel does so for a controlling terminal only.

    Once we are to leave (a byte came), give the terminal up as soon as it takes nothing for
    :data:`WRITE_TIMEOUT`.
    """
    terminal = select.poll()
    terminal.register(2, 0)  # POLLHUP and POLLERR are reported whatever is asked for
    terminal.register(wake_read, select.POLLIN)
    if wake_read not in dict(terminal.poll()):
        os.kill(os.getpid(), signal.SIGHUP)
        return
    terminal.unregister(wake_read)
    terminal.modify(2, select.POLLOUT)
    while not finished.wait(_POLL_PERIOD):
        if not terminal.poll(WRITE_TIMEOUT * 1000):
            _redirect_to_null()
            _interrupt_writer()
            return


def _interrupt_writer() -> None:
    """Interrupt a write that waits: Python retries it, now on the null device."""
    for thread in threading.enumerate():
        if thread.name == _WRITER_THREAD and thread.ident is not None:
            signal.pthread_kill(thread.ident, _INTERRUPT_SIGNAL)


def _redirect_to_null() -> None:
    """Discard all that is written to standard output and error from now on."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):
        os.dup2(null, descriptor)
    os.close(null)
