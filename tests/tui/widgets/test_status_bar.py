"""F6, and what the status line says of rates and of streams that near full."""

import pytest

from tests.support.app_harness import FakeExplorerDriver, run_scene
from tui_ipc.osutil.descriptors import UnreadBytes
from tui_ipc.session.diagnosis import ChannelState, Diagnosis
from tui_ipc.session.handshake import RunPhase
from tui_ipc.tui.model.status import NANOSECONDS, RunMetrics
from tui_ipc.tui.widgets.status_bar import describe_backlog, render_metrics


def facts(full: float | None = None, *, sending: bool = False, phase: RunPhase = RunPhase.OPEN) -> Diagnosis:
    """What a session says of itself."""
    unread = UnreadBytes(size=200_000, any=True)
    return Diagnosis(
        phase=phase,
        unread_output=17,
        channels=ChannelState(
            send_buffer_usage=full, is_send_blocked=sending, unread_by_child=unread, unread_from_child=None
        ),
    )


def busy() -> RunMetrics:
    """Ten answers in the first second, and one in the third."""
    metrics = RunMetrics()
    for number in range(10):
        metrics.add_sent(number, 100)
        metrics.add_received(number, 200, 61_000 + number)
    metrics.add_received(2 * NANOSECONDS, 200, 5_000_000)
    return metrics


def test_the_panel_has_a_row_for_each_measure() -> None:
    """Latency, what is sent, what is received, what lies unread; each as wide as its place."""
    text = render_metrics(busy(), 3 * NANOSECONDS, facts(0.93), 110).plain.splitlines()
    assert text[0].startswith("latency   p50 61 µs   p95 5.0 ms  p99 5.0 ms  max 5.0 ms  11 answers")
    assert text[0].endswith("▁ █")
    assert text[1].startswith("sent           0/s       0 B/s  peak 10/s")
    assert text[2].startswith("received       1/s     200 B/s  peak 10/s")
    assert text[2].endswith("█·▁")
    assert text[3] == "unread    to the child 195 KiB (93% full)   from the child ?   child output 17 B"
    for width in (110, 76, 40, 10):
        rows = render_metrics(busy(), 3 * NANOSECONDS, facts(0.93), width).split()
        assert all(row.cell_length <= width for row in rows)


def test_one_answer_is_one_answer() -> None:
    """Whatever is counted has its plural only where there are several."""
    metrics = RunMetrics()
    metrics.add_received(0, 200, 61_000)
    assert "  1 answer  " in render_metrics(metrics, NANOSECONDS, facts(), 110).plain


def test_before_anything_was_said_the_panel_says_so() -> None:
    """Rather than show zeros for what is not known."""
    text = render_metrics(RunMetrics(), 0, Diagnosis(phase=RunPhase.HANDSHAKE), 76).plain
    assert "no answers yet" in text
    assert "no open channel" in text


def test_what_nears_full_is_worth_a_warning() -> None:
    """While the channel is open; a message that cannot leave is the worst."""
    assert describe_backlog(facts(0.8)) == "channel 80% full"
    assert describe_backlog(facts(1.0, sending=True)) == "channel full: a message is waiting"
    assert describe_backlog(facts(0.7)) == describe_backlog(facts(None)) == ""
    assert (
        describe_backlog(facts(1.0, phase=RunPhase.ENDED))
        == describe_backlog(Diagnosis(phase=RunPhase.OPEN))
        == ""
    )


def test_f6_shows_the_measures_and_hides_them() -> None:
    """Above the panes, while one goes on working; they follow what happens."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.press("f6")
        await it.until(lambda: "no answers yet" in it.frame())
        assert "F6 hides" in it.frame()
        await it.say("Hi")
        it.session.answer("Hello")
        it.session.facts = {
            "phase": RunPhase.OPEN,
            "channels": ChannelState(send_buffer_usage=0.5, unread_by_child=UnreadBytes(size=9, any=True)),
        }
        await it.until(lambda: "p50 61 µs" in it.frame() and "9 B (50% full)" in it.frame())
        await it.pilot.press("f6")
        await it.until(lambda: "max" not in it.frame())

    run_scene(scene, 80, 24)


def test_the_status_line_warns_of_a_full_channel() -> None:
    """Whether the panel is shown or not, and no longer than it lasts."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        it.session.facts = {"phase": RunPhase.OPEN, "channels": ChannelState(send_buffer_usage=0.9)}
        await it.until(lambda: "▲ channel 90% full" in it.text("who"))
        it.session.facts = {"phase": RunPhase.OPEN}
        await it.until(lambda: "full" not in it.text("who"))

    run_scene(scene)


def test_a_wide_status_line_says_what_passes() -> None:
    """From 160 columns on: the slowest of a hundred, and what passed in the last second."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.say("Hi")
        it.session.answer("Hello")
        await it.until(lambda: "p99 61 µs" in it.text("counts"))
        assert "/s" in it.text("counts")
        await it.pilot.resize_terminal(120, 36)
        await it.until(lambda: "p99" not in it.text("counts"))

    run_scene(scene, 200, 60)


def test_what_waits_is_said_with_its_age_and_the_key_that_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above, in the row and in About; a narrow status line gives its counts for it."""

    async def scene(it: FakeExplorerDriver) -> None:
        now = it.session.at
        monkeypatch.setattr(it.app, "_now", lambda: now)
        monkeypatch.setattr(it.app.log_view, "_now", lambda: now)
        monkeypatch.setattr(it.app.inspector, "_now", lambda: now)
        await it.connected()
        await it.say("Hi")
        await it.until(lambda: "1 sent" in it.text("counts"))
        assert it.text("waiting") == ""
        it.app.action_tab("about")
        now = it.session.at + 6_200_000_000
        await it.until(lambda: it.text("waiting") == "  ⧗ 1 waiting · 6.2 s (F3)")
        await it.until(lambda: any('"Hi"' in row and "⧗ 6.2 s" in row for row in it.rows("log")))
        await it.until(lambda: it.shows("page", "none yet, after 6.2 s"))
        await it.pilot.resize_terminal(80, 24)
        now += 1_000_000_000
        await it.until(lambda: it.text("waiting") == "  ⧗ 1 waiting · 7.2 s (F3)")
        assert it.text("counts") == ""
        assert it.text("who") == "echo · ● connected"
        it.session.answer("Hello", elapsed=7_300_000_000)
        await it.until(lambda: "1 received" in it.text("counts"))
        assert it.text("waiting") == ""
        assert any('"Hi"' in row and "7.3 s" in row for row in it.rows("log"))

    run_scene(scene)


def test_what_waits_in_vain_is_said_in_its_row() -> None:
    """And why, where there is room for it."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.say("Hi")
        await it.until(lambda: it.shows("log", '"Hi"'))
        it.app.action_tab("about")
        it.session.exit(1)
        await it.until(lambda: it.shows("page", "no answer (child exited)"))
        await it.until(lambda: it.shows("log", "no answer (child exited)"))
        await it.pilot.resize_terminal(104, 36)
        await it.until(lambda: not it.shows("log", "(child exited)"))
        assert it.shows("log", "no answer")

    run_scene(scene, 124, 36)
