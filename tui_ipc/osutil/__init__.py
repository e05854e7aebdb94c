"""What the operating system gives: processes, descriptors, files, signals. Linux only."""
