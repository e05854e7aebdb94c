"""A child with a name, whose exit status is what ``serve`` returned, and which takes the server name from
code.
"""

import sys

from tui_ipc.child import serve

sys.exit(serve(len, "counter"))
