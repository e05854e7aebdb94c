"""Text, without I/O: the notation of values, patterns, differences, units, and text made safe to show."""
