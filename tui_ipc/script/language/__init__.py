"""The script language below its face: lines to steps, steps to lines, and what is wrong with either."""
