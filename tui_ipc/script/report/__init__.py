"""Reports of scripts: to people, to programs, and the files that a call leaves."""
