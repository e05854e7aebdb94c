"""The tap: what a real parent and its real child say to each other, seen from between them."""
