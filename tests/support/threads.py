"""Runs functions in threads whose errors fail the test."""

import queue
import threading
from collections.abc import Callable

PATIENCE = 30.0
"""Seconds after which a test calls it a deadlock; far more than anything here takes."""


def in_threads(*works: Callable[[], object]) -> None:
    """Run each in a thread of its own and wait for all; the first error of any is raised here at once."""
    outcomes: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - carried to the test's own thread
            outcomes.put(error)
        else:
            outcomes.put(None)

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for _ in threads:
        try:
            error = outcomes.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError("deadlock") from None
        if error is not None:
            raise error
    for thread in threads:
        thread.join()


def check(found: object, expected: object) -> None:
    """Assert equality of type and value, without showing the difference between megabytes."""
    assert type(found) is type(expected)
    assert found == expected, "what arrived is not what was sent"
