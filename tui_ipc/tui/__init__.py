"""Face 2: the explorer, a Textual app over one :class:`~tui_ipc.session.session.Session`.

Importing this package imports no module of it. :func:`tui_ipc.tui.launch.run_explorer` starts the explorer;
importing that module imports Textual.
"""
