"""What a person or a program reads of a script's run: data on stdout, narration on stderr.

The one rule: a child's words reach a terminal only with their control characters made visible; a file or a
pipe gets them as they are.
"""

import codecs
import os
import sys
from typing import Any, Final, TextIO

from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.runner import Verdict
from tui_ipc.session.events import (
    ChildExited,
    ChildOutput,
    ChildSpawned,
    Event,
    MessageReceived,
    ServerListening,
)
from tui_ipc.session.notation import render

_KEPT: Final = "\n\t"


class Output:
    """Passes on what a child prints, as text and as it comes.

    Args:
        target: Where it goes.
        mark: What precedes each line.
    """

    def __init__(self, target: TextIO, mark: str = "") -> None:
        self._target = target
        self._mark = mark
        self._at_start = True
        self._visible = target.isatty()
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def write(self, data: bytes, *, final: bool = False) -> None:
        """Write a piece of output; the last one ends its line."""
        text = self._decoder.decode(data, final).replace("\r\n", "\n")
        if self._visible:
            text = "".join(char if char.isprintable() or char in _KEPT else _escaped(char) for char in text)
        for line in text.splitlines(keepends=True) if self._mark else ([text] if text else []):
            self._target.write(f"{self._mark if self._at_start else ''}{line}")
            self._at_start = line.endswith("\n")
        if final and not self._at_start:
            self._target.write("\n")
            self._at_start = True
        self._target.flush()


class Transcript:
    """Tells a run while it happens: the child's output, and in the seed's words what the parent sees.

    Args:
        narrate: Whether the parent's own lines are told as well.
    """

    def __init__(self, *, narrate: bool) -> None:
        self._narrate = narrate
        self._out = Output(sys.stdout)
        self._errors = Output(sys.stderr, "child stderr: ")
        self._say("Parent process started")

    def tell(self, event: Event) -> None:
        """Print what an event has to say."""
        match event:
            case ServerListening():
                self._say(f"One Shot Server name - Parent: {event.name}")
            case ChildSpawned():
                self._say(f"Child process ID: {event.pid}")
            case ChildOutput(stream="stdout"):
                self._out.write(event.data)
            case ChildOutput():
                self._errors.write(event.data)
            case MessageReceived():
                self._say(f"Received from child: {_plain(event.value)}")
            case ChildExited():
                self._out.write(b"", final=True)
                self._errors.write(b"", final=True)
                self._say("Child process finished.")

    def _say(self, line: str) -> None:
        if self._narrate:
            self._out.write(f"{line}\n".encode(errors="backslashreplace"))


def narrate(verdict: Verdict, name: str) -> None:
    """Say on stderr how a script ended."""
    if verdict.code is ExitCode.PASSED:
        steps = f"{verdict.passed} step{'' if verdict.passed == 1 else 's'}"
        print(f"{name}: {steps} passed in {verdict.seconds:.2f} s", file=sys.stderr)
        for message in verdict.unexpected:
            text = render(message.value, 100)
            print(f"{name}: message #{message.number} was not expected: {text}", file=sys.stderr)
        return
    place = f"{name}:{verdict.line}" if verdict.line else name
    print(f"{place}: {verdict.sentence}", file=sys.stderr)
    for title, text in verdict.details:
        print(f"  {title:<9} {_shown(text)}", file=sys.stderr)


def give_up_stdout() -> None:
    """Nobody reads our stdout any more: let what is still buffered for it go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _plain(value: Any) -> str:
    """A string as itself, anything else in the notation."""
    return value if isinstance(value, str) else render(value)


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
