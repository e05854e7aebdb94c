"""The actions that move in a recording, and their keys: by a step, to a time, to a fault or a note.

A move goes to a place that an index of the recording knows. The index is built beside the replay; what a
move needs of it is read first. To go back, the panes are emptied and filled again from a checkpoint.
"""

import asyncio
import math
from collections.abc import Callable
from datetime import datetime, time, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final

from textual.binding import Binding

from tui_ipc.recording.codec import RecordingError
from tui_ipc.recording.index import CONTEXT, Landmark, RecordingIndex
from tui_ipc.recording.reader import FOLLOW_INTERVAL
from tui_ipc.recording.replay import Replay
from tui_ipc.text.units import to_local_time
from tui_ipc.tui.keys import format_key

if TYPE_CHECKING:
    from tui_ipc.tui.replay_app import ReplayApp

INDEX_SLICE: Final = 0.004
"""Seconds for which events are indexed without letting others run."""

INDEX_PAUSE: Final = 0.001
"""Seconds between two slices while nobody waits for the index."""

_EVENTS_AT_ONCE: Final = 20  # between two looks at the clock: a large one takes long

_LANDMARK_KEYS: Final[tuple[tuple[str, Landmark, str], ...]] = (
    ("e", "fault", "fault or failed handshake"),
    ("s", "failed step", "step of a script that failed"),
    ("u", "unanswered message", "message that was never answered"),
    ("i", "note", "note"),
)
"""The key for the next one, with shift for the previous one; what it is, also in more words."""


def _make_landmark_bindings() -> list[Binding]:
    bindings = []
    for key, landmark, meaning in _LANDMARK_KEYS:
        name, short = landmark.replace(" ", "_"), landmark.removesuffix(" message")
        for pressed, word, direction in ((key, "next", 1), (key.upper(), "previous", -1)):
            bindings.append(
                Binding(
                    pressed,
                    f"go_to_landmark('{landmark}', {direction})",
                    f"{word.capitalize()} {short}",
                    show=False,
                    id=f"replay.{word}_{name}",
                    tooltip=f"Go to the {word} {meaning}, and pause there",
                )
            )
    return bindings


BINDINGS: Final[tuple[Binding, ...]] = (
    Binding(
        "full_stop,right",
        "step",
        "Step",
        key_display=".",
        id="replay.step",
        tooltip="Show the next event, and pause there",
    ),
    Binding(
        "comma,left",
        "step_back",
        "Step back",
        key_display=",",
        id="replay.back",
        tooltip="Go back by one event, and pause there",
    ),
    Binding(
        "end",
        "go_live",
        "Live",
        id="replay.live",
        tooltip="Show all that was recorded while the replay was paused, and follow the recording again",
    ),
    Binding(
        "t",
        "go_to_time",
        "To a time",
        show=False,
        id="replay.time",
        tooltip="Go to a moment, in seconds since the session began or by the time of day, and pause there",
    ),
    *_make_landmark_bindings(),
)


def step(app: "ReplayApp") -> None:
    """Show one more event, and pause there."""
    if app.replay.over:
        app.notify(f"The recording is over; {format_key(app, 'app.restart')} starts it again.")
        return
    app.replay.step()
    app.replay_bar.sync()


def step_back(app: "ReplayApp") -> None:
    """Go back by one event."""
    position = app.replay.destination - 1
    if position < 0:
        _refuse(app, "This is the beginning of the recording.")
    else:
        _move(app, lambda _: position, needed=position)


def go_to_landmark(app: "ReplayApp", landmark: Landmark, direction: int) -> None:
    """Go to the next event of some kind, or with -1 to the previous one."""
    here = app.replay.destination
    all_events = math.inf if landmark == "unanswered message" else None
    if direction > 0:
        _move(app, lambda index: index.find_next(landmark, here), f"No {landmark} follows.", all_events)
    else:
        needed = all_events or here
        _move(app, lambda index: index.find_previous(landmark, here), f"No {landmark} before this.", needed)


def ask_for_time(app: "ReplayApp") -> None:
    """Ask for a moment, and go there."""

    def go(text: str | None) -> None:
        if text is None:
            return
        try:
            at = _parse_time(app.replay, text)
        except ValueError as error:
            _refuse(app, str(error))
        else:
            _move(app, lambda index: index.find_time(at), f"The recording ends before {text}.")

    from tui_ipc.tui.screens.dialogs import LineScreen

    app.push_screen(LineScreen("Go to a time", "Seconds, or hh:mm:ss · Enter goes there · Esc cancels"), go)


def _parse_time(replay: Replay, text: str) -> int:
    """Return the moment of a recording that a text names: seconds, or a time of day on the day that is shown.

    Raises:
        ValueError: It names none; the text says why.
    """
    try:
        if ":" not in text:
            return round(float(text) * 1e9)
        wanted = time.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueError(f"Neither seconds nor a time of day: {text}") from None
    at = replay.at or 0
    shown = replay.time_of(at)
    if shown is None:
        raise ValueError("The recording does not say the time of day of its events; give seconds.")
    local = to_local_time(shown)
    there = datetime.combine(local.date(), wanted, wanted.tzinfo or local.tzinfo)
    return at + (there - local) // timedelta(microseconds=1) * 1000


def go_live(app: "ReplayApp") -> None:
    """Show at once what was recorded in the meantime, and follow the recording again."""
    replay, index = app.replay, app.index
    if replay.over or replay.playing:
        return
    if index is None or index.position - replay.position <= CONTEXT:
        replay.play()
        app.replay_bar.sync()
    else:
        app.run_worker(_show(app, index, index.position, plays=True), group="move", exclusive=True)


Find = Callable[[RecordingIndex], int | None]
"""Returns the number of the event to go to, as far as the index was read; None if there is none."""


def _move(app: "ReplayApp", find: Find, none: str = "", needed: float | None = None) -> None:
    """Go to an event that is found with the index, as far as that must be read.

    Args:
        app: The app.
        find: Finds it.
        none: What is said if there is none.
        needed: How many events must be read before it is known; None for up to the event itself.
    """
    app.run_worker(_find_and_show(app, find, none, needed), group="move", exclusive=True)


async def _find_and_show(app: "ReplayApp", find: Find, none: str, needed: float | None) -> None:
    index = app.index
    if index is None:
        return  # the recording cannot be read, which the replay says
    while not (index.is_whole or index.is_at_end):
        if find(index) is not None if needed is None else index.position >= needed:
            break
        _read_slice(index)
        await asyncio.sleep(0)
    position = find(index)
    if index.is_replaced:
        await app.show_replacement()
    elif needed == math.inf and not index.is_whole:
        _refuse(app, "Which messages stay unanswered is known once the recording is complete.")
    elif position is None:
        _refuse(app, none)
    else:
        await _show(app, index, position)


def _read_slice(index: RecordingIndex) -> None:
    until = monotonic() + INDEX_SLICE
    while monotonic() < until and not index.is_whole:
        index.read_on(_EVENTS_AT_ONCE)
        if index.is_at_end:
            return


async def _show(app: "ReplayApp", index: RecordingIndex, position: int, *, plays: bool = False) -> None:
    """Show the events up to that one, and pause there or play on."""
    replay = app.replay
    if not plays and not replay.over and 0 <= position - replay.destination <= CONTEXT:
        replay.go_to(position)
        app.replay_bar.sync()
        return
    try:
        replay = Replay(
            replay.path,
            speed=replay.speed,
            follow=replay.is_followed,
            start=index.find_checkpoint(position),
        )
    except RecordingError as error:
        _refuse(app, str(error))
        return
    if replay.began != index.began:
        await app.show_replacement()
        return
    if not plays:
        replay.go_to(position)
    app.replace_replay(replay, is_beginning=replay.position == 0)


def _refuse(app: "ReplayApp", reason: str) -> None:
    app.notify(reason, title="Not moved", severity="warning")


async def build_index(app: "ReplayApp") -> None:
    """Read the recording from beginning to end, beside the replay, and on while it grows."""
    try:
        index = RecordingIndex(app.replay.path, follow=app.replay.is_followed)
    except RecordingError:
        return  # the replay says it
    app.index = app.replay_bar.index = index
    while not index.is_whole:
        _read_slice(index)
        await asyncio.sleep(FOLLOW_INTERVAL if index.is_at_end else INDEX_PAUSE)
    app.replay_bar.sync()
