"""The conversation that this project grew from."""

from dataclasses import dataclass
from typing import Final

from tui_ipc.script.language import Quit, Script, Send, Step

TEXTS: Final = ("Hello from parent", "How are you?", "Goodbye!")


@dataclass(frozen=True, slots=True)
class Answer(Step):
    """Wait for the next message, whatever it says: the child may be any."""


def conversation() -> Script:
    """Three messages, each sent once the one before was answered, then quit."""
    steps: list[Step] = []
    for text in TEXTS:
        steps += (Send(text), Answer())
    return Script("tui-ipc", (*steps, Quit()))
