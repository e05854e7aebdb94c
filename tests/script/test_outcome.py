"""What several scripts come to."""

from tests.support.outcome_strategies import FAILED, INTERRUPTED, NOT_RUN, PASSED, REFUSED, UNRECORDED
from tui_ipc.script.outcome import Status, count_by_status, highest_exit_code


def test_the_worst_one_wins() -> None:
    """The highest exit code; what was not run asks for none."""
    assert highest_exit_code([]) == 0
    assert highest_exit_code([PASSED, NOT_RUN]) == 0
    assert highest_exit_code([PASSED, REFUSED, FAILED]) == 3
    assert highest_exit_code([REFUSED, INTERRUPTED, NOT_RUN]) == 130


def test_each_status_is_counted() -> None:
    """Also those that no script has."""
    assert count_by_status([PASSED, FAILED, REFUSED]) == {
        Status.PASSED: 1,
        Status.FLAKY: 0,
        Status.FAILED: 2,
        Status.INTERRUPTED: 0,
        Status.NOT_RUN: 0,
    }


def test_a_reason_is_never_empty_but_for_success() -> None:
    """What happened, else what went wrong with us, else what became of it."""
    reasons = [each.reason for each in (FAILED, UNRECORDED, NOT_RUN, PASSED)]
    assert reasons == ["a different message came than expected", "no room", "not run", ""]


def test_a_place_has_a_line_if_there_is_one() -> None:
    """As compilers write it."""
    assert (FAILED.location, REFUSED.location) == ("tests/add.tipc:2", "no.tipc")
