"""``floods WHAT``: messages or output without end, until it is ended."""

import os
import sys

from tests.session.children.by_library import meet

sender, receiver = meet()
piece = b"x" * 65536
while True:
    if sys.argv[1] == "messages":
        sender.send(piece)
    else:
        os.write(1, piece)
