"""A pseudo-terminal whose output a test reads."""

import os
import pty
import tty

_END = "\x00"


class PseudoTerminal:
    """A pseudo-terminal, in which every byte passes as it is.

    Attributes:
        stream: What is written to.
        leader: The descriptor of the other end.
    """

    def __init__(self) -> None:
        self.leader, follower = pty.openpty()
        tty.setraw(follower)
        self.stream = os.fdopen(follower, "w", encoding="utf-8")

    def shown(self) -> str:
        """What was written since the last look: all of it, though the kernel takes its time to pass it on."""
        os.write(self.stream.fileno(), _END.encode())
        shown = b""
        while not shown.endswith(_END.encode()):
            shown += os.read(self.leader, 4096)
        return shown.decode().removesuffix(_END)

    def close(self) -> None:
        """Close both ends."""
        self.stream.close()
        os.close(self.leader)
