"""Fuzzing for as long as you like: ``python -m tests.ipc.fuzz --seconds 60``.

Attacks the decoder on paper, a live receiver and a live one-shot server, in turns, each
turn with a seed of its own. A failure is shrunk, printed with the seed that finds it again (``--seed``), and
ends the run with exit code 1.
"""

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.support import attacks
from tests.support.hostile_messages import ON_PAPER, check_fates

_TURN = 200
"""Attacks of one kind in a row."""


def main() -> int:
    """Fuzz until the time is up."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.ipc.fuzz", description="Fuzz the decoder and live receivers."
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (60)")
    parser.add_argument("--seed", type=int, help="the seed of the first turn (random)")
    arguments = parser.parse_args()
    number = int.from_bytes(os.urandom(4), "big") if arguments.seed is None else arguments.seed
    end = time.monotonic() + arguments.seconds
    turns = 0
    with tempfile.TemporaryDirectory() as directory:
        os.environ["XDG_RUNTIME_DIR"] = directory
        while time.monotonic() < end:
            for name, strike in _STRIKES.items():
                try:
                    strike(number)
                except Exception:  # noqa: BLE001 - whatever it is, it must be reported with its seed
                    traceback.print_exc()
                    print(f"\n{name}: failed; find it again with --seed {number}", file=sys.stderr)
                    return 1
            number += 1
            turns += 1
    print(f"{turns} turns of {_TURN} attacks on each of {', '.join(_STRIKES)}: nothing found")
    return 0


def _turn(attack: Callable[..., object], **drawn_from: st.SearchStrategy[Any]) -> Callable[[int], None]:
    """One turn of attacks, chosen by a seed."""

    def run(number: int) -> None:
        @settings(
            max_examples=_TURN,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @seed(number)
        @given(**drawn_from)
        def turn(**drawn: Any) -> None:
            attack(**drawn)

        turn()

    return run


def _live(strike: Callable[[list[attacks.Read]], list[Any]]) -> Callable[[int], None]:
    """Attacks on something that really receives."""
    return _turn(lambda reads: attacks.survives(lambda: strike(reads)), reads=attacks.attacks)


_STRIKES: dict[str, Callable[[int], None]] = {
    "a decoder on paper": _turn(check_fates, **ON_PAPER),
    "a channel": _live(attacks.strike_channel),
    "a one-shot server": _live(attacks.strike_server),
}

if __name__ == "__main__":
    sys.exit(main())
