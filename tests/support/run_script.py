"""Runs a script against a fake session, on a virtual clock."""

from collections.abc import Iterable
from typing import Any

from tests.support.scripted_session import FakeSession, received
from tests.support.virtual_clock import VirtualClock
from tui_ipc.events import AnyEvent
from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.language.steps import Script
from tui_ipc.script.outcome import Outcome
from tui_ipc.script.runner.runner import Runner


def echo(value: Any) -> Iterable[AnyEvent]:
    """A child that answers each message."""
    return [received(f"echo {value}", answers=1)]


def silence(value: Any) -> Iterable[AnyEvent]:
    """A child that answers none."""
    return ()


def run(
    text: str | Script, session: FakeSession, timeout: float = 2.0, *, clock: VirtualClock | None = None
) -> Outcome:
    """Run a script; fails unless the session was left at the end."""
    reported: list[AnyEvent] = []

    async def tell(event: AnyEvent) -> None:
        reported.append(event)

    script = parse_script(text, "talk.tipc") if isinstance(text, str) else text

    async def main() -> Outcome:
        return await Runner(script, session.as_session(), timeout, tell).run()

    outcome = (clock or VirtualClock()).run(main())
    assert session.over
    assert reported
    return outcome


def detail_texts(outcome: Outcome, *titles: str) -> list[str]:
    """The texts of some details of an outcome."""
    return [text for title, text in outcome.details if title in titles]
