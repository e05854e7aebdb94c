"""The table of children that misbehave: what each of them makes of a session, event by event.

Every row is a real program with all its events. Whatever it does, the session ends in time and leaves no
process. The fixtures check that no descriptor, file or thread stays.
"""

from pathlib import Path

import pytest

from tests.support.misbehaving.after_hello import FAULTS, HALVES, ODD, PRINTING, STUBBORN, UNFINISHED
from tests.support.misbehaving.before_hello import EXITS, NO_HELLO, SILENT
from tests.support.misbehaving.rows import Row, describe_run
from tests.support.sessions import is_alive, run_session
from tui_ipc import events as ev
from tui_ipc.osutil import process_group

BOUND = 15e9
"""Nanoseconds that no row may take, far above what one does on a busy machine, far below what would hang."""

PARTS = (EXITS, SILENT, NO_HELLO, FAULTS, UNFINISHED, HALVES, STUBBORN, PRINTING, ODD)
TABLE = {name: row for part in PARTS for name, row in part.items()}


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_a_child_that_misbehaves(row: Row, tmp_path: Path) -> None:
    """Its whole story is told, in time, and nothing of it lives on."""
    place = tmp_path / "of the child"
    place.mkdir()
    events = run_session(row.command, row.act, cwd=str(place), **row.options)
    assert describe_run(events) == row.story
    assert events[-1].at < BOUND
    assert isinstance(events[-1], ev.Audit)
    assert not events[-1].files
    assert not any(map(is_alive, events[-1].processes))
    for event in events:
        if isinstance(event, ev.ChildSpawned):
            assert not is_alive(event.pid)
            assert not process_group.session_processes(event.pid)


def test_the_table_has_the_children_that_were_promised() -> None:
    """At least 25; a name used twice would hide a row."""
    assert len(TABLE) == sum(map(len, PARTS)) >= 25
