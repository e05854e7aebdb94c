"""How a person names a signal."""

import signal

from tui_ipc.tui.signals import QUIT, choices


def values(text: str) -> list[int]:
    """The numbers that are offered."""
    return [choice.value for choice in choices(text)]


def test_without_a_text_the_usual_ones_are_offered() -> None:
    """Each says what it does; the orderly end comes first."""
    offered = choices("")
    assert [choice.value for choice in offered[:3]] == [QUIT, signal.SIGSTOP, signal.SIGCONT]
    assert {signal.SIGKILL, signal.SIGUSR1, signal.SIGHUP} <= set(values(""))
    assert all(choice.help for choice in offered)
    assert offered[1].title == f"SIGSTOP {signal.SIGSTOP.value}"


def test_a_number_is_that_signal() -> None:
    """Real-time signals too; a number that is none offers nothing."""
    assert values("9") == [signal.SIGKILL]
    assert values("40") == [40]
    assert values("0") == values("999") == values("12345678901234567890") == values("²") == []


def test_a_name_needs_no_case_and_no_prefix() -> None:
    """What it names exactly comes first; a part of a name finds all that have it."""
    assert values("term") == values("SIGTERM") == [signal.SIGTERM]
    assert values("int")[0] == signal.SIGINT
    assert set(values("usr")) == {signal.SIGUSR1, signal.SIGUSR2}
    assert values("ill") == [signal.SIGILL, signal.SIGKILL]
    assert values("quit")[0] == QUIT
    assert signal.SIGWINCH in values("winch")
    assert values("nonsense") == []
