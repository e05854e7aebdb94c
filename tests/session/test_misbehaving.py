"""The table of children that misbehave: what each of them makes of a session, event by event.

The one rule: every row is a real program, its whole story is stated, and whatever it did, the session ends in
time and nothing of it lives on. That no descriptor, file or thread stays is checked around every test.
"""

from pathlib import Path

import pytest

from tests.session.misbehaving.after_hello import FAULTS, HALVES, ODD, PRINTING, STUBBORN
from tests.session.misbehaving.before_hello import EXITS, NO_HELLO, SILENT
from tests.session.misbehaving.rows import Row, story
from tests.session.playing import lives, play
from tui_ipc.session import events as ev
from tui_ipc.session import group

BOUND = 15e9
"""Nanoseconds that no row may take, far above what one does on a busy machine, far below what would hang."""

PARTS = (EXITS, SILENT, NO_HELLO, FAULTS, HALVES, STUBBORN, PRINTING, ODD)
TABLE = {name: row for part in PARTS for name, row in part.items()}


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_a_child_that_misbehaves(row: Row, tmp_path: Path) -> None:
    """Its whole story is told, in time, and nothing of it lives on."""
    place = tmp_path / "of the child"
    place.mkdir()
    events = play(row.command, row.act, cwd=str(place), **row.options)
    assert story(events) == row.story
    assert events[-1].at < BOUND
    assert isinstance(events[-1], ev.Audit)
    assert not events[-1].files
    assert not any(map(lives, events[-1].processes))
    for event in events:
        if isinstance(event, ev.ChildSpawned):
            assert not lives(event.pid)
            assert not group.members(event.pid)


def test_the_table_has_the_children_that_were_promised() -> None:
    """At least 25; a name used twice would hide a row."""
    assert len(TABLE) == sum(map(len, PARTS)) >= 25
