"""What the library logs, under the name ``tui_ipc``: at DEBUG, and only what is rare.

Importing ``logging`` would take a quarter as long again as importing the library, at every child's start. A
program that shows the log has imported it; else there is nothing to do.
"""

import sys

_DEBUG = 10


def log_debug(sentence: str, *arguments: object) -> None:
    """Log what happened. Arguments are formatted, ``%s`` each, only if the program shows them."""
    logging = sys.modules.get("logging")
    if logging is not None:
        logger = logging.getLogger("tui_ipc")
        if logger.isEnabledFor(_DEBUG):
            logger.debug(sentence, *map(str, arguments))  # a record that is kept keeps no endpoint
