"""The channel library, usable alone; its public names are those of :mod:`tui_ipc`."""
