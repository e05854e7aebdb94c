"""``hangs WHERE``: reads a message, then hangs in a ``loop``, ``sleep``, a ``lock`` or a ``pipe``."""

import os
import sys
import threading
import time

from tests.support.children.library_child import meet

sender, receiver = meet()
receiver.recv()
match sys.argv[1]:
    case "loop":
        while True:
            pass
    case "sleep":
        time.sleep(600)
    case "lock":
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()
    case "pipe":
        left, right = os.pipe()
        os.read(left, 1)
