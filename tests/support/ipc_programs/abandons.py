"""A parent to be killed: starts the built-in child, sends it half of a large message, and waits.

Says the child's pid once it has done so.
"""

import subprocess
import sys

from tests.support.raw_wire import begin_large
from tui_ipc import OneShotServer

with OneShotServer() as server:
    command = [sys.executable, "-m", "tui_ipc.child", f"channel_name:{server.name}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
        bootstrap, hello = server.accept(child=child)
        with bootstrap, hello["to_child"] as to_child, hello["from_child"] as from_child:
            to_child.send("hello")
            from_child.recv()
            with begin_large(to_child, 1_000_000) as body:
                body.sendall(bytes(500_000))
                print(child.pid, flush=True)
                sys.stdin.read()
