"""Scripts with real children: what a process does at its end, in its output and under signals."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.run_script import detail_texts
from tests.support.sessions import child, make_options
from tui_ipc.events import AnyEvent
from tui_ipc.script import ExitCode
from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.outcome import Outcome
from tui_ipc.script.runner.run_state import MAX_BYTES
from tui_ipc.script.runner.runner import Runner
from tui_ipc.session.session import Session
from tui_ipc.text.units import format_count


def run(script: str, command: list[str] | None, timeout: float = 20.0, **options: Any) -> Outcome:
    """The verdict on a script."""

    async def tell(event: AnyEvent) -> None:
        pass

    async def main() -> Outcome:
        session = Session(command, make_options(**options))
        return await Runner(parse_script(script, "talk.tipc"), session, timeout, tell).run()

    return asyncio.run(main())


def python(path: Path, text: str) -> list[str]:
    """The command of a child by the library: ``text`` has ``sender`` and ``receiver``."""
    file = path / "child.py"
    file.write_text(
        f"from tests.support.children.library_child import meet\nsender, receiver = meet()\n{text}"
    )
    return [sys.executable, str(file)]


def passes(script: str, command: list[str] | None, **options: Any) -> None:
    verdict = run(script, command, **options)
    assert verdict.code is ExitCode.PASSED, verdict
    assert verdict.passed == verdict.total


def test_a_conversation_with_the_built_in_child() -> None:
    """Patterns, captures, output and the end."""
    passes(
        """
        expect stdout /Child process started/
        > {"op": "add", "args": [2, 3]}
        < /^Child received: .*add/
        expect stdout /Received from parent: .*add.*\\n/
        repeat 100
          > ping
          < {{answer}}
        end
        > {{answer}}
        < "Child received: Child received: ping"
        !< within 50ms
        quit
        expect stdout /^Child process exiting.$/
        ? exit 0
        ? clean
        """,
        None,
    )


def test_the_first_message_that_matches_is_found_among_a_thousand() -> None:
    """And the text that was printed before it, though it came in between."""
    passes("<~ 700\n< 701\nexpect stdout /before 699/\n<~ 999\n> done\n? exit 0", child("alternates"))


def test_a_child_is_killed_and_restarted() -> None:
    """By the script; the next run is one of its own."""
    passes(
        """
        > one
        <~ ...
        signal SIGKILL
        !< within 10s
        ? signal SIGKILL
        ? clean
        restart
        > two
        < "Child received: two"
        expect stdout /Child process started/
        restart
        > three
        < "Child received: three"
        """,
        None,
    )


def test_a_child_that_dies_in_a_repeat_is_reported_with_round_and_stderr() -> None:
    """Whether the message that it does not answer left or not."""
    verdict = run("repeat 100\n  > x\n  < {{n}}\nend", child("dies", "SIGSEGV"))
    assert verdict.code is ExitCode.CHILD_FAILED
    assert verdict.line in (2, 3)
    assert detail_texts(verdict, "round")[0].endswith("of 100 (repeat of line 1)")
    assert detail_texts(verdict, "child") == ["was ended by SIGSEGV"]
    assert detail_texts(verdict, "stderr") == ["and a complaint"]


def test_what_a_child_prints_only_when_it_exits_is_found(tmp_path: Path) -> None:
    """As a program does whose output is buffered in a pipe."""
    command = python(tmp_path, "print('late')\nreceiver.recv()\n")
    passes("> x\nexpect stdout /late/ within 15s\n? exit 0", command, pty=False)


def test_an_exit_code_can_be_asked_for(tmp_path: Path) -> None:
    """After quit, or by the child's own doing."""
    command = python(tmp_path, "raise SystemExit({'quit': 3, 'x': 4}[receiver.recv()])\n")
    passes("quit\n? exit 3", command)
    passes("> x\n? exit 4\nrestart\nquit\n? exit 3\n? clean", command)
    verdict = run("> x\n? exit 3", command)
    assert (verdict.code, verdict.line) == (ExitCode.UNEXPECTED, 2)
    assert verdict.sentence == "the child exited with code 4"
    verdict = run("> x\nquit", command)
    assert verdict.code is ExitCode.CHILD_FAILED


def test_a_child_that_ignores_quit_did_not_exit(tmp_path: Path) -> None:
    """Though SIGTERM makes it exit with code 0, as many programs do."""
    text = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit())\n"
    command = python(tmp_path, f"{text}sender.send('up')\nwhile True: signal.pause()\n")
    verdict = run("< up\nquit\n? exit 0", command, grace=0.2)
    assert (verdict.code, verdict.line) == (ExitCode.UNEXPECTED, 3)
    assert verdict.sentence == 'the child had not ended 0.2 s after "quit"; SIGTERM ended it'
    passes("< up\nsignal SIGTERM\n? exit 0", command)


def test_what_a_child_leaves_behind_is_named() -> None:
    """Only where a line asks."""
    verdict = run("< {{pid}}\nquit\n? exit 0\n? clean", child("leaves_process", "polite"))
    assert (verdict.code, verdict.line) == (ExitCode.UNEXPECTED, 4)
    assert verdict.sentence.startswith("the child left behind: 1 process (pid ")
    passes("< {{pid}}\nquit\n? exit 0", child("leaves_process", "polite"))


def test_raw_bytes_reach_the_child() -> None:
    """Two messages in one packet, and a number in more bytes than it needs."""
    passes('>raw a161a162cd0007\n> report\n< ["a", "b", 7]', child("reports_messages"))


def test_a_child_that_does_not_read_is_reported() -> None:
    """Once the channel is full; its own messages are read meanwhile."""
    verdict = run(
        "repeat 100000\n> xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nend", child("never_reads"), 0.3, grace=0.1
    )
    assert (verdict.code, verdict.line) == (ExitCode.TIMED_OUT, 2)
    assert verdict.sentence == "the child did not take the message within 0.3 s"
    assert "the child has read nothing for 3" in detail_texts(verdict, "diagnosis")[0]


def test_both_may_send_before_they_read(tmp_path: Path) -> None:
    """A script that sends in bulk reads what the child says, so that neither waits for the other for ever."""
    text = "for _ in range(3000):\n    receiver.recv()\n    sender.send(bytes(2000))\n    sender.send(1)\n"
    command = python(tmp_path, f"{text}receiver.recv()\n")
    passes("repeat 3000\n> x\nend\nrepeat 3000\n< ...\n< 1\nend\nquit\n? exit 0", command)


def test_scripts_run_with_an_inline_child() -> None:
    """With a message that comes in pieces."""
    passes('> hi\n< "slowly: hi"', child("writes_byte_by_byte"))


@pytest.mark.parametrize("flood", ["output", "errors"])
def test_a_flood_of_output_does_not_delay_deadlines(flood: str) -> None:
    """However much there is to search."""
    verdict = run("sleep 100ms\nexpect stdout /never/ within 300ms", child("floods", flood), grace=0.1)
    assert (verdict.code, verdict.line) == (ExitCode.TIMED_OUT, 2)


def test_a_flood_of_messages_is_bounded_in_memory() -> None:
    """The child is held up while the script sleeps; a wait for something else ends once no more is kept."""
    verdict = run("sleep 100ms\nexpect stdout /never/", child("floods", "messages"), 50, grace=0.1)
    assert (verdict.code, verdict.line) == (ExitCode.UNEXPECTED, 2)
    kept = format_count(MAX_BYTES // 65536)
    assert verdict.sentence.startswith(f"the child sent more than the {kept} messages that are kept")
