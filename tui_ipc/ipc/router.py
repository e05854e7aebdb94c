"""The router: calls a function with each message of many receivers, on one thread."""

import os
from _thread import allocate_lock
from collections import deque
from collections.abc import Callable

from tui_ipc.ipc.channel import channel
from tui_ipc.ipc.errors import Closed, IpcError
from tui_ipc.ipc.handle import Uncopied, close_handles
from tui_ipc.ipc.receiver import Receiver
from tui_ipc.ipc.receiver_set import Arrived, Ended, ReceiverSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")
    Functions = tuple[Callable[[Any], object], Callable[[IpcError], object] | None]
else:
    Any = T = object


class Router(Uncopied):
    """Calls a function with each message of a receiver, for many receivers, on a thread of its own.

    Owns the receivers added to it: each is closed when it ends, or when its function raises an error.
    ``threading.excepthook`` reports such an error at once, as that of any thread; the other routes go on, and
    :meth:`close` raises the first of them again. Belongs to the process that made it: a forked child that
    closes its copy takes nothing from its parent.

    Example:
        >>> import queue
        >>> from tui_ipc import Router, channel
        >>> came = queue.SimpleQueue()
        >>> sender, receiver = channel()
        >>> with Router() as router, sender:
        ...     router.add(receiver, came.put)
        ...     sender.send("hello")
        ...     came.get(timeout=5)
        'hello'
    """

    def __init__(self) -> None:
        """Start the thread: it routes until :meth:`close`, and does not keep the program from ending."""
        import threading  # only who routes needs it: a child starts faster

        self._process = os.getpid()
        self._receivers = ReceiverSet()
        self._waker, woken = channel()
        self._woken = self._receivers.add(woken)  # a message of this one says: look at what was added
        self._functions: dict[int, Functions] = {}
        self._lock = allocate_lock()
        self._added: list[tuple[Receiver[Any], Functions]] = []  # not yet in the set: that has one user
        self._is_waking = False
        self._is_closing = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="tui-ipc router", daemon=True)
        self._thread.start()

    def add(
        self,
        receiver: "Receiver[T]",
        callback: "Callable[[T], object]",
        ended: "Callable[[IpcError], object] | None" = None,
    ) -> None:
        """Take over a receiver; may be called from any thread, and by what the router calls.

        Args:
            receiver: Its messages that wait already are not lost.
            callback: Called with each message, whose handles are its own. While it runs, no other is called:
                what takes long belongs on a queue or a thread.
            ended: Called after the last message, with the error that ended the receiver: Disconnected when
                all its senders are closed.

        Raises:
            Closed: The receiver, or this router, was closed.
        """
        receiver.socket_fileno()
        with self._lock:
            if self._is_closing:
                raise Closed("this router was closed")
            self._added.append((receiver, (callback, ended)))
            self._wake()

    @property
    def closed(self) -> bool:
        """Whether you closed it."""
        return self._is_closing

    def close(self) -> None:
        """Stop, once the function that is being called returns, and close the receivers.

        Messages that were not routed are gone. Closing twice is harmless. Called by a function of its own, it
        does not wait.

        Raises:
            What the first function that failed raised.
        """
        import threading

        if self._process != os.getpid():  # forked, without the thread
            self._is_closing = True
            self._waker.close()
            self._receivers.close()
            return
        with self._lock:
            if not self._is_closing:
                self._is_closing = True
                self._wake()
        if threading.current_thread() is not self._thread:
            self._thread.join()
            error, self._error = self._error, None
            if error is not None:
                raise error

    def __repr__(self) -> str:
        return f"<Router {'closed' if self._is_closing else f'of {len(self._functions)}'}>"

    def _explain_uniqueness(self) -> str:
        return "it belongs to the process that made it"

    def _wake(self) -> None:
        """End the thread's wait; to be called with the lock. One message at a time: it never has to wait."""
        if not self._is_waking:
            self._is_waking = True
            self._waker.send(None)

    def _run(self) -> None:
        happened: deque[Arrived | Ended] = deque()
        try:
            while not self._is_closing:
                happened += self._receivers.select()
                while happened and not self._is_closing:
                    self._route(happened.popleft())
        finally:
            with self._lock:
                self._is_closing = True
                self._waker.close()
            close_handles(list(happened))
            for receiver, _ in self._added:
                receiver.close()
            self._receivers.close()

    def _route(self, event: "Arrived | Ended") -> None:
        if event.id == self._woken:
            self._take_added()
        elif isinstance(event, Ended):
            _, ended = self._functions.pop(event.id, (None, None))
            if ended is not None:
                self._call(ended, event.error)
        elif event.id not in self._functions:
            close_handles(event.value)  # its function failed just now
        elif not self._call(self._functions[event.id][0], event.value):
            del self._functions[event.id]
            try:
                self._receivers.remove(event.id).close()
            except KeyError:
                pass  # it ended at the same time

    def _take_added(self) -> None:
        with self._lock:
            self._is_waking = False
            added, self._added = self._added, []
        for receiver, functions in added:
            self._call(self._add, receiver, functions)

    def _add(self, receiver: "Receiver[Any]", functions: "Functions") -> None:
        self._functions[self._receivers.add(receiver)] = functions

    def _call(self, function: "Callable[..., object]", *arguments: "Any") -> bool:
        """Call what may fail: False if it did. Its error is reported, and kept for :meth:`close` to raise."""
        import threading

        try:
            function(*arguments)
        except BaseException as error:  # noqa: BLE001 - raised again by close()
            if self._error is None:
                self._error = error
            threading.excepthook(
                threading.ExceptHookArgs((type(error), error, error.__traceback__, self._thread))
            )
            return False
        return True
