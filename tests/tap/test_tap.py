"""A real host and a real child, with a tap between them, which must change nothing and see everything."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.sessions import child, describe_events, environment, is_alive, single_event
from tests.support.taps import find_relay, read_tap, tap
from tui_ipc import (
    Disconnected,
    FileDescriptor,
    OneShotServer,
    ProtocolError,
    Receiver,
    Sender,
    SharedMemory,
    TimedOut,
    channel,
    spawn,
)
from tui_ipc import events as ev
from tui_ipc.osutil.pidfd import Exit
from tui_ipc.osutil.waiting import wait as wait_for
from tui_ipc.recording.reader import open_recording
from tui_ipc.script.record_to_script import convert_events_to_script

ANSWERS = child("answers_in_kind")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Where the tap of a test records."""
    return tmp_path / "tap.rec"


@contextmanager
def tapped(
    recording: Path, command: list[str] = ANSWERS, **options: Any
) -> Iterator[tuple[subprocess.Popen[Any], Sender[Any], Receiver[Any]]]:
    """A host and a child that do not know of the tap."""
    options = {"stdout": subprocess.DEVNULL, "env": environment(), "timeout": 20, "grace": 20, **options}
    with spawn(tap(recording, command), **options) as ends:
        yield ends


def test_a_conversation_is_recorded_message_by_message_with_the_end_of_the_child(recording: Path) -> None:
    """What host and child say is the same as without a tap; their events are those of a session."""
    with tapped(recording) as (process, to_child, from_child):
        for message in ("hi", [1, None], b"\x00"):
            to_child.send(message)
            assert from_child.recv(timeout=20) == message
    assert process.returncode == 0
    events = read_tap(recording)
    assert [line for line in describe_events(events) if not line.startswith("note")] == [
        "listening",
        "spawned",
        "connected",
        "hello answers_in_kind.py",
        "open",
        "> 'hi'",
        "< 'hi' answers 1",
        "> [1, None]",
        "< [1, None] answers 2",
        "> b'\\x00'",
        "< b'\\x00' answers 3",
        "> 'quit'",
        "closed",
        "exited 0",
    ]
    assert single_event(events, ev.ChildSpawned).pid == process.pid
    assert {event.origin for event in events if isinstance(event, ev.MessageSent)} == {"parent"}
    assert single_event(events, ev.Note).text.startswith(f"the host is process {os.getpid()}: ")


def test_messages_of_every_size_pass_unchanged_in_both_directions(recording: Path) -> None:
    """Short ones, large ones, and those beside each limit; the digests of what was recorded are the same."""
    sizes = [0, 1, 32_760, 32_768, 70_000, 200_000, 3_000_000]
    contents = [hashlib.shake_128(bytes([size % 251])).digest(size) for size in sizes]
    with tapped(recording) as (_, to_child, from_child):
        for content in contents:
            to_child.send(content)
            assert from_child.recv(timeout=20) == content
        for content in contents[:4]:  # unanswered, all of them at once
            to_child.send(content)
        for content in contents[:4]:
            assert from_child.recv(timeout=20) == content
    events = read_tap(recording)
    expected = [*contents, *contents[:4]]
    sent = [event.value for event in events if isinstance(event, ev.MessageSent)]
    assert sent == [*expected, "quit"]
    assert [event.value for event in events if isinstance(event, ev.MessageReceived)] == expected


def test_what_passes_through_a_handle_is_seen_to_any_depth(recording: Path) -> None:
    """A channel inside a message has a number of its own, and so has one inside one of its messages."""
    with tapped(recording) as (_, to_child, from_child):
        reply, replies = channel()
        with replies:
            to_child.send({"call me": reply}, move=True)
            with replies.recv(timeout=20)["here"] as back:
                back.send("deep")
        assert from_child.recv(timeout=20) == "deep"
        later, messages = channel()
        with later:
            to_child.send({"receive": messages}, move=True)
            later.send_many(["one", "two", b"x" * 100_000])
        assert from_child.recv(timeout=20) == ["one", "two", b"x" * 100_000]
    events = read_tap(recording)
    messages_seen = [
        (type(event).__name__, event.channel, event.value)
        for event in events
        if isinstance(event, ev.MessageSent | ev.MessageReceived)
    ]
    assert sorted(messages_seen, key=lambda seen: seen[1]) == [
        ("MessageSent", 0, {"call me": "<sender>"}),
        ("MessageReceived", 0, "deep"),
        ("MessageSent", 0, {"receive": "<receiver>"}),
        ("MessageReceived", 0, ["one", "two", b"x" * 100_000]),
        ("MessageSent", 0, "quit"),
        ("MessageReceived", 1, {"here": "<sender>"}),
        ("MessageSent", 2, "deep"),
        ("MessageSent", 3, "one"),
        ("MessageSent", 3, "two"),
        ("MessageSent", 3, b"x" * 100_000),
    ]


def test_what_comes_through_a_sender_answers_the_message_that_brought_it(recording: Path) -> None:
    """The main channel owes no answer then."""
    with tapped(recording) as (_, to_child, from_child):
        reply, replies = channel()
        with replies:
            to_child.send({"send": reply, "n": 1}, move=True)
            assert replies.recv(timeout=20) == {"n": 1}
        assert from_child.recv(timeout=20) == {"kind": ["n", "send"]}
    answers = [
        (event.channel, event.answers)
        for event in read_tap(recording)
        if isinstance(event, ev.MessageReceived)
    ]
    assert answers == [(1, 1), (0, None)]


def test_a_handle_in_a_large_message_is_followed_as_well(recording: Path) -> None:
    """What it is, is known only when the body has come."""
    with tapped(recording) as (_, to_child, from_child):
        reply, replies = channel()
        with replies:
            to_child.send({"send": reply, "much": b"x" * 500_000}, move=True)
            assert replies.recv(timeout=20) == {"much": b"x" * 500_000}
        from_child.recv(timeout=20)
    seen = [
        (event.channel, event.value["much"])
        for event in read_tap(recording)
        if isinstance(event, ev.MessageReceived) and event.channel
    ]
    assert seen == [(1, b"x" * 500_000)]


def test_memory_and_files_pass_as_they_are(recording: Path, tmp_path: Path) -> None:
    """They are not channels: nothing is to be seen in them."""
    target = tmp_path / "target"
    with tapped(recording) as (_, to_child, from_child):
        with SharedMemory(b"shared") as memory:
            to_child.send({"memory": memory})
        assert from_child.recv(timeout=20) == b"shared"
        with target.open("wb") as file:
            to_child.send({"file": FileDescriptor(file)}, move=True)
        from_child.recv(timeout=20)
    assert target.read_bytes() == b"written by the child"
    read_tap(recording)


def test_a_child_that_carries_both_directions_on_its_connection_is_seen_as_well(recording: Path) -> None:
    """Inline mode: what ends is the connection, each direction for itself."""
    with tapped(recording, child("inline_echo")) as (process, to_child, from_child):
        to_child.send("hi")
        assert from_child.recv(timeout=20) == "inline: hi"
    assert process.returncode == 0
    lines = describe_events(read_tap(recording))
    assert lines[-5:] == ["> 'hi'", "< 'inline: hi' answers 1", "> 'quit'", "closed", "exited 0"]


@pytest.mark.parametrize(
    ("message", "code", "line"),
    [
        ({"exit": 7}, 7, "exited 7"),
        ({"signal": int(signal.SIGABRT)}, -signal.SIGABRT, "ended by SIGABRT"),
    ],
)
def test_the_host_learns_how_the_child_ended_as_without_a_tap(
    recording: Path, message: object, code: int, line: str
) -> None:
    """The process that it started is the child itself."""
    with tapped(recording) as (process, to_child, from_child):
        to_child.send(message)
        with pytest.raises(Disconnected):
            from_child.recv(timeout=20)
        assert process.wait(20) == code
    assert describe_events(read_tap(recording))[-1] == line


def test_standard_streams_are_those_that_the_host_gave(recording: Path) -> None:
    """A terminal is a terminal, and the rest is not."""
    master, slave = os.openpty()
    try:
        with tapped(recording, stdout=slave, stderr=subprocess.DEVNULL) as (_, to_child, from_child):
            to_child.send({"terminals": None})
            assert from_child.recv(timeout=20) == [False, True, False]
        read_tap(recording)
    finally:
        os.close(master)
        os.close(slave)


def test_a_child_that_is_stopped_holds_up_the_host(recording: Path) -> None:
    """As without a tap, only one buffer later; the relay does not read on and keep it all."""
    message = b"x" * 20_000
    with tapped(recording, grace=0.1) as (process, to_child, _):
        to_child.send({"stop": None})
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        sent = 0
        with suppress(TimedOut):
            while sent < 1000:
                to_child.send(message, timeout=0.5)
                sent += 1
        assert sent < 100
        assert recording.stat().st_size < 100 * len(message)
        process.kill()
    read_tap(recording)


def test_what_is_not_a_message_passes_and_is_a_fault(recording: Path) -> None:
    """The host finds out for itself; the recording says at which byte."""
    with tapped(recording, child("breaks_the_wire", "garbage"), grace=0) as (_, _, from_child):
        assert from_child.recv(timeout=20) == "so far so good"
        with pytest.raises(ProtocolError, match="0xc1"):
            from_child.recv(timeout=20)
    fault = single_event(read_tap(recording), ev.Fault)
    assert "0xc1" in fault.sentence


def test_a_child_that_is_silent_until_its_end_is_a_failed_handshake(recording: Path) -> None:
    """The host's server learns nothing of a relay."""
    with (
        pytest.raises(Disconnected, match="exited with status"),
        tapped(recording, child("exits", "spawned", "3")),
    ):
        pass
    assert describe_events(read_tap(recording))[-1] == "exited 3"


def test_if_the_relay_is_killed_both_sides_find_each_other_gone(recording: Path) -> None:
    """The child ends as it does without its parent."""
    with tapped(recording, grace=20) as (process, to_child, from_child):
        to_child.send("hi")
        from_child.recv(timeout=20)
        os.kill(find_relay(recording), signal.SIGKILL)
        with pytest.raises(Disconnected):
            from_child.recv(timeout=20)
        process.wait(20)


HOST = """
import sys
from tui_ipc import spawn
with spawn(sys.argv[1:], timeout=20) as (child, to_child, from_child):
    to_child.send("hi")
    from_child.recv(timeout=20)
    print(child.pid, flush=True)
    sys.stdin.read()
"""


def test_if_the_host_is_killed_nothing_is_left(recording: Path) -> None:
    """The child sees the end of its connection, and the relay the end of both."""
    command = [sys.executable, "-c", HOST, *tap(recording, ANSWERS)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
    ) as host:
        assert host.stdout is not None
        pid = int(host.stdout.readline())
        relay = find_relay(recording)
        with Exit(pid) as child_end, Exit(relay) as relay_end:
            host.kill()
            for end in (child_end, relay_end):
                assert wait_for(end.descriptors(), 1, None)
    assert not is_alive(pid)
    assert describe_events(read_tap(recording))[-1].startswith("exited")


@pytest.fixture
def tap_files(runtime_dir: Path) -> Iterator[Path]:
    """Where the recordings are that nobody named; removed after the test."""
    path = runtime_dir / "tui-ipc-taps"
    yield path
    shutil.rmtree(path)


def test_the_environment_taps_each_child_of_a_host_that_is_not_changed(
    tap_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its one-shot servers ask for it. The relay's own server does not."""
    monkeypatch.setenv("TUI_IPC_TAP", "1")
    pids = []
    for text in ("first", "second"):
        with spawn(ANSWERS, stdout=subprocess.DEVNULL, env=environment(), timeout=20, grace=20) as ends:
            pids.append(ends[0].pid)
            ends[1].send(text)
            assert ends[2].recv(timeout=20) == text
    recordings = [tap_files / f"{Path(sys.executable).name}-{pid}.rec" for pid in pids]
    assert sorted(tap_files.iterdir()) == sorted(recordings)
    for recording, text in zip(recordings, ("first", "second"), strict=True):
        lines = describe_events(read_tap(recording))
        assert lines[-5:] == [f"> {text!r}", f"< {text!r} answers 1", "> 'quit'", "closed", "exited 0"]
        assert list(open_recording(str(recording)).command) == ANSWERS


def test_where_no_tap_can_be_started_the_child_is_met_without_one(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUI_IPC_TAP", "1")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with OneShotServer() as server:
        assert os.path.exists(server.name)
    assert "no tap for the child of this process: it ended with status 1" in capfd.readouterr().err


def run_tap(*command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run ``tui-ipc --tap`` as a command."""
    return subprocess.run(
        [sys.executable, "-m", "tui_ipc", "--tap", *command],
        capture_output=True,
        text=True,
        env=environment(**more),
        timeout=60,
        check=False,
    )


def test_a_command_that_no_host_started_is_refused_with_what_to_do(recording: Path) -> None:
    """Exit code 2: somebody typed it."""
    done = run_tap("--record", str(recording), "--", "true")
    assert done.returncode == 2
    assert "no argument channel_name:NAME, and the environment no TUI_IPC_SERVER" in done.stderr
    assert not recording.exists()


def test_a_program_that_does_not_exist_is_named(recording: Path) -> None:
    """Exit code 3, as for every child that cannot be started."""
    with OneShotServer() as server:
        done = run_tap("--record", str(recording), "--", "no-such-program", TUI_IPC_SERVER=server.name)
    assert done.returncode == 3
    assert "no program named 'no-such-program'" in done.stderr
    read_tap(recording)


def test_a_child_that_cannot_be_recorded_runs_untapped(tmp_path: Path) -> None:
    """A tap never keeps a child from running."""
    with tapped(tmp_path / "missing" / "tap.rec", stderr=subprocess.PIPE) as (process, to_child, from_child):
        to_child.send("hi")
        assert from_child.recv(timeout=20) == "hi"
    assert process.stderr is not None
    with process.stderr:
        assert b"the child is not tapped: " in process.stderr.read()


def test_a_script_from_a_tap_plays_the_host(recording: Path) -> None:
    """It starts the child by its own command, and what took other channels is a comment."""
    with tapped(recording) as (_, to_child, from_child):
        to_child.send([1, 2])
        from_child.recv(timeout=20)
        reply, replies = channel()
        with replies:
            to_child.send({"send": reply, "n": 1}, move=True)
            replies.recv(timeout=20)
        from_child.recv(timeout=20)
    events = read_tap(recording)
    command = open_recording(str(recording)).command
    assert list(command) == ANSWERS
    lines = convert_events_to_script(events, command).splitlines()
    assert '# Left out, a script has the main channel only: received on channel 1 · {"n": 1}' in lines
    assert [line for line in lines if line.startswith((">", "<"))][:2] == ["> [1, 2]", "< [1, 2]"]
