"""Recordings: the file format, writing it while a session runs, reading and replaying it."""
