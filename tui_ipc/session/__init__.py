"""The core: one spawned child becomes a stream of events, which is all that either face sees."""
