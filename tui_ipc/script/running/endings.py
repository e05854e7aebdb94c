"""Whether a run of the child ended as it should. Pure.

The one rule: a child that is told to quit ends, without being forced, with code 0, and none ends before. A
``? exit`` or ``? signal`` says what is due instead of that; ``? clean`` is due besides.
"""

from tui_ipc.script.running.life import Life
from tui_ipc.script.syntax.steps import ExpectClean, ExpectExit, ExpectSignal
from tui_ipc.session.events import Fault
from tui_ipc.session.process import signal_name
from tui_ipc.session.telling import left_behind

Ending = ExpectExit | ExpectSignal | ExpectClean


def wanted(step: Ending) -> str:
    """What a step expects, as the rest of a sentence."""
    match step:
        case ExpectExit():
            return f"exit with code {step.code}"
        case ExpectSignal():
            return f"end by {signal_name(step.number)}"
        case _:
            return "end and leave nothing behind"


def cause(step: Ending) -> str:
    """How a script has a child end that does not end by itself."""
    if isinstance(step, ExpectSignal):
        return f"to have it ended, write signal {signal_name(step.number)} above this line"
    return "to have it told to end, write quit above this line"


def complaint(step: Ending, life: Life) -> str:
    """How a run that is over did not end as a step expects; empty if it did."""
    assert life.exited is not None
    match step:
        case ExpectExit():
            if life.forced:
                return _forced(life)
            fine = life.exited.code == step.code
        case ExpectSignal():
            fine = life.exited.signal == step.number
        case _:
            left = [] if life.audit is None else left_behind(life.audit)
            return f"the child left behind: {' · '.join(left)}" if left else ""
    return "" if fine else f"the child {life.state()}"


def bad_end(life: Life) -> str:
    """What is wrong about the end of a run of which no step says how it should be; empty if nothing is."""
    if life.fault is not None:
        return broken(life.fault)
    if life.forced:
        return _forced(life)
    if life.audit is not None and life.audit.quit_elapsed is None:
        return f"the child {life.state()} before it was told to quit"
    if life.exited is not None and (life.exited.code or life.exited.signal):
        return f"told to quit, the child {life.state()}, where code 0 is due"
    return ""


def remedy(life: Life) -> str:
    """How a script says that a child is to end as this one did; empty where it cannot."""
    if life.exited is None or life.forced or life.fault is not None:
        return ""
    if life.exited.signal is not None:
        return f"if that is right, write ? signal {signal_name(life.exited.signal)}"
    return "" if life.exited.code is None else f"if that is right, write ? exit {life.exited.code}"


def broken(fault: Fault) -> str:
    """That the child broke the protocol, and how."""
    return f"the child broke the protocol: {fault.sentence}"


def _forced(life: Life) -> str:
    names = " and ".join(signal_name(sent.signal) for sent in life.forced)
    return f"{life.forced[0].reason}; {names} ended it"
