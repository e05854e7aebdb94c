"""Face 1: the same session without a screen, told by a script, judged by an exit code."""
