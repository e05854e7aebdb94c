"""``removes_files WHAT``: an inline echo that removed its server's ``socket``, or its own ``directory``."""

import contextlib
import os
import sys

from tests.support.children.raw_child import INLINE_HELLO, connect, read_text, text

client = connect()
if sys.argv[1] == "socket":
    path = sys.argv[-1].removeprefix("channel_name:")
    with contextlib.suppress(FileNotFoundError):  # the server may be as quick
        os.unlink(path)
        os.rmdir(os.path.dirname(path))
else:
    os.rmdir(os.getcwd())
client.sendall(INLINE_HELLO)
while (message := read_text(client)) not in ("quit", ""):
    client.sendall(text(f"without it: {message}"))
