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


def assert_is_builtin_conversation(output: str) -> None:
    """Fail, naming the first line that is missing, unless the output holds the transcript."""
    lines = iter(output.splitlines())
    for expected in TRANSCRIPT:
        assert any(line.startswith(expected) for line in lines), (expected, output)
