"""How scripts go and went, told to people on a terminal and to programs in their formats."""
