"""Face 2: the explorer, a Textual app over one :class:`~tui_ipc.session.session.Session`.

Importing this package costs nothing; :func:`tui_ipc.tui.launch.run_explorer` is the door, and it
brings Textual.
"""
