"""``floods WHAT``: messages, output or errors without end, until it is ended."""

import os
import sys

from tests.support.children.library_child import meet

sender, receiver = meet()
piece = b"x" * 65536
while True:
    if sys.argv[1] == "messages":
        sender.send(piece)
    else:
        os.write(2 if sys.argv[1] == "errors" else 1, piece)
