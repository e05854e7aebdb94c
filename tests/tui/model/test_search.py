"""Search patterns, and the terms of the filter language."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.events import (
    AnyEvent,
    Audit,
    ChannelsOpen,
    ChildExited,
    ChildSpawned,
    ChildStopped,
    Fault,
    MessageReceived,
    MessageSent,
    ServerListening,
    SignalSent,
)
from tui_ipc.ipc.wire import encode
from tui_ipc.text.notation import render_value
from tui_ipc.tui.model.log_entry import LogEntry
from tui_ipc.tui.model.search import (
    FILTER_LIMIT,
    GRAMMAR,
    Filter,
    FilterError,
    SearchPatternError,
    compile_literal,
    compile_search,
    parse_filter,
)


@pytest.mark.parametrize(
    ("wanted", "text", "found"),
    [
        ("hello", "Say HELLO twice", "HELLO"),
        ("Hello", "hello, Hello", "Hello"),
        ("a.c", "abc a.c", "a.c"),
        (r"/a.c/", "xAbC", "AbC"),
        (r"/\S+x/", "ABX abx", "ABX"),  # the capital of an escape asks for nothing
        ("/A./", "ab Ab", "Ab"),
        ("/", "1/2", "/"),
        ("/usr", "cd /usr", "/usr"),
        ("/[[x]/", "a[b", "["),  # Python warns that this might mean something else one day
    ],
)
def test_what_is_found(wanted: str, text: str, found: str) -> None:
    """A text as it is, or a regular expression between slashes; a capital letter matches only itself."""
    match = compile_search(wanted).search(text)
    assert match is not None
    assert match.group() == found


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("/(/", "regex: missing ), unterminated subpattern at position 0"),
        ("//", "regex: nothing between the slashes"),
        ("/(?L)a/", "regex: bad inline flags: cannot use 'L' flag with a str pattern at position 3"),
        ("/a{99999999999}/", "regex: the repetition number is too large"),
        (f"/{'(' * 5000}{')' * 5000}/", "regex: nested too deeply"),
    ],
)
def test_an_invalid_regular_expression_is_reported(wanted: str, sentence: str) -> None:
    """The sentence says what is wrong, and where."""
    with pytest.raises(SearchPatternError) as caught:
        compile_search(wanted)
    assert str(caught.value) == sentence


@given(st.text(max_size=30) | st.text("/()[]{}*+?|\\^$.a1-<>=!#:", max_size=12).map("/{}/".format))
def test_any_text_can_be_looked_for_or_is_refused_with_a_sentence(text: str) -> None:
    """No text is a mistake of ours, and none warns."""
    try:
        compile_search(text).search(text)
    except SearchPatternError:
        assert text.startswith("/")


MS = 1_000_000


def sent(value: Any, run: int = 1) -> AnyEvent:
    """A message to the child."""
    return MessageSent(at=0, run=run, number=1, value=value, raw=encode(value))


def received(value: Any, elapsed: int | None = None) -> AnyEvent:
    """A message from the child."""
    return MessageReceived(at=0, run=1, number=1, value=value, raw=encode(value), elapsed=elapsed)


EVENTS: dict[str, AnyEvent] = {
    "listening": ServerListening(at=0, run=1, name="/run/server"),
    "spawned": ChildSpawned(at=0, run=1, pid=4242, command=("./echo",)),
    "open": ChannelsOpen(at=0, run=1),
    "add": sent({"op": "add", "args": [2, 3]}),
    "Hello": sent("Hello from parent", run=2),
    "sum": received({"op": "sum", "result": 5}, elapsed=7 * MS),
    "quick": received("quick", elapsed=61_000),
    "unasked": received("x" * 2000),
    "signal": SignalSent(at=0, run=1, signal=19, reason="you asked for it"),
    "stopped": ChildStopped(at=0, run=1, signal=19),
    "fault": Fault(at=0, run=1, sentence="the child broke the protocol"),
    "died": ChildExited(at=0, run=1, code=None, signal=9, user_seconds=0, system_seconds=0, max_rss=0),
    "clean": Audit(at=0, run=1, processes=(), files=(), unread=0, quit_elapsed=None),
}


def shown(text: str, *, inverted: bool = False) -> str:
    """The names of the events that pass a filter."""
    wanted = parse_filter(text, inverted=inverted)
    assert wanted is not None
    return " ".join(name for name, event in EVENTS.items() if _passes(wanted, event))


def _passes(wanted: Filter, event: AnyEvent) -> bool:
    return wanted.passes(event, lambda: LogEntry(event, event.run).text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("args", "add"),
        ("hello", "Hello"),
        ("HELLO", ""),
        ('"from parent"', "Hello"),
        ("'op\": \"s'", "sum"),
        ('"op": "add"', "add"),
        ("/op.: .s/", "sum"),
        ("sent", "add Hello"),
        (">", "add Hello"),
        ("received", "sum quick unasked"),
        ("<", "sum quick unasked"),
        ("messages", "add Hello sum quick unasked"),
        ("Message", "add Hello sum quick unasked"),
        ("handshake", "listening spawned open"),
        ("child", "spawned signal stopped died clean"),
        ("signals", "signal stopped"),
        ("faults", "fault died"),
        ("slower 5ms", "sum"),
        ("slower than 5 ms", None),
        ("slower than 0.005s", "sum"),
        ("faster 1ms", "quick"),
        ("larger 1KiB", "unasked"),
        ("smaller than 7b", "quick"),
        ("run 2", "Hello"),
        ("run 3", ""),
        ("received !slower 5ms", "quick unasked"),
        ("sent not add", "Hello"),
        ("!sent !received", "listening spawned open signal stopped fault died clean"),
        ("!!run 2", "Hello"),
        ("not !hello sent", "Hello"),
        ("received x", "unasked"),
        ("not", "clean"),
        ("run 2 x", ""),
    ],
)
def test_what_passes(text: str, names: str | None) -> None:
    """Every term narrows; quotes make a word of the language a text."""
    if names is None:
        with pytest.raises(FilterError, match="slower: 5 follows; write slower 5ms"):
            shown(text)
    else:
        assert sorted(shown(text).split()) == sorted(names.split())


def test_an_inverted_filter_shows_what_it_hid() -> None:
    """Together both show everything."""
    both = shown("messages op").split() + shown("messages op", inverted=True).split()
    assert sorted(both) == sorted(EVENTS)


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_text_is_not_a_filter(text: str) -> None:
    """So everything is shown."""
    assert parse_filter(text) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("slower", 'slower: nothing follows; write slower 5ms, or "slower" for the word itself'),
        ("slower than", 'slower: nothing follows; write slower 5ms, or "slower" for the word itself'),
        ("larger 5ms", 'larger: 5ms follows; write larger 1KiB, or "larger" for the word itself'),
        ("run away", 'run: away follows; write run 2, or "run" for the word itself'),
        ("/(/", "regex: missing ), unterminated subpattern at position 0"),
        ("/run", 'regex: the closing / is missing; write "/run" for the text itself'),
        ('"two words', 'the quote " is not closed; close it, or put /…/ around it'),
        ("x" * 1001, "the filter has 1 001 characters; at most 1 000 are allowed"),
    ],
)
def test_an_invalid_filter_is_reported(text: str, sentence: str) -> None:
    """The sentence says what to write."""
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    assert str(caught.value) == sentence


_WORDS = ("sent", "not", "!", "run", "2", "slower", "than", "5ms", '"', "'", "/", "a/", "/(", "faults")
_TEXTS = st.text(max_size=FILTER_LIMIT + 10) | st.lists(st.sampled_from(_WORDS), max_size=9).map(" ".join)


@given(_TEXTS, st.booleans())
def test_any_text_is_a_filter_or_a_sentence(text: str, inverted: bool) -> None:
    """Whatever is typed, every event can be put to the test."""
    try:
        wanted = parse_filter(text, inverted=inverted)
    except FilterError:
        return
    for event in EVENTS.values():
        assert wanted is None or _passes(wanted, event) in (True, False)


def test_what_is_cheap_is_tested_first() -> None:
    """The text of a message is not even written if its direction decides."""

    def text() -> str:
        raise AssertionError("not needed")

    wanted = parse_filter("/o/ hello sent")
    assert isinstance(wanted, Filter)
    assert not wanted.passes(EVENTS["sum"], text)


def test_the_text_is_written_once() -> None:
    """However many terms look at it."""
    written: list[str] = []

    def text() -> str:
        written.append("once")
        return "hello parent"

    wanted = parse_filter("hello parent /x?/")
    assert isinstance(wanted, Filter)
    assert wanted.passes(EVENTS["sum"], text)
    assert written == ["once"]


def test_every_form_in_the_help_is_a_filter() -> None:
    """Each example reads without an error."""
    for forms, _ in GRAMMAR:
        for form in forms.split(" · "):
            parse_filter(form)


def test_what_is_invisible_is_found_as_it_is_shown() -> None:
    """In output, where it is a symbol, and in a value, where it is an escape."""
    pattern = compile_literal("yes\u3164")
    assert pattern.search("yes‹U+3164›")
    assert pattern.search(render_value(["yes\u3164"]))
    assert not pattern.search("yes")
    assert compile_literal("a\tb").search(render_value("a\tb"))
