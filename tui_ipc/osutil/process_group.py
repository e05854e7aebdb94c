"""The processes that a child leaves behind.

A process is ours to end while it belongs to the session that the child was started in. A
daemon that makes a session of its own has said that it wants to outlive us, and may.
"""

import asyncio
import os
import signal
from typing import Final

from tui_ipc.osutil.descriptors import wait_until_readable

_POLL: Final = 0.02
"""Seconds between two looks where the kernel cannot tell us of an end."""

_DEAD: Final = (b"", b"Z", b"X")


def session_processes(session: int) -> tuple[int, ...]:
    """The live processes of a session, whatever their process group; zombies do not count.

    Read from ``/proc``, see proc_pid_stat(5); where there is none, the group of the session's leader stands
    for its processes if it still has any.
    """
    states = _read_states(session)
    return _group_as_a_whole(session) if states is None else tuple(sorted(states))


def stopped_processes(session: int) -> tuple[int, ...]:
    """Those of a session that are stopped, and so carry out no other signal than SIGKILL until they go on.

    None are found where the system does not tell.
    """
    return tuple(sorted(pid for pid, state in (_read_states(session) or {}).items() if state == b"T"))


def _group_as_a_whole(session: int) -> tuple[int, ...]:
    try:
        os.killpg(session, 0)
    except OSError:
        return ()
    return (session,)


def _read_states(session: int) -> dict[int, bytes] | None:
    """The live processes of a session, each with the letter of its state; None if nothing tells of them."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return None
    pids = [int(name) for name in names if name.isdecimal()]
    states = {pid: _read_state(pid, session) for pid in pids}
    return {pid: state for pid, state in states.items() if state not in _DEAD}


def _read_state(pid: int, session: int) -> bytes:
    """The letter of a process's state, empty if it is not of that session."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            stat = file.read()
    except OSError:  # it ended meanwhile, or is hidden from us and so not ours
        return b""
    state, _, _, its_session = stat[stat.rindex(b")") + 2 :].split(maxsplit=4)[:4]
    return state if int(its_session) == session else b""


def signal_processes(session: int, pids: tuple[int, ...], number: signal.Signals) -> None:
    """Send a signal to processes found by :func:`members`; those that ended meanwhile are passed over."""
    for pid in pids:
        try:
            if pid == session:
                os.killpg(session, number)
            else:
                os.kill(pid, number)
        except OSError:  # it ended meanwhile, or may not be signalled by us: the audit tells
            continue


async def wait_for_processes(session: int, within: float) -> bool:
    """Wait until a session has no process any more; False if it still has after ``within`` seconds."""
    try:
        async with asyncio.timeout(within):
            while pids := session_processes(session):
                await _wait_for_exit(pids[0])
    except TimeoutError:
        return not session_processes(session)
    return True


async def _wait_for_exit(pid: int) -> None:
    """Return some time after the end of a process, at once where the kernel can tell us."""
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        await asyncio.sleep(_POLL)
        return
    try:
        await wait_until_readable(descriptor)
    finally:
        os.close(descriptor)
