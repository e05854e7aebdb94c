"""Children that do not get through the handshake."""

from tests.support.misbehaving.actions import wait_for_audit
from tests.support.misbehaving.rows import (
    CLEAN,
    DISMISSED,
    GIVING_UP,
    HELLO,
    INLINE,
    MUST_CONNECT,
    MUST_GO_ON,
    SEE,
    Row,
    exits_at,
    failed_step,
    invalid_hello,
)
from tests.support.sessions import CONNECT_STEPS, child, wait_for_failed_handshake

ONE_CHANNEL = (
    "the child connected, but its first message, of N bytes, has no receiver under 'from_child', although it "
    "has 'to_child'; a hello has both or neither: {…}"
)
SWAPPED = (
    "the child connected, but its first message, of N bytes, has no sender under 'to_child', although it "
    "has 'from_child'; a hello has both or neither: {…}"
)

EXITS = {
    "exits before connecting": exits_at(
        "spawned",
        "3",
        "listening",
        "spawned",
        failed_step(
            "connected", "the child exited with code 3 before it connected", MUST_CONNECT, words=GIVING_UP
        ),
    ),
    "is killed before connecting": exits_at(
        "spawned",
        "SIGKILL",
        "listening",
        "spawned",
        failed_step(
            "connected", "the child was ended by SIGKILL before it connected", MUST_CONNECT, words=GIVING_UP
        ),
    ),
    "exits after connecting": exits_at(
        "connected",
        "0",
        *CONNECT_STEPS,
        failed_step("hello", "the child connected and exited with code 0 before its hello", words=GIVING_UP),
    ),
    "dies after connecting": exits_at(
        "connected",
        "SIGTERM",
        *CONNECT_STEPS,
        failed_step(
            "hello", "the child connected and was ended by SIGTERM before its hello", words=GIVING_UP
        ),
    ),
    "exits in the middle of its hello": exits_at(
        "half a hello",
        "1",
        *CONNECT_STEPS,
        failed_step(
            "hello",
            "the child connected and exited with code 1 before its hello, 9 bytes into its first message; "
            "it sent 83 a7 74 75 69 2d 69 70 63 (..tui-ipc)",
            words=GIVING_UP,
        ),
    ),
    "dies in the middle of its hello": exits_at(
        "half a hello",
        "SIGKILL",
        *CONNECT_STEPS,
        failed_step(
            "hello",
            "the child connected and was ended by SIGKILL before its hello, 9 bytes into its first message; "
            "it sent 83 a7 74 75 69 2d 69 70 63 (..tui-ipc)",
            words=GIVING_UP,
        ),
    ),
    "exits right after its hello": exits_at("hello", "0", *INLINE, "closed"),
    "dies right after its hello": exits_at("hello", "SIGKILL", *INLINE, "closed"),
    "exits after its first message": exits_at("message", "5", *INLINE, "< 'first and last'", "closed"),
    "dies after its first message": exits_at("message", "SIGUSR1", *INLINE, "< 'first and last'", "closed"),
    "hangs up and stays": Row(
        command=child("hangs_up"),
        story=[
            *CONNECT_STEPS,
            failed_step("hello", "the child connected and closed the connection before its hello"),
            *DISMISSED,
        ],
        act=wait_for_failed_handshake,
    ),
    "forks and exits before the other has connected": Row(
        command=child("double_forks", "before"),
        story=[
            "listening",
            "spawned",
            failed_step("connected", "the child exited with code 0 before it connected", MUST_CONNECT),
            "exited 0",
            "SIGTERM: the child ended and left processes behind: PID",
            "left 1 processes, 0 bytes unread",
        ],
        act=wait_for_failed_handshake,
    ),
    "forks and exits after the other has said hello": Row(
        command=child("double_forks", "after"),
        story=[
            *INLINE,
            "closed",
            "exited 0",
            "SIGTERM: the child ended and left processes behind: PID",
            "left 1 processes, 0 bytes unread",
        ],
        act=wait_for_audit,
    ),
}

SILENT = {
    "never connects": Row(
        command=child("never_connects"),
        story=[
            "listening",
            "spawned",
            failed_step(
                "connected",
                "the child did not connect within 0.5 s, and still runs",
                MUST_CONNECT,
                words='it printed on stdout: "I have my own plans"',
                late=True,
            ),
            *DISMISSED,
            "stdout b'I have my own plans\\n'",
        ],
        act=wait_for_failed_handshake,
        options={"timeout": 0.5},
    ),
    "connects and says nothing": Row(
        command=child("never_says_hello"),
        story=[
            *CONNECT_STEPS,
            failed_step("hello", "the child connected and sent nothing for some time", late=True),
            *DISMISSED,
        ],
        act=wait_for_failed_handshake,
        options={"timeout": 0.8},
    ),
    "connects and stops itself": Row(
        command=child("stops_itself", "before"),
        story=[
            *CONNECT_STEPS,
            "stopped by SIGSTOP",
            failed_step(
                "hello",
                "the child connected and sent nothing for some time: it is stopped by SIGSTOP",
                MUST_GO_ON,
                late=True,
            ),
            "SIGTERM: the handshake failed",
            "SIGCONT: the child is stopped by SIGSTOP, and a stopped child cannot quit",
            "continued",
            "SIGKILL: the child had not ended 0.1 s after SIGTERM",
            "ended by SIGKILL",
            CLEAN,
        ],
        act=wait_for_failed_handshake,
        options={"timeout": 0.8, "grace": 0.1},
    ),
    "says half a hello and no more": Row(
        command=child("sends_bytes", HELLO[:9].hex()),
        story=[
            *CONNECT_STEPS,
            failed_step(
                "hello",
                (
                    "the child connected and sent 9 bytes of its first message (a map of 3 pairs, 0 of them "
                    "whole), which was not complete after some time; it sent 83 a7 74 75 69 2d 69 70 63 "
                    "(..tui-ipc)"
                ),
                late=True,
            ),
            *DISMISSED,
        ],
        act=wait_for_failed_handshake,
        options={"timeout": 0.8},
    ),
}

NO_HELLO = {
    "speaks another protocol": invalid_hello(
        b"GET / HTTP/1.1\r\n\r\n",
        "its first message, of 1 byte, is not a map: 71; it sent "
        "47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a … (GET / HTTP/1.1..…)",
        f"That looks like HTTP: connect a plain Unix socket, without an HTTP library. {SEE}.",
    ),
    "begins with 0xc1": invalid_hello(
        b"\xc1", "0xc1 is not the first byte of a msgpack value (at byte 0); it sent c1 (.)"
    ),
    "sends its fields as a list": invalid_hello(
        b"\x93\x01\x07\xa1x",
        'its first message, of 5 bytes, is not a map: [1, 7, "x"]; it sent 93 01 07 a1 78 (....x)',
        (
            "That looks like a struct that is sent as a list of its values: have the library send it as a "
            f"map with names. {SEE}."
        ),
    ),
    "sends the length of its hello first": invalid_hello(
        b"\0\0\0\x1c" + HELLO,
        "its first message, of 1 byte, is not a map: 0; it sent "
        "00 00 00 1c 83 a7 74 75 69 2d 69 70 63 01 a3 70 … (......tui-ipc..p…)",
        (
            "That looks like a length of 4 bytes (28, big-endian) before the hello: messages follow each "
            f"other with nothing between them: leave it out. {SEE}."
        ),
    ),
    "is of version 2": invalid_hello(
        b"\x83\xa7tui-ipc\x02\xa3pid\x07\xa4name\xa1x",
        "its first message, of 22 bytes, is a hello of version 2, and this session speaks version 1: "
        '{"tui-ipc": 2, "pid": 7, "name": "x"}',
    ),
    "states no pid": invalid_hello(
        b"\x82\xa7tui-ipc\x01\xa4name\xa1x",
        'its first message, of 17 bytes, has no process id under \'pid\': {"tui-ipc": 1, "name": "x"}',
    ),
    "has one channel only": Row(
        command=child("odd_hello", "one channel"),
        story=[*CONNECT_STEPS, failed_step("hello", ONE_CHANNEL), *DISMISSED],
        act=wait_for_failed_handshake,
    ),
    "swaps its channels": Row(
        command=child("odd_hello", "swapped"),
        story=[*CONNECT_STEPS, failed_step("hello", SWAPPED), *DISMISSED],
        act=wait_for_failed_handshake,
    ),
    "claims a first message of 4 GiB": invalid_hello(
        b"\xc6\xff\xff\xff\xff",
        "message of 4 294 967 300 bytes exceeds the limit of 67 108 864; raise it with --max-message-size",
    ),
}
