"""``breaks_the_wire KIND``: an inline child that speaks well at first."""

import signal
import sys

from tests.support.children.raw_child import INLINE_HELLO, connect, text

client = connect()
client.sendall(INLINE_HELLO + text("so far so good"))
if sys.argv[1] == "garbage":
    client.sendall(b"\xc1 and more")
    print("I said something wrong", flush=True)
    signal.pause()
client.sendall(text("a message of which half is missing")[:10])
