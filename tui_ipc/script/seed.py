"""The conversation that this project grew from."""

from typing import Final

from tui_ipc.script.syntax.patterns import REST
from tui_ipc.script.syntax.steps import Expect, Quit, Script, Send, Step

TEXTS: Final = ("Hello from parent", "How are you?", "Goodbye!")


def conversation() -> Script:
    """Three messages, each sent once the one before was answered, whatever the answer; then quit."""
    steps: list[Step] = []
    for text in TEXTS:
        steps += (Send(text), Expect(REST))
    return Script("tui-ipc", (*steps, Quit()))
