"""``python -m tui_ipc`` is ``tui-ipc``."""

import sys

from tui_ipc.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
