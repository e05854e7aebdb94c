"""The explorer over a recording: the same panes, a bar to play it by, and nobody to talk to.

The rule: what needs a living child says that there is none; everything else is the explorer's own.
"""

from collections.abc import AsyncIterator, Callable
from os.path import basename
from typing import Any, ClassVar, NoReturn, Self

from textual.binding import Binding, BindingType

from tui_ipc.events import AnyEvent, MessageSent
from tui_ipc.recording.codec import RecordingError
from tui_ipc.recording.replay import Replay
from tui_ipc.session.conversation import NotConnected
from tui_ipc.session.diagnosis import Diagnosis
from tui_ipc.session.handshake import RunPhase
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_plural
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.file_actions import SaveScript
from tui_ipc.tui.keys import format_key
from tui_ipc.tui.session_controller import SessionPhase
from tui_ipc.tui.settings import Settings
from tui_ipc.tui.widgets.bottom_bar import ReplayBar, decrease_speed, increase_speed
from tui_ipc.tui.widgets.key_bar import SESSION

_REPLAY_HAS_NO_CHILD = "A recording is only shown: no child runs."


class ReplayedSession:
    """A replay as the explorer takes a session: its events come, and whatever needs a child is refused."""

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
        again: Makes another replay of the same file at a speed; raises RecordingError if it is gone.
        save_script: Writes a script of what happened; None if nobody does.
        settings: What the user wants; None for nothing in particular.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+q",
            "quit",
            "Leave",
            priority=True,
            id="app.quit",
            group=SESSION,
            tooltip="Show no more of the recording",
        ),
        Binding(
            "q", "quit", "Leave", show=False, id="replay.leave"
        ),  # no priority: q may be typed in the palette
        Binding(
            "ctrl+r",
            "restart",
            "Start again",
            priority=True,
            id="app.restart",
            group=SESSION,
            tooltip="Show the recording from its beginning",
        ),
        Binding("ctrl+t", "end", "End the child", priority=True, show=False, id="app.end"),
        Binding("f4", "signal", "Signal", show=False, id="app.signal"),
        Binding("f5", "record", "Record", show=False, id="app.record"),
        Binding(
            "space",
            "play",
            "Play",
            key_display="␣",
            id="replay.play",
            tooltip="Space: go on with the recording, or hold it where it is",
        ),
        Binding(
            "full_stop,right",
            "step",
            "Step",
            key_display=".",
            id="replay.step",
            tooltip="Show the next event and hold there",
        ),
        Binding(
            "plus,equals_sign",
            "speed(1)",
            "Faster",
            key_display="+",
            id="replay.faster",
            tooltip="Show the recording at twice the speed, up to no pause at all",
        ),
        Binding(
            "minus",
            "speed(-1)",
            "Slower",
            key_display="-",
            id="replay.slower",
            tooltip="Show the recording at half the speed",
        ),
    ]

    def __init__(
        self,
        replay: Replay,
        path: str,
        *,
        again: Callable[[float | None], Replay],
        save_script: SaveScript | None = None,
        settings: Settings | None = None,
    ) -> None:
        self._again = again
        self._beginning = False
        self._deck = replay
        self.replay_bar = ReplayBar(replay)
        super().__init__(
            ReplayedSession(replay),
            foot=self.replay_bar,
            source=f"replay {make_visible(basename(path))}",
            command=replay.command,
            save_script=save_script,
            settings=settings,
        )

    @property
    def _doing(self) -> None:
        return None

    def _on_ended(self, broken: RecordingError | None) -> None:
        if self._keeper.phase is SessionPhase.LEAVING:
            return
        if broken is not None:
            self.replay_bar.flaw = "the file is broken here"
            self.notify(make_visible(str(broken)), title="Broken", severity="error", timeout=30, markup=False)
        elif self._deck.truncated:
            self.replay_bar.flaw = "the file breaks off"
            rest = format_plural(self._deck.truncated, "byte")
            sentence = f"The recording breaks off: the last {rest} of the file are no whole event."
            self.notify(sentence, title="Truncated", severity="warning", timeout=30)
        self.replay_bar.sync()

    async def action_restart(self) -> None:
        """Show the recording from its beginning."""
        try:
            replay = self._again(self._deck.speed)
        except RecordingError as error:
            self.notify(make_visible(str(error)), title="Not started again", severity="error", markup=False)
            return
        await self._begin_again(replay)

    async def _begin_again(self, replay: Replay) -> None:
        """Leave one replay and begin another, on a screen as it was at first, but for the filter."""
        self._beginning = True
        await self._keeper.wait_until_left()
        self._beginning = False
        wanted = self.log_view.filter
        self._deck, self.replay_bar = replay, ReplayBar(replay)
        self._make_panes(ReplayedSession(replay), self.replay_bar)
        await self.recompose()
        self.log_view.set_filter(wanted)
        self._begin()

    def _on_over(self, error: BaseException | None) -> None:
        if not self._beginning:
            super()._on_over(error)

    def action_end(self) -> None:
        """Say that there is nothing to end."""
        self.notify(_REPLAY_HAS_NO_CHILD, title="Not ended", severity="warning", markup=False)

    def action_signal(self) -> None:
        """Say that there is nothing to signal."""
        self.notify(_REPLAY_HAS_NO_CHILD, title="Not signalled", severity="warning", markup=False)

    def action_record(self) -> None:
        """Say that there is nothing to record."""
        self.notify("This is a recording already.", title="Not recorded", severity="warning", markup=False)

    async def action_play(self) -> None:
        """Go on, or hold; after the end, begin again."""
        if self._deck.over:
            await self.action_restart()
            return
        if self._deck.playing:
            self._deck.pause()
        else:
            self._deck.play()
        self.replay_bar.sync()

    def action_step(self) -> None:
        """Show one more event, and hold there."""
        if self._deck.over:
            self.notify(
                f"The recording is over; {format_key(self, 'app.restart')} starts it again.", markup=False
            )
            return
        self._deck.step()
        self.replay_bar.sync()

    def action_speed(self, direction: int) -> None:
        """Go faster (1) or slower (-1)."""
        deck = self._deck
        deck.speed = increase_speed(deck.speed) if direction > 0 else decrease_speed(deck.speed)
        self.replay_bar.sync()
