"""What opens over the explorer: dialogs, the help, and the pages about a run."""
