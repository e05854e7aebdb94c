"""What a session is asked to do with a child that misbehaves, before it is left."""

import asyncio
import os
import signal

import pytest

from tests.support.sessions import EventCollector, is_alive, output_of
from tui_ipc import events as ev
from tui_ipc.session.conversation import NotConnected
from tui_ipc.session.session import Session


async def leave(session: Session, _: EventCollector) -> None:
    """Be ready, and leave."""
    await session.ready()


async def wait_for_audit(_: Session, watch: EventCollector) -> None:
    """Wait until the run has ended of its own accord."""
    await watch.until(ev.Audit)


async def wait_for_message(_: Session, watch: EventCollector) -> None:
    """Wait for a message, and leave."""
    await watch.until(ev.MessageReceived)


async def wait_for_stop(_: Session, watch: EventCollector) -> None:
    """Wait until the child is stopped, and leave."""
    await watch.until(ev.ChildStopped)


async def wait_for_fault(_: Session, watch: EventCollector) -> None:
    """Wait for the fault, and leave."""
    await watch.until(ev.Fault)


async def greet_child(session: Session, watch: EventCollector) -> None:
    """Say ``hi``, and leave with the answer."""
    await session.ready()
    await session.send("hi")
    await watch.until(ev.MessageReceived, lambda event: event.answers is not None)


async def greet_after_message(session: Session, watch: EventCollector) -> None:
    """Wait for a message that was not asked for, say ``hi``, and leave with the answer."""
    await watch.until(ev.MessageReceived)
    await greet_child(session, watch)


async def send_at_the_same_time(session: Session, watch: EventCollector) -> None:
    """Send 8 MiB to a child that sends as much itself before it reads."""
    await session.ready()
    await session.send(b"p" * (8 * 1024 * 1024))
    first = await watch.until(ev.MessageReceived)
    assert first.value == b"c" * (8 * 1024 * 1024)
    await watch.until(ev.MessageReceived, lambda event: event.number == 2)


async def ask_late(session: Session, watch: EventCollector) -> None:
    """Ask what was answered before."""
    await watch.until(ev.MessageReceived)
    await session.send("hi")
    await watch.until_printed("already")


async def expect_send_refused(session: Session, watch: EventCollector) -> None:
    """Send to a child that has closed the way to it."""
    await watch.until(ev.MessageReceived)
    with pytest.raises(NotConnected, match="the child closed its channel"):
        await session.send("hi")


async def expect_send_delivered(session: Session, watch: EventCollector) -> None:
    """Send to a child that has closed the way from it."""
    await watch.until(ev.ChannelClosed)
    await session.send("hi")
    await watch.until_printed("heard hi")


async def quit_while_sending(session: Session, watch: EventCollector) -> None:
    """Send more than the kernel keeps to a child that reads nothing; leaving breaks that off."""
    await session.ready()
    sending = asyncio.create_task(session.send(b"x" * 10_000_000))
    await asyncio.sleep(0)
    await session.quit()
    with pytest.raises(NotConnected):
        await sending


async def wait_for_output(_: Session, watch: EventCollector) -> None:
    """Take some of a flood, and leave."""
    await watch.until(ev.EventBase, lambda event: isinstance(event, ev.ChildOutput | ev.MessageReceived))


async def expect_much_output(session: Session, watch: EventCollector) -> None:
    """Have 10 MB printed without a newline."""
    await session.ready()
    await session.send("go")
    await watch.until(ev.MessageReceived)
    assert b"0123456789" * 1_000_000 in output_of(watch.events)


async def end_the_daemon(session: Session, watch: EventCollector) -> None:
    """Leave; then end the daemon, which still lives: it is not ours, but this test's."""
    pid = int((await watch.until(ev.MessageReceived)).value)
    await session.quit()
    assert is_alive(pid)
    os.kill(pid, signal.SIGKILL)
