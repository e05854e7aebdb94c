"""The explorer over a recording: the same panes, and a bar that controls the replay.

A replay has no child: actions that need one say so. Everything else is as in the explorer.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from os.path import basename
from typing import Any, ClassVar, Final, NoReturn, Self

from textual import on
from textual.binding import Binding, BindingType

from tui_ipc.events import AnyEvent, MessageSent
from tui_ipc.recording.codec import RecordingError
from tui_ipc.recording.index import RecordingIndex
from tui_ipc.recording.reader import open_recording
from tui_ipc.recording.replay import Replay
from tui_ipc.session.conversation import NotConnected
from tui_ipc.session.diagnosis import Diagnosis
from tui_ipc.session.handshake import RunPhase
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_clock, format_time_of_day
from tui_ipc.tui import replay_moves, view_actions
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.file_actions import SaveScript
from tui_ipc.tui.keys import format_key
from tui_ipc.tui.session_controller import SessionPhase
from tui_ipc.tui.settings import Settings
from tui_ipc.tui.widgets.key_bar import SESSION
from tui_ipc.tui.widgets.log_view import LogView
from tui_ipc.tui.widgets.replay_bar import ReplayBar, decrease_speed, increase_speed

_REFUSALS: Final = {
    "end": ("Not ended", "A recording has no child to end."),
    "signal": ("Not signalled", "A recording has no child to signal."),
    "record": ("Not recorded", "This is a recording already."),
}
"""The notification for a key that needs a child: its title and sentence, by the action."""


class ReplayedSession:
    """A replay as the explorer takes a session: its events come, and what needs a child is refused."""

    match: str | None = None  # a recording does not say by which rule

    def __init__(self, replay: Replay) -> None:
        self._replay = replay

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.quit()

    async def ready(self) -> None:
        """Return at once: there is no handshake to wait for."""

    async def send(self, _value: Any) -> MessageSent:
        """Refuse; raises :class:`~tui_ipc.session.conversation.NotConnected`."""
        _refuse("no child receives what you send")

    async def restart(self) -> None:
        """Refuse; raises :class:`~tui_ipc.session.conversation.NotConnected`."""
        _refuse("it has no child to restart")

    def signal(self, number: int) -> None:
        """Refuse; raises :class:`~tui_ipc.session.conversation.NotConnected`."""
        _refuse(f"it has no child to send signal {number} to")

    def resize(self, rows: int, columns: int) -> None:
        """Do nothing: no child has a terminal here."""

    def add_note(self, text: str, about: int | None = None) -> None:
        """Refuse; raises :class:`~tui_ipc.session.conversation.NotConnected`."""
        _refuse(f"the note {text!r} about {about} cannot be added")

    def time_of(self, at: int) -> datetime | None:
        """Return the wall clock at a moment of the events; None where the recording does not say it."""
        return self._replay.time_of(at)

    def diagnosis(self) -> Diagnosis:
        """Say that no child runs."""
        return Diagnosis(phase=RunPhase.REPLAY)

    async def quit(self) -> None:
        """End the replay: no event follows. May be called again."""
        self._replay.close()

    def events(self) -> AsyncIterator[AnyEvent]:
        """Give the events of the replay, each when its time has come."""
        return self._replay.events()


def _refuse(reason: str) -> NoReturn:
    raise NotConnected(f"a recording is only shown: {reason}")


class ReplayApp(ExplorerApp):
    """Shows one recording.

    Args:
        replay: A replay that has not begun; the app begins it and ends it.
        path: The file that it is read from.
        open_replay: Opens the same file again, at a speed; raises RecordingError if that fails.
        save_script: Writes a script of what happened; without it that cannot be done.
        settings: The user's settings; None for the defaults.
    """

    IS_REPLAY = True

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+q",
            "quit",
            "Leave",
            priority=True,
            id="app.quit",
            group=SESSION,
            tooltip="Close the recording",
        ),
        # Without priority, since q can be typed in the palette.
        Binding("q", "quit", "Leave", show=False, id="replay.leave"),
        Binding(
            "ctrl+r",
            "restart",
            "Start again",
            priority=True,
            id="app.restart",
            group=SESSION,
            tooltip="Show the recording from its beginning",
        ),
        Binding("ctrl+t", "refuse('end')", "End the child", priority=True, show=False, id="app.end"),
        Binding("f4", "refuse('signal')", "Signal", show=False, id="app.signal"),
        Binding("f5", "refuse('record')", "Record", show=False, id="app.record"),
        Binding(
            "space",
            "play",
            "Play",
            key_display="␣",
            id="replay.play",
            tooltip="Space: pause the recording, or play on",
        ),
        *replay_moves.BINDINGS,
        Binding("T", "wall_clock", "Times", show=False, id="replay.clock"),
        Binding(
            "plus,equals_sign",
            "speed(1)",
            "Faster",
            key_display="+",
            id="replay.faster",
            tooltip="Play at twice the speed; beyond 64× without any pauses",
        ),
        Binding(
            "minus",
            "speed(-1)",
            "Slower",
            key_display="-",
            id="replay.slower",
            tooltip="Play at half the speed",
        ),
    ]

    action_step = replay_moves.step
    action_step_back = replay_moves.step_back
    action_go_live = replay_moves.go_live
    action_go_to_time = replay_moves.ask_for_time
    action_go_to_landmark = replay_moves.go_to_landmark

    def __init__(
        self,
        replay: Replay,
        path: str,
        *,
        open_replay: Callable[[float | None], Replay],
        save_script: SaveScript | None = None,
        settings: Settings | None = None,
    ) -> None:
        self._open_replay = open_replay
        self._is_restarting = False
        self._is_left = False
        self._replacing = asyncio.Lock()
        self.index: RecordingIndex | None = None
        self.replay = replay
        self.replay_bar = ReplayBar(replay, self._describe_time)
        super().__init__(
            ReplayedSession(replay),
            bottom_bar=self.replay_bar,
            source=f"replay {make_visible(basename(path))}",
            command=replay.command,
            save_script=save_script,
            settings=settings,
        )

    @property
    def _pending_action(self) -> None:
        """Nothing: no child has to end."""
        return

    def _describe_remedy(self) -> str:
        return f"{format_key(self, 'app.run')} for details"

    def _now(self) -> int:
        """The time of the replay, which passes while it plays."""
        if self.replay.is_followed and self.replay.playing and not self.replay.over:
            return super()._now()
        return self._latest[0] if self.replay.over else max(self._latest[0], self.replay.now)

    def _on_event(self, event: AnyEvent) -> None:
        super()._on_event(event)
        if self.wall_clock and self.session.time_of(event.at) is None:
            view_actions.refuse_wall_clock(self)

    def _on_ended(self, broken: RecordingError | None) -> None:
        """Say in what state the recording ended, unless the user ended the replay."""
        if self.controller.phase is SessionPhase.LEAVING:
            return
        # A file that was recorded anew seems broken where the reader goes on in it.
        if self.replay.is_replaced or (broken is not None and self._is_recorded_anew()):
            self.call_later(self.show_replacement)
        elif broken is not None:
            self.replay_bar.flaw = "the file is broken here"
            self.notify(str(broken), title="Broken", severity="error", timeout=30)
        elif problems := self.replay.problems:
            if self.replay.is_abandoned:
                self.replay_bar.flaw, title = "it was not ended", "Abandoned"
            elif self.replay.truncated:
                self.replay_bar.flaw, title = "the file breaks off", "Truncated"
            else:
                self.replay_bar.flaw, title = "events were skipped", "Skipped"
            self.notify("\n".join(problems), title=title, severity="warning", timeout=30)
        self.replay_bar.sync()

    def _is_recorded_anew(self) -> bool:
        try:
            return open_recording(self.replay.path).began != self.replay.began
        except RecordingError:
            return False

    async def show_replacement(self) -> None:
        """Show the recording that replaced the one that was followed."""
        self.notify("The file was replaced: this is the recording that it has now.", title="Replaced")
        await self.action_restart()

    async def action_restart(self) -> None:
        """Show the recording from its beginning."""
        try:
            replay = self._open_replay(self.replay.speed)
        except RecordingError as error:
            self.notify(str(error), title="Not started again", severity="error")
            return
        self.replace_replay(replay)
        self._begin_index()

    def replace_replay(self, replay: Replay, *, is_beginning: bool = True) -> None:
        """End one replay and begin another in the same panes.

        Args:
            replay: The other one.
            is_beginning: Whether it begins with the first event.
        """
        self.replay = replay  # at once: a move that comes before it is shown begins at its place
        self.run_worker(self._show_replay(replay, is_beginning), group="replace", exclusive=False)

    async def _show_replay(self, replay: Replay, is_beginning: bool) -> None:
        async with self._replacing:
            if self.replay is replay:  # else a later one is to be shown
                await self._begin_replay(replay, is_beginning)

    async def _begin_replay(self, replay: Replay, is_beginning: bool) -> None:
        # Its last words must not come into the panes once they are empty, and its end must not end the app.
        self._is_restarting = True
        await self.controller.wait_until_left()
        self._is_restarting = False
        if self._is_left:  # meanwhile
            self._on_session_over(None)
            return
        self.model.clear(is_beginning=is_beginning)
        self.log_view.action_cursor(self.model.log.end)
        self.output_view.action_follow()
        self.replay_bar.show(replay)
        self._take_session(ReplayedSession(replay))
        self._start_session()

    def on_mount(self) -> None:
        """Begin to read where things are (Textual calls the base class's own before)."""
        self._begin_index()

    def _begin_index(self) -> None:
        self.index = self.replay_bar.index = None
        self.run_worker(replay_moves.build_index(self), group="index", exclusive=True)

    def _describe_time(self, replay: Replay) -> str:
        """The time of the event that was shown last, as the log shows it."""
        at = replay.at
        if at is None:
            return ""
        time = replay.time_of(at) if self.wall_clock else None
        return f"{format_clock(at).strip()} s" if time is None else format_time_of_day(time)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what a replay has other keys for, or what it cannot do (Textual calls this)."""
        hidden = {"edit_again", "speed" if self.replay.is_followed else "go_live"}
        if action.removeprefix("app.") in hidden:
            return False
        return super().check_action(action, parameters)

    @on(LogView.EndRequested)
    def _on_end_requested(self) -> None:
        if self.replay.is_followed:
            self.action_go_live()

    def leave(self, code: int = 0) -> None:
        """Close the recording, and exit with a code."""
        self._is_left = True
        super().leave(code)

    @property
    def _is_leaving(self) -> bool:
        return super()._is_leaving and not self._is_restarting

    def _on_session_over(self, error: BaseException | None) -> None:
        if not self._is_restarting:
            super()._on_session_over(error)

    def action_refuse(self, action: str) -> None:
        """Say why an action of the explorer cannot be done in a replay."""
        title, text = _REFUSALS[action]
        self.notify(text, title=title, severity="warning")

    async def action_play(self) -> None:
        """Play, or pause; after the end, begin again."""
        if self.replay.over:
            await self.action_restart()
            return
        if self.replay.playing:
            self.replay.pause()
        else:
            self.replay.play()
        self.replay_bar.sync()

    def action_speed(self, direction: int) -> None:
        """Play faster (1) or slower (-1)."""
        change_speed = increase_speed if direction > 0 else decrease_speed
        self.replay.speed = change_speed(self.replay.speed)
        self.replay_bar.sync()
