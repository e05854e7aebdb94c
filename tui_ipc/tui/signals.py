"""The signals that a child can be sent, and how a person names one. Pure."""

import signal
from collections.abc import Sequence
from typing import Final

from tui_ipc.session.process import signal_name
from tui_ipc.tui.screens.choice_screen import Choice

QUIT: Final = 0
"""Stands among the numbers of signals for the orderly end; no signal has it."""

_USUAL: Final[dict[int, str]] = {
    signal.SIGSTOP: "stop it where it is, until it is continued",
    signal.SIGCONT: "let it go on",
    signal.SIGINT: "interrupt it, as ctrl+c in its terminal would",
    signal.SIGTERM: "ask it to end",
    signal.SIGKILL: "end it at once, whatever it does",
    signal.SIGHUP: "its terminal is gone; many servers read their settings anew",
    signal.SIGUSR1: "whatever its author meant by it",
    signal.SIGUSR2: "whatever its author meant by it",
}

_OTHERS: Final[dict[int, str]] = {
    signal.SIGQUIT: "end it with a core dump",
    signal.SIGABRT: "end it as abort() does",
    signal.SIGSEGV: "end it as an invalid access to memory does",
    signal.SIGALRM: "end it as a timer that it set does",
    signal.SIGPIPE: "end it as writing to nobody does",
    signal.SIGTSTP: "stop it as ctrl+z does, if it lets that happen",
    signal.SIGWINCH: "tell it that its terminal has another size",
    signal.SIGCHLD: "tell it that a child of its own changed",
}

_QUIT: Final = Choice("quit", "ask it to leave; SIGTERM and SIGKILL if it does not", QUIT)


def choices(text: str) -> Sequence[Choice]:
    """What can be sent once a text was typed: the usual ones for none, else what it names or is part of.

    Args:
        text: A number (``9``), a name (``SIGKILL``, ``kill``) or a part of one.
    """
    if not text:
        return [_QUIT, *map(_choice, _USUAL)]
    if text.isascii() and text.isdecimal() and len(text) < 5:
        return [_choice(int(text))] if int(text) in signal.valid_signals() else []
    part = text.lower()
    found = [choice for choice in (_QUIT, *map(_choice, _known())) if part in choice.title.lower()]
    exact = {part, f"sig{part}"}
    return sorted(found, key=lambda choice: choice.title.split()[0].lower() not in exact)


def _known() -> Sequence[int]:
    """Every signal with a name, the usual ones first."""
    return [*_USUAL, *(number for number in sorted(signal.Signals) if number not in _USUAL)]


def _choice(number: int) -> Choice:
    meaning = _USUAL.get(number) or _OTHERS.get(number) or "what it does is the child's affair, or its end"
    name = signal_name(number)
    return Choice(name if name.endswith(f" {number}") else f"{name} {number}", meaning, int(number))
