"""Never reads what it is sent; at each SIGUSR1 it prints a line and sends a message."""

import os
import signal

from tests.support.children.library_child import meet

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
sender, receiver = meet()
while True:
    signal.sigwait([signal.SIGUSR1])
    os.write(1, b"still here\n")
    sender.send("still here")
