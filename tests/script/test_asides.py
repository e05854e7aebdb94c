"""What is said where nobody may listen."""

import os
import sys

import pytest

from tui_ipc.script.asides import say


def test_lines_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its end."""
    say("one", "two")
    say()
    assert capsys.readouterr().err == "one\ntwo\n"


def test_whoever_does_not_listen_loses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed stream, a full disk, a reader that went away: no traceback, and all else goes on."""
    monkeypatch.setattr(sys, "stderr", None)
    say("lost")
    reading, writing = os.pipe()
    os.close(reading)
    for name in ("/dev/full", writing):
        stream = open(name, "w", buffering=1, encoding="utf-8")  # noqa: SIM115 - closing it fails, as it must
        monkeypatch.setattr(sys, "stderr", stream)
        say("lost")
        with pytest.raises(OSError, match=r"No space|Broken pipe"):
            stream.close()
