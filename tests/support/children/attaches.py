"""``attaches COUNT HEX``: an inline child that sends these bytes, with so many descriptors, and stays.

The kernel takes 253 descriptors a packet, so they go with the bytes of the message one packet after another.
"""

import array
import os
import signal
import socket
import sys

from tests.support.children.raw_child import INLINE_HELLO, connect

count, data = int(sys.argv[1]), bytes.fromhex(sys.argv[2])
client = connect()
client.sendall(INLINE_HELLO)
descriptors = [os.open(os.devnull, os.O_RDONLY)] * count
for place in range(len(data)):
    some, descriptors = descriptors[:200], descriptors[200:]
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", some))] if some else []
    client.sendmsg([data[place : place + 1]], control)
signal.pause()
