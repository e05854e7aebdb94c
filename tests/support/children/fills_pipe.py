"""Has a pipe of 1 MiB as its output, sends a message, fills the pipe, and ends."""

import fcntl
import os

from tests.support.children.library_child import meet

sender, receiver = meet()
fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 1024 * 1024)
sender.send("all done")
os.write(1, b"x" * 1024 * 1024)
