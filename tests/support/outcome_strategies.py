"""Outcomes of scripts for tests of reports: some examples, and a strategy for any."""

from dataclasses import replace

from hypothesis import strategies as st

from tui_ipc.script import ExitCode
from tui_ipc.script.outcome import Outcome, Status

PASSED = Outcome("tests/talk.tipc", Status.PASSED, total=3, passed=3, seconds=0.0491, stdout="hello\n")
FAILED = Outcome(
    "tests/add.tipc",
    Status.FAILED,
    ExitCode.UNEXPECTED,
    total=3,
    passed=1,
    seconds=1.0,
    line=2,
    sentence="a different message came than expected",
    details=(("expected", '"y"'), ("", "~~~"), ("stderr", "one"), ("stderr", "\x1b[31mtwo")),
    recording="failures/add.rec",
)
REFUSED = Outcome("no.tipc", Status.FAILED, ExitCode.NO_HANDSHAKE, total=1, sentence="the child exited")
UNRECORDED = Outcome("c.tipc", Status.FAILED, ExitCode.USAGE, total=1, passed=1, complaint="no room")
INTERRUPTED = Outcome("d.tipc", Status.INTERRUPTED, 130, line=1, sentence="SIGINT came; the child was ended")
FLAKY = Outcome("f.tipc", Status.FLAKY, total=3, passed=3, seconds=0.5, failed_attempts=(FAILED,))
NOT_RUN = Outcome("e.tipc", Status.NOT_RUN, total=2)

HOSTILE = st.text(st.characters(exclude_categories=()), max_size=30) | st.sampled_from(
    [
        "",
        "]]>",
        "&amp;",
        "<x a='1'>",
        "# SKIP",  # in TAP this and the next are directives
        "# TODO x",
        "\\#",
        "ok 1",
        "  ...\n",
        "\x00\x1b\ufffe\ud800",
        "\r\n\t",
    ]
)
"""Text that means something to a reader of a report, or cannot be text; surrogates included."""


def outcomes(text: st.SearchStrategy[str] = HOSTILE) -> st.SearchStrategy[Outcome]:
    """Any outcome."""
    return st.builds(
        Outcome,
        text,
        st.sampled_from(Status),
        st.sampled_from([*ExitCode, 130, 143]),
        total=st.integers(0, 10**9),
        passed=st.integers(0, 10**9),
        seconds=st.floats(0, 1e6),
        line=st.integers(0, 10**6),
        sentence=text,
        details=st.lists(st.tuples(st.sampled_from(["expected", "", "no answer"]) | text, text)).map(tuple),
        recording=st.none() | text,
        complaint=text,
        failed_attempts=text.map(lambda each: (replace(FAILED, name=each, sentence=each),)),
        rewritten=text.map(lambda each: (each, each)),
        stdout=text,
        stderr=text,
    )
