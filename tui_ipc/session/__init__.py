"""A session: one child process, run as often as wanted, as a stream of events."""
