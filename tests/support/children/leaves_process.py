"""``leaves_process KIND [STREAM…]``: ends at ``"quit"``, and leaves a process that holds its streams open.

A ``polite`` one ends at SIGTERM, a ``stubborn`` one does not, a ``stopped`` one is stopped, a ``job`` has a
process group of its own, a ``daemon`` a session of its own. Each STREAM, one of ``stdout``, ``stderr`` and
``channel``, it lets go.
"""

import os
import signal
import sys

from tests.support.children.library_child import meet

kind = sys.argv[1]
sender, receiver = meet()
reading, writing = os.pipe()
pid = os.fork()
if not pid:
    if kind == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if kind == "job":
        os.setpgid(0, 0)
    if kind == "stopped":
        os.close(writing)
        os.kill(os.getpid(), signal.SIGSTOP)
    if kind == "daemon":
        os.setsid()
    for stream in sys.argv[2:-1]:
        if stream == "channel":
            sender.close()
        else:
            os.close({"stdout": 1, "stderr": 2}[stream])
    os.write(writing, b"!")
    while True:
        signal.pause()
if kind == "stopped":
    os.waitpid(pid, os.WUNTRACED)
else:
    os.read(reading, 1)
sender.send(pid)
for message in receiver:
    if message == "quit":
        print("the first one out", flush=True)
        break
