"""Several scripts: what is reported of them, in which order, and what keeps some from being run."""

import asyncio
import errno
import signal
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tui_ipc.events import AnyEvent
from tui_ipc.script.attempts import ScriptOptions, choose_command
from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.language.steps import Script
from tui_ipc.script.outcome import Outcome, Status
from tui_ipc.script.output import Console, OutputLostError
from tui_ipc.script.suite import Suite, SuiteOptions
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import BUILTIN_CHILD_COMMAND

SCRIPTS = [parse_script("> x\n< Child received: x\n", name) for name in ("first", "second", "third")]


class Listener:
    """A reporter that does something at one of the reports.

    Args:
        at: The report at which it does that: the call's name, and the script's.
        deed: What it does.
    """

    def __init__(self, at: str = "", deed: Callable[[], object] = lambda: None) -> None:
        self.reported: list[str] = []
        self._at = at
        self._deed = deed

    async def _note(self, what: str) -> None:
        self.reported.append(what)
        if what == self._at:
            self._at = ""
            self._deed()
            for _ in range(3):  # turns of the loop, which hears of a signal between them
                await asyncio.sleep(0)

    async def begin(self, names: Sequence[str], /) -> None:
        await self._note("begin")

    async def begin_script(self, number: int, script: Script, command: Sequence[str], total: int, /) -> None:
        await self._note(f"begin {script.name} {total}")

    async def report_event(self, event: AnyEvent) -> None:
        if type(event).__name__ == "ChildExited":
            await self._note("exited")

    async def retry_script(self, number: int, outcome: Outcome, text: str, /) -> None:
        await self._note(f"{text} of {outcome.name}")

    async def end_script(self, number: int, outcome: Outcome, /) -> None:
        await self._note(f"end {outcome.name} {outcome.status}")

    async def end(self, outcomes: Sequence[Outcome], seconds: float, /) -> None:
        await self._note(f"end of {len(outcomes)}")


def run(
    *reporters: Listener, scripts: Sequence[Script] = SCRIPTS, retries: int = 0, **options: Any
) -> tuple[list[Outcome], int]:
    """The outcomes of a suite, and the exit code that it asks for; one script runs at a time."""
    suite = Suite(
        scripts,
        ScriptOptions(None, SessionOptions(timeout=10), retries=retries),
        SuiteOptions(jobs=1, **options),
        console=Console(None, None, {}),
        reporters=reporters,
    )
    outcomes = asyncio.run(suite.run())
    return outcomes, suite.code


def lose(number: int) -> Callable[[], None]:
    """Lose standard output, for this reason."""

    def deed() -> None:
        raise OutputLostError(OSError(number, "gone"))

    return deed


def test_every_reporter_gets_all_reports_in_order() -> None:
    """Of one script after the other."""
    first, second = Listener(), Listener()
    outcomes, code = run(first, second, scripts=SCRIPTS[:2])
    assert (code, [outcome.status for outcome in outcomes]) == (0, [Status.PASSED] * 2)
    assert (
        first.reported
        == second.reported
        == [
            "begin",
            "begin first 2",
            "exited",
            "end first passed",
            "begin second 2",
            "exited",
            "end second passed",
            "end of 2",
        ]
    )
    assert all(outcome.passed == outcome.total == 2 and outcome.seconds > 0 for outcome in outcomes)


@pytest.mark.parametrize(
    ("at", "statuses"),
    [
        ("begin", [Status.NOT_RUN] * 3),
        ("begin first 2", [Status.INTERRUPTED, Status.NOT_RUN, Status.NOT_RUN]),
        ("end first passed", [Status.PASSED, Status.NOT_RUN, Status.NOT_RUN]),
        ("end third passed", [Status.PASSED] * 3),
    ],
)
def test_a_signal_is_heard_whenever_it_comes(at: str, statuses: list[Status]) -> None:
    """Also between two scripts, and its exit code wins."""
    outcomes, code = run(Listener(at, lambda: signal.raise_signal(signal.SIGINT)))
    assert [outcome.status for outcome in outcomes] == statuses
    assert code == 130
    sentences = [outcome.sentence for outcome in outcomes if outcome.status is Status.INTERRUPTED]
    assert sentences in ([], ["SIGINT came"])  # no child was ended


@pytest.mark.parametrize(("number", "code"), [(errno.EPIPE, 141), (errno.ENOSPC, 2)])
@pytest.mark.parametrize(
    ("at", "statuses"),
    [
        ("begin", [Status.NOT_RUN] * 3),
        ("begin first 2", [Status.INTERRUPTED, Status.NOT_RUN, Status.NOT_RUN]),
        ("exited", [Status.INTERRUPTED, Status.NOT_RUN, Status.NOT_RUN]),
        ("end first passed", [Status.PASSED, Status.NOT_RUN, Status.NOT_RUN]),
        ("end of 3", [Status.PASSED] * 3),
    ],
)
def test_without_output_nothing_more_is_run(at: str, statuses: list[Status], number: int, code: int) -> None:
    """It is not a success wherever it is lost; the other reporters get all reports."""
    listener = Listener()
    outcomes, asked = run(Listener(at, lose(number)), listener)
    assert [outcome.status for outcome in outcomes] == statuses
    assert asked == code
    assert listener.reported[-1] == "end of 3"
    lost = [outcome for outcome in outcomes if outcome.status is Status.INTERRUPTED]
    reported = "" if number == errno.EPIPE else "standard output cannot be written: gone"
    assert [outcome.complaint for outcome in lost] == [reported] * len(lost)


def test_reported_messages_are_not_kept() -> None:
    """They may be large, and the scripts many."""
    reported: list[Outcome] = []

    class Ears(Listener):
        async def end_script(self, number: int, outcome: Outcome, /) -> None:
            reported.append(outcome)

    [outcome], code = run(Ears(), scripts=[parse_script("> x\n> y\n< ...\n")])
    assert code == 0
    assert [len(each.unexpected) for each in reported] == [1]
    assert (outcome.unexpected, outcome.unclaimed) == ((), 1)


def test_whose_command_is_run() -> None:
    """The given one, or else the script's own, or else the built-in child."""
    own = parse_script("spawn ./own -x\n")
    assert choose_command(own, ["./given"]) == ["./given"]
    assert choose_command(own, None) == ("./own", "-x")
    assert choose_command(SCRIPTS[0], None) == BUILTIN_CHILD_COMMAND
