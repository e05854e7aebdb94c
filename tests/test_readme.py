"""What the README says of the explorer is what the explorer does; see test_documents.py for its examples."""

import re
from collections.abc import Iterator
from pathlib import Path

from textual.app import App
from textual.binding import Binding

from tests.support.documents import README, ROOT, find_block
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.keys import check_keys, collect_bindings
from tui_ipc.tui.replay_app import ReplayApp
from tui_ipc.tui.settings import load_settings
from tui_ipc.tui.widgets.bytes_view import BytesView
from tui_ipc.tui.widgets.inputs import MessageInput
from tui_ipc.tui.widgets.inspector import Inspector
from tui_ipc.tui.widgets.key_bar import group_rank
from tui_ipc.tui.widgets.line_view import LineView
from tui_ipc.tui.widgets.log_view import LogView
from tui_ipc.tui.widgets.output_view import OutputView
from tui_ipc.tui.widgets.searchable_view import SearchableView
from tui_ipc.tui.widgets.tail_view import TailView
from tui_ipc.tui.widgets.tree_view import TreeView

PLACES = {
    "anywhere": (ExplorerApp,),
    "message box": (MessageInput,),
    "log": (LogView,),
    "output": (OutputView,),
    "log, output": (SearchableView, TailView, LineView),
    "inspector": (Inspector, TreeView, BytesView),
    "a recording": (ReplayApp,),
}
"""Where keys work, and the classes that bind them there."""


def bindings() -> Iterator[tuple[str, list[Binding]]]:
    """For each place the bindings that explain themselves, in the order of the groups in the key bar."""
    for place, kinds in PLACES.items():
        there = [each for kind in kinds for each in vars(kind)["BINDINGS"] if each.tooltip]
        yield place, sorted(there, key=group_rank)


def test_the_readme_has_every_key() -> None:
    """Each action that the palette offers, with its key and its title, where it works."""
    app: App[None] = App()
    rows = [
        f"| {place} | {' · '.join(f'`{app.get_key_display(each)}` {each.description}' for each in there)} |"
        for place, there in bindings()
    ]
    assert README.read_text().split("| where | keys |\n|---|---|\n")[1].split("\n\n")[0].splitlines() == rows


def test_no_key_is_missing_from_the_places_of_the_readme() -> None:
    """Every binding that explains itself belongs to one of the places."""
    listed = {each.id for _, there in bindings() for each in there}
    assert {name for name, binding in collect_bindings().items() if binding.tooltip} <= listed


def test_the_settings_of_the_readme_are_settings(tmp_path: Path) -> None:
    """The file can be read without a complaint, and its keys belong to something."""
    path = tmp_path / "settings.toml"
    path.write_text(find_block(README, "toml", "theme"))
    settings = load_settings(path)
    assert (settings.problems, settings.theme, settings.remember) == ((), "nord", True)
    assert check_keys(settings.keys, collect_bindings()) == ({"app.restart": "f12"}, [])


def test_the_readme_shows_every_picture() -> None:
    """Each picture in screenshots/ once, with a text for readers who cannot see it."""
    shown = re.findall(r"!\[[^\]]+\]\((screenshots/[^)]+)\)", README.read_text())
    assert sorted(shown) == sorted(f"screenshots/{path.name}" for path in (ROOT / "screenshots").iterdir())


def test_the_readme_is_short() -> None:
    """A user reads at most 220 lines; the rest is in the documents that it links to."""
    assert len(README.read_text().splitlines()) <= 220
