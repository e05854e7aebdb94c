"""A user's child, as the documentation has it."""

from tui_ipc.child import serve

serve(lambda message: f"you said {message}")
