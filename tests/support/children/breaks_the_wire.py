"""``breaks_the_wire KIND``: an inline child that speaks well at first."""

import signal
import sys

from tests.support.children.raw_child import INLINE_HELLO, connect, read_text, text

client = connect()
if sys.argv[1] == "counts wrongly":
    client.sendall(INLINE_HELLO)
    read_text(client)
    client.sendall(b"\x83\xa2id\x01\xa2ok\xc3\xa1")  # a map of 3 pairs, of which it takes 2 for all
    read_text(client)
    client.sendall(b"x\x03")
    read_text(client)
    sys.exit()
client.sendall(INLINE_HELLO + text("so far so good"))
if sys.argv[1] == "garbage":
    client.sendall(b"\xc1 and more")
    print("I said something wrong", flush=True)
    signal.pause()
client.sendall(text("a message of which half is missing")[:10])
