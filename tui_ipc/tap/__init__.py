"""The tap: relays what a parent and its child say to each other, and records it."""
