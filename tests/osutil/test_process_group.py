"""The processes of a session: found, and waited for."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tui_ipc.osutil import process_group


@pytest.fixture
def leader() -> Iterator["subprocess.Popen[bytes]"]:
    """The leader of a session with one more process, in a process group of its own."""
    script = "set -m; sleep 600 & echo ready; exec sleep 600"
    process = subprocess.Popen(["bash", "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process_group.signal_processes(process.pid, process_group.session_processes(process.pid), signal.SIGKILL)
    process.wait()
    process.stdout.close()


def test_members_are_found_in_whatever_group_and_zombies_are_not(leader: "subprocess.Popen[bytes]") -> None:
    pids = process_group.session_processes(leader.pid)
    assert len(pids) == 2
    assert leader.pid in pids
    assert os.getpgid(max(pids)) != os.getpgid(min(pids))
    leader.kill()
    os.waitid(os.P_PID, leader.pid, os.WEXITED | os.WNOWAIT)
    assert process_group.session_processes(leader.pid) == tuple(pid for pid in pids if pid != leader.pid)


@pytest.mark.parametrize("can_watch", [True, False])
def test_the_end_of_all_members_is_waited_for(
    leader: "subprocess.Popen[bytes]", can_watch: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where no descriptor is left to watch them with."""

    def refuse(_: int) -> int:
        raise OSError(24, "Too many open files")

    if not can_watch:
        monkeypatch.setattr(os, "pidfd_open", refuse)

    async def main() -> None:
        assert not await process_group.wait_for_processes(leader.pid, 0.01)
        ending = asyncio.create_task(process_group.wait_for_processes(leader.pid, 20))
        await asyncio.sleep(0)
        process_group.signal_processes(
            leader.pid, process_group.session_processes(leader.pid), signal.SIGTERM
        )
        assert await ending

    asyncio.run(main())


def test_a_signal_to_a_process_that_is_gone_is_passed_over() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    process_group.signal_processes(1, (process.pid,), signal.SIGTERM)
