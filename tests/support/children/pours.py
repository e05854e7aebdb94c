"""``pours WHAT AMOUNT``: prints AMOUNT bytes in lines of 64, or sends so many messages; a last one; ends."""

import itertools
import os
import sys

from tests.support.children.library_child import meet

what, amount = sys.argv[1], int(sys.argv[2])
sender, receiver = meet()
if what == "output":
    piece = (b"%63d\n" % 0) * 1024
    for _ in range(amount // len(piece)):
        os.write(1, piece)
    os.write(1, b"the last line\n")
else:
    message = b"m" * 2000
    for _ in range(amount // 100):
        sender.send_many(itertools.repeat(message, 100))
    sender.send("the last message")
