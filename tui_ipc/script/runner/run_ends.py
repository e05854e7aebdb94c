"""Describes how a run of the child ended, and whether that is what a script expects.

A run ends well if the child ends with code 0 after it was asked to quit, without being forced. ``? exit`` and
``? signal`` say that it must end otherwise; ``? clean`` is expected in addition.
"""

from typing import assert_never

from tui_ipc.events import Fault
from tui_ipc.events.sentences import describe_leftovers
from tui_ipc.osutil.signals import signal_name
from tui_ipc.script.language.steps import ExpectClean, ExpectExit, ExpectSignal
from tui_ipc.script.runner.run_state import RunState

EndExpectation = ExpectExit | ExpectSignal | ExpectClean


def describe_expected_end(step: EndExpectation) -> str:
    """What a step expects, as the rest of a sentence."""
    match step:
        case ExpectExit():
            return f"exit with code {step.code}"
        case ExpectSignal():
            return f"end by {signal_name(step.number)}"
        case ExpectClean():
            return "end and leave nothing behind"
        case _:
            assert_never(step)


def suggest_cause_of_end(step: EndExpectation) -> str:
    """How a script makes a child end that does not end by itself."""
    match step:
        case ExpectSignal():
            return f"to end it, write signal {signal_name(step.number)} above this line"
        case ExpectExit() | ExpectClean():
            return "to tell it to end, write quit above this line"
        case _:
            assert_never(step)


def describe_mismatch(step: EndExpectation, run_state: RunState) -> str:
    """Why a run that is over did not end as a step expects; empty if it did."""
    assert run_state.exited is not None
    match step:
        case ExpectExit():
            if run_state.forced:
                return _describe_forced_end(run_state)
            is_met = run_state.exited.code == step.code
        case ExpectSignal():
            is_met = run_state.exited.signal == step.number
        case ExpectClean():
            left = [] if run_state.audit is None else describe_leftovers(run_state.audit)
            return f"the child left behind: {' · '.join(left)}" if left else ""
        case _:
            assert_never(step)
    return "" if is_met else f"the child {run_state.describe_state()}"


def describe_bad_end(run_state: RunState) -> str:
    """Why a run did not end well, where no step says how it must end; empty if it did."""
    if run_state.fault is not None:
        return describe_fault(run_state.fault)
    if run_state.forced:
        return _describe_forced_end(run_state)
    if run_state.audit is not None and run_state.audit.quit_elapsed is None:
        return f"the child {run_state.describe_state()} before it was asked to quit"
    if run_state.exited is not None and (run_state.exited.code or run_state.exited.signal):
        return f"asked to quit, the child {run_state.describe_state()}; code 0 was expected"
    return ""


def suggest_end_step(run_state: RunState) -> str:
    """How a script says that a child must end as this one did; empty if no step can say it."""
    if run_state.exited is None or run_state.forced or run_state.fault is not None:
        return ""
    if run_state.exited.signal is not None:
        return f"if that is right, write ? signal {signal_name(run_state.exited.signal)}"
    return "" if run_state.exited.code is None else f"if that is right, write ? exit {run_state.exited.code}"


def describe_fault(fault: Fault) -> str:
    """Describe how the child broke the protocol, or a limit."""
    if not fault.ends_channel:
        return f"a message of the child was skipped: {fault.sentence}"
    return f"the child broke the protocol: {fault.sentence}"


def _describe_forced_end(run_state: RunState) -> str:
    names = " and ".join(signal_name(sent.signal) for sent in run_state.forced)
    return f"{run_state.forced[0].reason}; {names} ended it"
