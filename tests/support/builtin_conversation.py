"""The lines that the built-in conversation prints."""

TRANSCRIPT = (
    "Parent process started",
    "One Shot Server name - Parent: ",
    "Child process ID: ",
    "Child process started",
    "Received from child: Child received: Hello from parent",
    "Received from child: Child received: How are you?",
    "Received from child: Child received: Goodbye!",
    "Child process exiting.",
    "Child process finished.",
)
"""How lines begin that must appear in this order, among others."""


def assert_is_builtin_conversation(output: str, *, is_met: bool = False) -> None:
    """Fail, naming the first line that is missing, unless the output holds the transcript.

    ``is_met`` is true for a parent whose child was met for it: it does not know the server's name, and the
    child has printed its first line by then.
    """
    lines = iter(output.splitlines())
    for expected in TRANSCRIPT:
        if is_met and expected in (TRANSCRIPT[1], TRANSCRIPT[3]):
            continue
        assert any(line.startswith(expected) for line in lines), (expected, output)
