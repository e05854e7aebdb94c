"""What lies over the explorer for a while: dialogs, help, the story of a run."""
