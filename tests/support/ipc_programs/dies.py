"""Ends without ever connecting, with the status that it is told."""

import sys

sys.exit(int(sys.argv[1]))
