"""The names of signals in scripts. Pure.

The one rule: a signal is written by its name if it has one on this system, else by its number.
"""

from signal import Signals, valid_signals

from tui_ipc.script.syntax.faults import Fault
from tui_ipc.script.syntax.remedies import meant
from tui_ipc.script.syntax.scanner import Line
from tui_ipc.session.notation import render


def read_signal(line: Line) -> int:
    """Read ``SIGTERM``, ``TERM`` or ``15``."""
    line.skip_blanks()
    start, word = line.position, line.word()
    if not word:
        raise Fault("a signal must follow, for instance SIGTERM", start)
    if word.isascii() and word.isdigit():
        line.position = start
        return line.whole_number(1, max(valid_signals()), "a signal's number")
    name = word if word.startswith("SIG") else f"SIG{word}"
    if name in Signals.__members__:
        return Signals[name].value
    names = {name.removeprefix("SIG").lower(): name for name in Signals.__members__}
    nearest = names.get(meant(word.lower().removeprefix("sig"), names), "")
    raise Fault(f"{render(word, 40)} is no signal" + (f"; did you mean {nearest}?" if nearest else ""), start)


def write_signal(number: int) -> str:
    """The text of a signal, which :func:`read_signal` reads back."""
    return next((signal.name for signal in Signals if signal.value == number), str(number))
