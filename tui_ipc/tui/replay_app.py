"""The explorer over a recording: the same panes, and a bar that controls the replay.

There is no child: actions that need one say so. Everything else is as in the explorer.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from os.path import basename
from typing import Any, ClassVar, Final, NoReturn, Self

from textual.binding import Binding, BindingType

from tui_ipc.events import AnyEvent, MessageSent
from tui_ipc.recording.codec import RecordingError
from tui_ipc.recording.index import Landmark, RecordingIndex
from tui_ipc.recording.replay import Replay
from tui_ipc.session.conversation import NotConnected
from tui_ipc.session.diagnosis import Diagnosis
from tui_ipc.session.handshake import RunPhase
from tui_ipc.text.safe_text import make_visible
from tui_ipc.tui import view_actions
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.file_actions import SaveScript
from tui_ipc.tui.keys import format_key
from tui_ipc.tui.session_controller import SessionPhase
from tui_ipc.tui.settings import Settings
from tui_ipc.tui.widgets.bottom_bar import ReplayBar, decrease_speed, increase_speed
from tui_ipc.tui.widgets.key_bar import SESSION

_INDEX_SLICE: Final = 500  # events that are indexed without letting others run

_REFUSALS: Final = {
    "end": ("Not ended", "This is a recording: there is no child to end."),
    "signal": ("Not signalled", "This is a recording: there is no child to signal."),
    "record": ("Not recorded", "This is a recording already."),
}
"""The notification for a key that needs a child: its title and sentence, by the action."""


class ReplayedSession:
    """A replay as the explorer takes a session: its events come, and what needs a child is refused."""

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
        _refuse("there is no child to restart")

    def signal(self, number: int) -> None:
        """Refuse; raises :class:`~tui_ipc.session.conversation.NotConnected`."""
        _refuse(f"there is no child to send signal {number} to")

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
            "t",
            "go_to_time",
            "To a time",
            show=False,
            id="replay.time",
            tooltip="Go to a moment, in seconds since the session began, and pause there",
        ),
        Binding(
            "1",
            "go_to_next('fault')",
            "Next fault",
            show=False,
            id="replay.next_fault",
            tooltip="Go to the next fault or failed handshake, and pause there",
        ),
        Binding(
            "2",
            "go_to_next('unanswered message')",
            "Next unanswered",
            show=False,
            id="replay.next_unanswered",
            tooltip="Go to the next message that was never answered, and pause there",
        ),
        Binding(
            "3",
            "go_to_next('note')",
            "Next note",
            show=False,
            id="replay.next_note",
            tooltip="Go to the next note, and pause there",
        ),
        Binding(
            "4",
            "go_to_next('failed step')",
            "Next failed step",
            show=False,
            id="replay.next_failed_step",
            tooltip="Go to the next step of a script that failed, and pause there",
        ),
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
        self._index: RecordingIndex | None = None  # made when it is first needed
        self.replay = replay
        self.replay_bar = ReplayBar(replay)
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
        return self._latest[0]

    def _on_event(self, event: AnyEvent) -> None:
        super()._on_event(event)
        if self.wall_clock and self.replay.time_of(event.at) is None:
            view_actions.refuse_wall_clock(self)

    def _on_ended(self, broken: RecordingError | None) -> None:
        """Say in what state the recording ended, unless the user ended the replay."""
        if self.controller.phase is SessionPhase.LEAVING:
            return
        if self.replay.is_replaced:
            self.notify("The file was replaced: this is the recording that it has now.", title="Replaced")
            self.call_later(self.action_restart)
        elif broken is not None:
            self.replay_bar.flaw = "the file is broken here"
            self.notify(str(broken), title="Broken", severity="error", timeout=30)
        elif problems := self.replay.problems:
            if self.replay.is_abandoned:
                self.replay_bar.flaw, title = "its writer is gone", "Abandoned"
            elif self.replay.truncated:
                self.replay_bar.flaw, title = "the file breaks off", "Truncated"
            else:
                self.replay_bar.flaw, title = "events were skipped", "Skipped"
            self.notify("\n".join(problems), title=title, severity="warning", timeout=30)
        self.replay_bar.sync()

    async def action_restart(self) -> None:
        """Show the recording from its beginning."""
        try:
            replay = self._open_replay(self.replay.speed)
        except RecordingError as error:
            self.notify(str(error), title="Not started again", severity="error")
            return
        await self._replace_replay(replay)

    async def _replace_replay(self, replay: Replay) -> None:
        """End one replay and begin another on fresh panes; the filter stays.

        The old controller must be done before the panes that it feeds are replaced, and its end must not end
        the app.
        """
        self._is_restarting = True
        await self.controller.wait_until_left()
        self._is_restarting = False
        wanted = self.log_view.filter
        self.replay, self.replay_bar = replay, ReplayBar(replay)
        self._make_panes(ReplayedSession(replay), self.replay_bar)
        await self.recompose()
        self.log_view.set_filter(wanted)
        self._start_session()

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

    def action_step(self) -> None:
        """Show one more event, and pause there."""
        if self.replay.over:
            self.notify(f"The recording is over; {format_key(self, 'app.restart')} starts it again.")
            return
        self.replay.step()
        self.replay_bar.sync()

    def action_step_back(self) -> None:
        """Go back by one event."""
        position = self.replay.position - 1
        if position < 0:
            self._report_no_target("This is the beginning of the recording.")
        else:
            self._move(lambda _: position)

    def action_go_to_next(self, landmark: Landmark) -> None:
        """Go to the next event of some kind."""
        after = self.replay.position
        needs_all = landmark == "unanswered message"

        def find(index: RecordingIndex) -> int | None:
            return index.find_next(landmark, after)

        self._move(find, f"No {landmark} follows.", needs_all=needs_all)

    def action_go_to_time(self) -> None:
        """Ask for a moment, and go there."""

        def go(text: str | None) -> None:
            if text is None:
                return
            try:
                at = round(float(text) * 1e9)
            except (ValueError, OverflowError):
                self._report_no_target(f"Not a number of seconds: {text}")
                return
            self._move(lambda index: index.find_time(at), f"The recording ends before {text} s.")

        from tui_ipc.tui.screens.dialogs import LineScreen

        self.push_screen(LineScreen("Go to a time", "Seconds · Enter goes there · Esc cancels"), go)

    def _move(
        self,
        find: Callable[[RecordingIndex], int | None],
        none: str = "",
        *,
        needs_all: bool = False,
    ) -> None:
        """Go to an event that is found with the index, as far as that must be read."""
        if self.replay.is_followed:
            self._report_no_target("A recording that is followed only goes on.")
            return
        self.run_worker(self._find_and_show(find, none, needs_all=needs_all), group="move", exclusive=True)

    async def _find_and_show(
        self, find: Callable[[RecordingIndex], int | None], none: str, *, needs_all: bool
    ) -> None:
        try:
            index = self._index = self._index or RecordingIndex(self.replay.path)
            position = None if needs_all else find(index)
            while not index.is_whole and (position is None or index.position < position):
                index.read_on(_INDEX_SLICE)
                position = None if needs_all and not index.is_whole else find(index)
                await asyncio.sleep(0)
            position = find(index)
            if position is None:
                self._report_no_target(none)
                return
            checkpoint = index.find_checkpoint(position)
            replay = Replay(self.replay.path, speed=self.replay.speed, start=checkpoint)
        except RecordingError as error:
            self._report_no_target(str(error))
            return
        replay.go_to(position)
        await self._replace_replay(replay)

    def _report_no_target(self, reason: str) -> None:
        self.notify(reason, title="Not moved", severity="warning")

    def action_speed(self, direction: int) -> None:
        """Play faster (1) or slower (-1)."""
        change_speed = increase_speed if direction > 0 else decrease_speed
        self.replay.speed = change_speed(self.replay.speed)
        self.replay_bar.sync()
