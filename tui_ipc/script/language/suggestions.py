"""What a person meant who wrote what has no meaning. Pure."""

from collections.abc import Iterable
from typing import Final

from tui_ipc.text.notation import render_value

_SYNONYMS: Final = {
    "recv": "<",
    "receive": "<",
    "send": ">",
    "wait": "sleep",
    "kill": "signal",
    "loop": "repeat",
    "for": "repeat",
    "done": "end",
    "stop": "quit",
    "exit": "quit, or ? exit CODE for how the child must end",
    "run": "spawn",
    "start": "spawn",
    "stdout": "expect stdout /re/",
    "stderr": "expect stderr /re/",
    "→": "> and a space before the value",
    "←": "< and a space before the value",
}
_CUTOFF: Final = 0.65  # of 1: a slip of the hand is above it, and most words of another language below
_COMMENTS: Final = ("//", "--", ";", "/*", "%")


def closest_word(word: str, words: Iterable[str]) -> str:
    """The one of ``words`` that a person meant who wrote ``word``, empty if none is near."""
    from difflib import get_close_matches  # a script without faults does not pay for this

    return next(iter(get_close_matches(word[:40].lower(), list(words), 1, _CUTOFF)), "")


def explain_unknown_step(word: str, marks: Iterable[str], words: Iterable[str]) -> str:
    """What is said of a line that begins with a word that begins none; ``marks`` and ``words`` would."""
    shown = f"unknown step {render_value(word, 40)}"
    if word.lower() in words:
        return f"{shown}; it is written {word.lower()}"
    if word.startswith(_COMMENTS):
        return f"{shown}; a comment begins with #"
    known = _SYNONYMS.get(word.lower()) or _SYNONYMS.get(word[0])
    if known:
        return f"{shown}; write {known}"
    nearest = closest_word(word, words)
    if nearest:
        return f"{shown}; did you mean {nearest}?"
    return f"{shown}; a line begins with {', '.join(marks)}, # or one of {', '.join(words)}"


def explain_unknown_end(word: str) -> str:
    """What is said of what stands behind ``?`` and is nothing that a child's end has; nothing if empty."""
    known = "exit CODE, signal NAME or clean"
    if not word:
        return f"{known} must follow"
    nearest = closest_word(word, ("exit", "signal", "clean"))
    if nearest:
        return f"unknown {render_value(word, 40)}; did you mean ? {nearest}?"
    return f"unknown {render_value(word, 40)}; behind ? stands {known}"


def explain_unknown_stream(word: str) -> str:
    """What is said of what stands behind ``expect`` and is no stream; nothing if empty."""
    if word.startswith("/"):
        return "stdout or stderr must come before the regular expression"
    nearest = closest_word(word, ("stdout", "stderr"))
    return f"stdout or stderr must follow{f'; did you mean {nearest}?' if nearest else ''}"
