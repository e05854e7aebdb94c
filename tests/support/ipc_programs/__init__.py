"""Programs that tests run as second processes: what a user might write, each with one way to (mis)behave.

``with running("silent", server.name) as process`` starts one. Its standard input is a pipe that the test
holds: a program that has nothing left to do waits for its end, so that none outlives its test, and none
sleeps.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.threads import PATIENCE

ROOT = Path(__file__).parents[3]


@contextmanager
def running(
    program: str, *arguments: str, env: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """Run a program of this directory; whatever the outcome, it has ended and is reaped after the block.

    Args:
        program: Its file's name, without ``.py``.
        arguments: Given to it.
        env: Its environment, on top of the test's own.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.support.ipc_programs.{program}", *arguments],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def outcome(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a program that ends by itself."""
    stdout, stderr = process.communicate(timeout=PATIENCE)
    return process.returncode, stdout, stderr


def said(process: "subprocess.Popen[str]") -> str:
    """The next line that a program prints, without its end."""
    assert process.stdout is not None
    line: str = process.stdout.readline()
    assert line.endswith("\n"), "the program ended"
    return line[:-1]
