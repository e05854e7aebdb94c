"""What is looked for in a text: words as they stand, or a regular expression between slashes.

Letters match whatever their case, unless a capital is among what is looked for.
"""

import re
import warnings

_ESCAPE = re.compile(r"\\.", re.DOTALL)


class NeedleError(Exception):
    """Nothing can be looked for by this text; the message is a sentence that says why."""


def literal(text: str) -> re.Pattern[str]:
    """Look for a text as it stands."""
    return re.compile(re.escape(text), _case(text))


def expression(text: str) -> re.Pattern[str]:
    """Look for what a regular expression matches.

    Raises:
        NeedleError: It is none.
    """
    if not text:
        raise NeedleError("regex: nothing stands between the slashes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a doubtful set is no fault, and a warning would tear the screen
        try:
            return re.compile(text, _case(_ESCAPE.sub("", text)))
        except RecursionError:
            raise NeedleError("regex: nested too deeply") from None
        except (re.error, OverflowError, ValueError) as error:
            raise NeedleError(f"regex: {error}") from None


def needle(text: str) -> re.Pattern[str]:
    """Look for a text, or for a regular expression if it stands between slashes.

    Raises:
        NeedleError: The regular expression is none.
    """
    if len(text) > 1 and text[0] == text[-1] == "/":
        return expression(text[1:-1])
    return literal(text)


def _case(text: str) -> re.RegexFlag:
    return re.NOFLAG if text != text.lower() else re.IGNORECASE
