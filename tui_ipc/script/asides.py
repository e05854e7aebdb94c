"""Lines on standard error where no event loop runs: before there is a child, and after.

The one rule: whoever does not want to hear them loses them, and nothing else.
"""

import sys


def say(*lines: str) -> None:
    """Write lines of our own; what they quote of others must have been made visible."""
    try:
        if sys.stderr is not None:
            sys.stderr.writelines(f"{line}\n" for line in lines)
            sys.stderr.flush()
    except OSError:  # a reader that went away, a full disk: the exit code says the rest
        pass
