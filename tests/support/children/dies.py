"""``dies SIGNAL``: on any message, prints on both streams, sends three messages and dies by that signal."""

import os
import signal
import sys

from tests.support.children.library_child import meet

sender, receiver = meet()
receiver.recv()
os.write(1, b"last words\n")
os.write(2, b"and a complaint\n")
for number in range(3):
    sender.send(number)
os.kill(os.getpid(), signal.Signals[sys.argv[1]])
