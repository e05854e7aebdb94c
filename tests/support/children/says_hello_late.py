"""``says_hello_late HOW``: connects; before its hello it ``waits`` for SIGUSR1, or ``stops`` itself."""

import os
import signal
import sys

from tests.support.children.raw_child import INLINE_HELLO, connect, read_text

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
client = connect()
if sys.argv[1] == "stops":
    os.kill(os.getpid(), signal.SIGSTOP)
else:
    signal.sigwait([signal.SIGUSR1])
client.sendall(INLINE_HELLO)
while read_text(client) not in ("quit", ""):
    pass
