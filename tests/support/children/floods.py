"""``floods WHAT``: messages, messages ``by hand``, output or errors without end, until it is ended."""

import os
import sys

from tests.support.children.library_child import meet
from tests.support.children.raw_child import INLINE_HELLO, connect, text

if sys.argv[1] == "by hand":
    client = connect()
    client.sendall(INLINE_HELLO)
    while True:
        client.sendall(text("x" * 200) * 300)
sender, receiver = meet()
piece = b"x" * 65536
while True:
    if sys.argv[1] == "messages":
        sender.send(piece)
    else:
        os.write(2 if sys.argv[1] == "errors" else 1, piece)
