"""The language of scripts: its steps, its parser, and the texts of both."""
