"""What of a message is known to differ from run to run of a child. Pure.

The one rule: a hole stands only where the events show why. What a child merely may say otherwise, as a clock
or a random number, is for a person to find.
"""

from collections.abc import Sequence
from typing import Any, Final

from tui_ipc.script.syntax.patterns import ANYTHING, REST
from tui_ipc.session import events as ev
from tui_ipc.session.hello import HANDLES

PID: Final = "pid"
"""The key under which a number that is the child's process id is taken for that."""


class Variation:
    """Makes patterns of the messages of a session, run by run.

    Attributes:
        found: Whether any message had something that differs.
    """

    def __init__(self) -> None:
        self.found = False
        self._pid: int | None = None
        self._server: str | None = None

    def begin(self, run: Sequence[ev.Event]) -> None:
        """Learn what is the mark of one run: its child's process id, and the name of its server."""
        self._pid = next((event.pid for event in run if isinstance(event, ev.ChildSpawned)), None)
        self._server = next((event.name for event in run if isinstance(event, ev.ServerListening)), None)

    def pattern(self, message: ev.MessageReceived) -> Any:
        """What to expect instead of a message. Does not recurse: it may nest deeply."""
        outermost = {None: message.value}
        unseen: list[tuple[Any, Any]] = [(outermost, None)]
        while unseen:
            container, key = unseen.pop()
            item = container[key]
            if isinstance(item, list):
                container[key] = items = list(item)
                unseen += ((items, index) for index in range(len(items)))
            elif isinstance(item, dict):
                container[key] = entries = dict(item)
                unseen += ((entries, each) for each in entries)
            elif self._differs(key, item, message.raw):
                self.found = True
                # In an array ... would stand for any number of items.
                container[key] = ANYTHING if isinstance(container, list) else REST
        return outermost[None]

    def _differs(self, key: Any, item: Any, raw: bytes) -> bool:
        if isinstance(item, str):
            handle = item in HANDLES and item.encode() not in raw  # a string would be there as it is
            return handle or bool(self._server and self._server in item)
        return type(item) is int and item == self._pid and key == PID
