"""The command line: its arguments, conflicts between options, and which face it opens."""
