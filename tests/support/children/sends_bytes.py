"""``sends_bytes HEX``: connects, sends these bytes as they are, and stays."""

import signal
import sys

from tests.support.children.raw_child import connect

client = connect()
client.sendall(bytes.fromhex(sys.argv[1]))
signal.pause()
