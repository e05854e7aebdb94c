"""The processes of a child's session: found, signalled, and waited for.

A process is ours to end while it belongs to the session that the child was started in. A daemon makes a
session of its own because it is to outlive the child, and may.
"""

import asyncio
import os
import signal
from typing import Final

from tui_ipc.osutil import procfs
from tui_ipc.osutil.async_waits import wait_until_readable
from tui_ipc.osutil.pidfd import Exit

_DEAD: Final = (b"Z", b"X")
"""The states of processes that have ended."""

_POLL_SECONDS: Final = 0.02
"""Seconds between two looks at a process while no descriptor is left to wait for its end with."""


def session_processes(sid: int) -> tuple[int, ...]:
    """Return the live processes of a session, whatever their process group; zombies do not count."""
    return tuple(sorted(_read_states(sid)))


def stopped_processes(sid: int) -> tuple[int, ...]:
    """Return those of a session that are stopped, and so react to SIGKILL and SIGCONT only."""
    return tuple(sorted(pid for pid, state in _read_states(sid).items() if state == b"T"))


def signal_processes(sid: int, pids: tuple[int, ...], number: signal.Signals) -> None:
    """Send a signal to processes of a session: to the whole process group of its leader, if that is one."""
    for pid in pids:
        try:
            if pid == sid:
                os.killpg(sid, number)
            else:
                os.kill(pid, number)
        except OSError:  # it has ended, or may not be signalled by us, which the audit tells
            continue


def kill_children() -> None:
    """End every child of this process, each with its process group if it leads one."""
    ours = os.getpid()
    for name in os.listdir(procfs.PROC):
        fields = procfs.read_stat(int(name)) if name.isdecimal() else []
        if fields and int(fields[1]) == ours:
            leads = int(fields[2]) == int(name)
            signal_processes(int(name) if leads else 0, (int(name),), signal.SIGKILL)


async def wait_for_processes(sid: int, timeout: float) -> bool:
    """Wait until a session has no process any more; False if it still has one after ``timeout`` seconds."""
    try:
        async with asyncio.timeout(timeout):
            while pids := session_processes(sid):
                await _wait_for_exit(pids[0])
    except TimeoutError:
        return not session_processes(sid)
    return True


def _read_states(sid: int) -> dict[int, bytes]:
    """Return the live processes of a session, each with the letter of its state."""
    states = {}
    for name in os.listdir(procfs.PROC):
        if not name.isdecimal():
            continue
        fields = procfs.read_stat(int(name))
        if fields and int(fields[3]) == sid and fields[0] not in _DEAD:
            states[int(name)] = fields[0]
    return states


async def _wait_for_exit(pid: int) -> None:
    """Return after the end of a process, or somewhat later or earlier where it cannot be waited for."""
    try:
        watched = Exit(pid)
    except OSError:  # no descriptor left
        await asyncio.sleep(_POLL_SECONDS)
        return
    with watched:
        for descriptor in watched.descriptors():
            await wait_until_readable(descriptor)
