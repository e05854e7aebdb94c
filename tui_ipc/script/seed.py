"""The conversation that this project grew from."""

from tui_ipc.script.language import Quit, Script, Send, Step

TEXTS = ("Hello from parent", "How are you?", "Goodbye!")


def conversation() -> Script:
    """Three messages, each sent once the one before was answered, then quit."""
    steps: list[Step] = []
    for text in TEXTS:
        steps += (Send(text), Answer())
    return Script("the built-in conversation", (*steps, Quit()))
