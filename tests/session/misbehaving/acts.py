"""What a session is asked to do with a child that misbehaves, before it is left."""

import asyncio
import os
import signal

import pytest

from tests.session.playing import Watch, lives, printed
from tui_ipc.session import events as ev
from tui_ipc.session.session import NotListening, Session


async def leave(session: Session, _: Watch) -> None:
    """Be ready, and leave."""
    await session.ready()


async def over(_: Session, watch: Watch) -> None:
    """Wait until the run has ended of its own accord."""
    await watch.until(ev.Audit)


async def hear(_: Session, watch: Watch) -> None:
    """Wait for a message, and leave."""
    await watch.until(ev.MessageReceived)


async def stopped(_: Session, watch: Watch) -> None:
    """Wait until the child is stopped, and leave."""
    await watch.until(ev.ChildStopped)


async def faulty(_: Session, watch: Watch) -> None:
    """Wait for the fault, and leave."""
    await watch.until(ev.Fault)


async def greet(session: Session, watch: Watch) -> None:
    """Say ``hi``, and leave with the answer."""
    await session.ready()
    await session.send("hi")
    await watch.until(ev.MessageReceived, lambda event: event.answers is not None)


async def past_each_other(session: Session, watch: Watch) -> None:
    """Send 8 MiB to a child that sends as much itself before it reads."""
    await session.ready()
    await session.send(b"p" * (8 * 1024 * 1024))
    first = await watch.until(ev.MessageReceived)
    assert first.value == b"c" * (8 * 1024 * 1024)
    await watch.until(ev.MessageReceived, lambda event: event.number == 2)


async def ask_late(session: Session, watch: Watch) -> None:
    """Ask what was answered before."""
    await watch.until(ev.MessageReceived)
    await session.send("hi")
    await watch.until_printed("already")


async def not_heard(session: Session, watch: Watch) -> None:
    """Send to a child that has closed the way to it."""
    await watch.until(ev.MessageReceived)
    with pytest.raises(NotListening, match="the child closed its channel: nobody listens"):
        await session.send("hi")


async def still_heard(session: Session, watch: Watch) -> None:
    """Send to a child that has closed the way from it."""
    await watch.until(ev.ChannelClosed)
    await session.send("hi")
    await watch.until_printed("heard hi")


async def never_read(session: Session, watch: Watch) -> None:
    """Send more than the kernel keeps to a child that reads nothing; leaving breaks that off."""
    await session.ready()
    sending = asyncio.create_task(session.send(b"x" * 10_000_000))
    await asyncio.sleep(0)
    await session.quit()
    with pytest.raises(NotListening):
        await sending


async def flooded(_: Session, watch: Watch) -> None:
    """Take some of a flood, and leave."""
    await watch.until(ev.Event, lambda event: isinstance(event, ev.ChildOutput | ev.MessageReceived))


async def much_printed(session: Session, watch: Watch) -> None:
    """Have 10 MB printed without a newline."""
    await session.ready()
    await session.send("go")
    await watch.until(ev.MessageReceived)
    assert b"0123456789" * 1_000_000 in printed(watch.events)


async def end_the_daemon(session: Session, watch: Watch) -> None:
    """Leave; then end the daemon, which still lives: it is not ours, but this test's."""
    pid = int((await watch.until(ev.MessageReceived)).value)
    await session.quit()
    assert lives(pid)
    os.kill(pid, signal.SIGKILL)
