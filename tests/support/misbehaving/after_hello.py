"""Children that say a good hello, and misbehave then."""

from tests.support.misbehaving.actions import (
    ask_late,
    end_the_daemon,
    expect_much_output,
    expect_send_delivered,
    expect_send_refused,
    greet_after_message,
    greet_child,
    leave,
    quit_while_sending,
    send_at_the_same_time,
    wait_for_audit,
    wait_for_message,
    wait_for_output,
    wait_for_stop,
)
from tests.support.misbehaving.rows import (
    ASKED,
    BINARY,
    CLEAN,
    ENDED,
    INLINE,
    LATE,
    OUT_OF_STEP,
    POLITE,
    SEE,
    SOON,
    TERMINATED,
    Row,
    half_message,
    message_fault,
    wire_fault,
)
from tests.support.sessions import CONNECT_STEPS, OPEN_STEPS, child

REFUSED = (
    b"the receiver refused a message of 300005 bytes; send less at once, or raise its max_message_size\n"
)

FAULTS = {
    "says 0xc1": message_fault(
        b"\xc1", "0xc1 is not the first byte of a msgpack value (at byte 28)", OUT_OF_STEP
    ),
    "claims bytes of 4 GiB": message_fault(
        b"\xc6\xff\xff\xff\xff",
        "message of 4 294 967 300 bytes exceeds the limit of 67 108 864; raise it with --max-message-size",
    ),
    "claims a list of 2^31 items": message_fault(
        b"\xdd\x80\0\0\0",
        "message of 2 147 483 653 bytes exceeds the limit of 67 108 864; raise it with --max-message-size",
    ),
    "says an unknown ext type": message_fault(
        b"\xd4\x63\0",
        "unknown ext type 99 (at byte 28)",
        f"An ext type of the library's own: have it send plain maps, lists, text and bytes; {SEE}.",
    ),
    "nests too deeply": message_fault(b"\x91" * 2000, "a value is nested deeper than 1024 (at byte 1052)"),
    "says text that is not UTF-8": message_fault(
        b"\xa2\xff\xfe",
        "a str is not UTF-8: invalid start byte (at byte 28)",
        f"Bytes that are not text must be sent as bin, which many libraries do only if asked to; {SEE}.",
    ),
    "has a map as a key": message_fault(b"\x81\x80\x01", "a map is the key of a map (at byte 28)"),
    "claims a handle without a descriptor": message_fault(
        b"\xd4\x01\0",
        "a handle names descriptor 0, but 0 came with its message (at byte 28)",
        (
            "A descriptor travels with sendmsg and SCM_RIGHTS, and not through a proxy, ssh or a pipe: a "
            "child that cannot send any leaves to_child and from_child out of its hello (inline mode), and "
            "sends no handles."
        ),
    ),
    "claims more handles than came": wire_fault(
        child("attaches", "1", "d40101"),
        "a handle names descriptor 1, but 1 came with its message (at byte 32)",
    ),
    "passes a file as a channel": wire_fault(
        child("attaches", "1", "d40100"),
        "handle 0: an endpoint came with a descriptor that is not a socket (at byte 32)",
    ),
    "sends 254 descriptors": wire_fault(
        child("attaches", "254", "9301"),
        "254 descriptors came before one value was whole; 253 are allowed (at byte 32)",
    ),
}

UNFINISHED = {
    "says half a message and no more": half_message(b"\xa9half", " of 10 bytes", "a text"),
    "counts one pair more than it sends": half_message(
        b"\x83\xa1a\x01\xa1b\x02", "", "a map of 3 pairs, 2 of them whole"
    ),
    "claims a list that the limit allows": half_message(
        b"\xdd\0\x10\0\0", "", "a list of 1 048 576 items, 0 of them whole"
    ),
    "announces a large message, and ends in the middle of it": Row(
        command=child("announces_much"),
        story=[
            *OPEN_STEPS,
            ASKED,
            "fault: the peer is gone: it ended 16 bytes into a message",
            *ENDED,
            "left 0 processes, 16 bytes unread",
        ],
        act=leave,
    ),
    "says half a message and exits": Row(
        command=child("breaks_the_wire", "cut off"),
        story=[
            *INLINE,
            "< 'so far so good'",
            "fault: the peer is gone: it ended 10 bytes into a message of 36 bytes: a text",
            *ENDED,
            "left 0 processes, 10 bytes unread",
        ],
        act=wait_for_audit,
    ),
}

HALVES = {
    "closes its sender": Row(
        command=child("closes_channel", "sender"),
        story=[
            *OPEN_STEPS,
            "closed",
            "> 'hi'",
            ASKED,
            "exited 0",
            CLEAN,
            "stdout b'heard hi\\nheard quit\\n'",
        ],
        act=expect_send_delivered,
    ),
    "closes its receiver": Row(
        command=child("closes_channel", "receiver"),
        story=[
            *OPEN_STEPS,
            "< 'I do not listen'",
            'SIGTERM: "quit" could not be sent: the child closed its channel',
            *TERMINATED,
        ],
        act=expect_send_refused,
        options={"grace": 0.1},
    ),
    "sends a message that is too large, and goes on": Row(
        command=child("sends_too_much"),
        story=[
            *OPEN_STEPS,
            (
                "skipped: message of 300 005 bytes exceeds the limit of 200 000; "
                "raise it with --max-message-size"
            ),
            "< 'still here'",
            "> 'hi'",
            "< 'received hi' answers 1",
            *POLITE,
        ],
        act=greet_after_message,
        options={"max_message_size": 200_000},
    ),
    "shuts its writing direction down": Row(
        command=child("shuts_down", "writing"),
        story=[*INLINE, "closed", "exited 0", CLEAN],
        act=wait_for_audit,
    ),
    "shuts its reading direction down": Row(
        command=child("shuts_down", "reading"),
        story=[
            *INLINE,
            "< 'I do not listen'",
            'SIGTERM: "quit" could not be sent: the child closed its channel',
            *TERMINATED,
        ],
        act=expect_send_refused,
        options={"grace": 0.1},
    ),
    "never reads": Row(
        command=child("never_reads"),
        story=[
            *OPEN_STEPS,
            'SIGTERM: the child does not read: "quit" could not be sent in 0.1 s',
            *TERMINATED,
        ],
        act=quit_while_sending,
        options={"grace": 0.1},
    ),
}

STUBBORN = {
    "stops itself": Row(
        command=child("stops_itself", "after"),
        story=[
            *INLINE,
            "stopped by SIGSTOP",
            "SIGCONT: the child is stopped by SIGSTOP, and a stopped child cannot quit",
            "continued",
            ASKED,
            "< 'on my feet again'",
            *ENDED,
            CLEAN,
        ],
        act=wait_for_stop,
    ),
    "ignores quit": Row(
        command=child("ignores_quit"),
        story=[*OPEN_STEPS, ASKED, "< 'no quit'", LATE, *TERMINATED],
        act=leave,
        options={"grace": 0.1},
    ),
    "ignores quit and SIGTERM": Row(
        command=child("ignores_quit", "TERM"),
        story=[
            *OPEN_STEPS,
            ASKED,
            "< 'no quit'",
            LATE,
            "SIGKILL: the child had not ended 0.1 s after SIGTERM",
            "closed",
            "ended by SIGKILL",
            CLEAN,
            "stdout b'not at SIGTERM either\\n'",
        ],
        act=leave,
        options={"grace": 0.1},
    ),
    "leaves a process that holds its output": Row(
        command=child("leaves_process", "polite"),
        story=[
            *OPEN_STEPS,
            "< PID",
            *POLITE[:-1],
            "SIGTERM: the child ended and left processes behind: PID",
            "left 1 processes, 0 bytes unread",
            "stdout b'the first one out\\n'",
        ],
        act=wait_for_message,
    ),
    "leaves a job that ignores SIGTERM": Row(
        command=child("leaves_process", "stubborn"),
        story=[
            *OPEN_STEPS,
            "< PID",
            *POLITE[:-1],
            "SIGTERM: the child ended and left processes behind: PID",
            "SIGKILL: the child ended and left processes behind: PID",
            "left 1 processes, 0 bytes unread",
            "stdout b'the first one out\\n'",
        ],
        act=wait_for_message,
        options={"grace": 0.5},
    ),
    "starts a daemon": Row(
        command=child("leaves_daemon", "nothing"),
        story=[*INLINE, "< PID", *POLITE],
        act=end_the_daemon,
    ),
    "starts a daemon that holds its output": Row(
        command=child("leaves_daemon", "output"),
        story=[*INLINE, "< PID", ASKED, *ENDED, "left 0 processes, 0 bytes unread, stdout, stderr held"],
        act=end_the_daemon,
    ),
}

PRINTING = {
    "floods stdout": Row(
        command=child("floods", "output"),
        story=[*OPEN_STEPS, ASKED, SOON, *TERMINATED, "stdout b'xxxxxxxx' … b'xxxxxxxx'"],
        act=wait_for_output,
        options={"grace": 0.02},
    ),
    "floods stderr": Row(
        command=child("floods", "errors"),
        story=[*OPEN_STEPS, ASKED, SOON, *TERMINATED, "stderr b'xxxxxxxx' … b'xxxxxxxx'"],
        act=wait_for_output,
        options={"grace": 0.02},
    ),
    "floods messages": Row(
        command=child("floods", "messages"),
        story=[*OPEN_STEPS, f"< b'{'x' * 16}…{'x' * 19}'", ASKED, SOON, *TERMINATED],
        act=wait_for_output,
        options={"grace": 0.02},
    ),
    "prints binary": Row(
        command=child("prints_bytes"),
        story=[*OPEN_STEPS, *ENDED, CLEAN, f"stdout {BINARY!r}"],
        act=wait_for_audit,
    ),
    "prints 10 MB without a newline": Row(
        command=child("prints_much"),
        story=[
            *CONNECT_STEPS,
            "hello prints_much.py",
            "open",
            "> 'go'",
            "< 'done' answers 1",
            *POLITE,
            "stdout b'01234567' … b'xiting.\\n'",
        ],
        act=expect_much_output,
    ),
    "closes stdout and stderr": Row(
        command=child("closes_output"),
        story=[*INLINE, "> 'hi'", "< 'silently: hi' answers 1", *POLITE],
        act=greet_child,
    ),
}

ODD = {
    "says everything byte by byte": Row(
        command=child("writes_byte_by_byte"),
        story=[*INLINE, "> 'hi'", "< 'slowly: hi' answers 1", *POLITE],
        act=greet_child,
    ),
    "answers before it is asked": Row(
        command=child("answers_first"),
        story=[
            *INLINE,
            "< 'forty-two'",
            "> 'hi'",
            *POLITE,
            "stdout b'I answered hi already\\n'",
        ],
        act=ask_late,
    ),
    "sends 8 MiB before it reads 8 MiB": Row(
        command=child("sends_before_reading"),
        story=[
            *OPEN_STEPS,
            f"< b'{'c' * 16}…{'c' * 19}'",
            f"> b'{'p' * 16}…{'p' * 19}'",
            "< 8388608 answers 1",
            *POLITE,
        ],
        act=send_at_the_same_time,
    ),
    "connects twice": Row(
        command=child("connects_twice"),
        story=[*INLINE, "> 'hi'", "< 'still here: hi' answers 1", *POLITE, "stdout b'turned away\\n'"],
        act=greet_child,
    ),
    "removes the socket that it connected to": Row(
        command=child("removes_files", "socket"),
        story=[*INLINE, "> 'hi'", "< 'without it: hi' answers 1", *POLITE],
        act=greet_child,
    ),
    "removes the directory that it was started in": Row(
        command=child("removes_files", "directory"),
        story=[*INLINE, "> 'hi'", "< 'without it: hi' answers 1", *POLITE],
        act=greet_child,
    ),
}
