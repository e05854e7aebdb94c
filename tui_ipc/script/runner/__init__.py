"""Runs one script with a session."""
