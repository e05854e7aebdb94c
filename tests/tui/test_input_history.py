"""What was sent before: its order, and the file that keeps it whatever several explorers do at once."""

import asyncio
import fcntl
import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.unicode_text import is_safe, tricky_texts
from tui_ipc.tui.input_history import (
    HISTORY_LIMIT,
    LEARN_LIMIT,
    STORED_TEXT_LIMIT,
    VOCABULARY_LIMIT,
    WORD_LIMIT,
    InputHistory,
    MessageSuggester,
    Vocabulary,
    history_path,
)


def kept(path: Path) -> list[str]:
    """What a start finds."""
    history = InputHistory(path)
    history.load()
    return list(history)


def make_history(path: Path | None, texts: Sequence[str]) -> InputHistory:
    """A history to which texts were added."""
    history = InputHistory(path)
    history.load()
    for text in texts:
        history.add(text)
    return history


def test_texts_are_kept_across_starts(tmp_path: Path) -> None:
    """The next start knows what was sent in this one, each text once, at its last place."""
    path = tmp_path / "state" / "history"
    make_history(path, ["one", "two", "one", "three"])
    assert kept(path) == ["two", "one", "three"]


def test_a_draft_is_kept_until_the_end_alone(tmp_path: Path) -> None:
    """It was not sent: the next start does not know it."""
    path = tmp_path / "history"
    history = make_history(path, ["one"])
    history.keep("draft")
    history.add("two")
    assert list(history.newest_first("")) == ["two", "draft", "one"]
    assert kept(path) == ["one", "two"]


def test_the_file_is_private(tmp_path: Path) -> None:
    """The file and the directory that are made for it belong to the user alone, after trimming too."""
    path = tmp_path / "state" / "history"
    make_history(path, ["one", "one"])
    kept(path)
    assert path.read_text() == "one\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_history_is_bounded(tmp_path: Path) -> None:
    """The oldest texts go, from the memory at once, from the file at the next start."""
    path = tmp_path / "history"
    texts = [str(number) for number in range(HISTORY_LIMIT + 10)]
    assert list(make_history(path, texts)) == texts[10:]
    assert kept(path) == texts[10:]
    assert path.read_text().split() == texts[10:]


def test_a_secret_is_not_remembered(tmp_path: Path) -> None:
    """A text that begins with a space leaves no trace, as in a shell; nor does an empty one."""
    path = tmp_path / "history"
    assert list(make_history(path, [" password", ""])) == []
    assert path.read_bytes() == b""


def test_a_very_long_text_is_remembered_until_the_end_only(tmp_path: Path) -> None:
    """The file stays small."""
    path = tmp_path / "history"
    text = "x" * (STORED_TEXT_LIMIT + 1)
    assert list(make_history(path, [text])) == [text]
    assert kept(path) == []


def test_without_a_file_nothing_is_kept() -> None:
    """It can be turned off."""
    assert list(make_history(None, ["one"])) == ["one"]


def test_texts_that_go_on_are_found_newest_first() -> None:
    """They begin as asked, and are more than that."""
    history = make_history(None, ["add 1", "sub", "add 2", "add"])
    assert list(history.newest_first("add")) == ["add 2", "add 1"]
    assert list(history.newest_first("")) == ["add", "add 2", "sub", "add 1"]


WRITE = """\
import sys
from pathlib import Path
from tui_ipc.tui.input_history import InputHistory
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for start in range(5):
    history = InputHistory(path)
    history.load()
    for number in range(count):
        history.add(f"{name} {start} {number}")
        history.add("the same")  # so that each start has something to trim
"""


def test_explorers_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    """Several that start, trim and append at the same time leave every text, each in its order."""
    path = tmp_path / "history"
    names, count = ("a", "b", "c"), 20
    writers = [subprocess.Popen((sys.executable, "-c", WRITE, str(path), name, str(count))) for name in names]
    assert [writer.wait(30) for writer in writers] == [0, 0, 0]
    texts = kept(path)
    for name in names:
        own = [text for text in texts if text.startswith(name)]
        assert own == [f"{name} {start} {number}" for start in range(5) for number in range(count)]


@given(texts=st.lists(tricky_texts.filter(lambda text: text.strip(" ") and "\n" not in text)))
def test_what_was_sent_comes_back_as_it_was(texts: list[str]) -> None:
    """Tabs, escapes and joiners too: what is remembered is what was typed, not how it was shown."""
    with tempfile.TemporaryDirectory() as directory:
        history = InputHistory(Path(directory, "history"))
        for text in texts:
            history.add(text)
        assert kept(Path(directory, "history")) == list(history)


@given(data=st.binary(max_size=300))
def test_any_file_can_be_read(data: bytes) -> None:
    """Whatever is in the file, a start takes texts out of it, and so does the next."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "history")
        path.write_bytes(data)
        texts = kept(path)
        assert "" not in texts
        assert kept(path) == texts


def test_what_is_not_a_regular_file_is_refused(tmp_path: Path) -> None:
    """A directory, or a FIFO without a writer, is an error at once, and not waited for."""
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo"):
        with pytest.raises(OSError, match=r"regular file|directory"):
            InputHistory(path).load()


def test_a_lock_that_is_never_released_is_reported(tmp_path: Path) -> None:
    """An explorer does not hang because another does; the text is remembered all the same."""
    path = tmp_path / "history"
    history = make_history(path, [])
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(OSError, match=r"history is locked by another program"):
            history.add("one")
    assert list(history) == ["one"]


def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    """What cannot be written whole is not written."""
    path = tmp_path / "history"
    history = make_history(path, ["one"])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, limits[1]))
    try:
        with pytest.raises(OSError, match=r"No space|too large"):
            history.add("twothreefour")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
    assert path.read_text() == "one\n"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """Who keeps the file elsewhere, by a symbolic link, goes on to."""
    path, elsewhere = tmp_path / "history", tmp_path / "dotfiles"
    path.symlink_to(elsewhere)
    make_history(path, ["one", "one"])
    assert kept(path) == ["one"]
    assert path.is_symlink()
    assert elsewhere.read_text() == "one\n"


def test_the_file_has_its_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is in the user's state directory, unless the environment names another, or none."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert history_path() == tmp_path / "tui-ipc" / "history"
    monkeypatch.setenv("TUI_IPC_HISTORY", str(tmp_path / "mine"))
    assert history_path() == tmp_path / "mine"
    monkeypatch.setenv("TUI_IPC_HISTORY", "")
    assert history_path() is None


def suggested(text: str, *values: Any, sent: tuple[str, ...] = ()) -> str | None:
    """What is suggested after some messages."""
    history, vocabulary = InputHistory(), Vocabulary()
    for each in sent:
        history.add(each)
    for value in values:
        vocabulary.learn(value)
    return asyncio.run(MessageSuggester(history, vocabulary).get_suggestion(text))


def test_the_newest_message_that_begins_so_is_suggested() -> None:
    """Letters count as they are written."""
    sent = ("Hello from parent", "Hello again", "hello")
    assert suggested("Hel", sent=sent) == "Hello again"
    assert suggested("Hello f", sent=sent) == "Hello from parent"
    assert suggested("HEL", sent=sent) is None


@pytest.mark.parametrize(
    ("typed", "suggestion"),
    [
        ('{"ha', '{"handle"'),
        ('{"a": 1, "ha', '{"a": 1, "handle"'),
        ('[{"a": "op', '[{"a": "open"'),
        ('"op', '"open"'),
        ('{"handle"', None),
        ('{"handle": op', None),
        ('{"a\\"b": "op', '{"a\\"b": "open"'),
        ("ha", None),
        ('say "ha', None),
        ('{"', None),
        ('{"zzz', None),
        ("{'a': \"op", "{'a': \"open\""),
    ],
)
def test_words_of_messages_complete_an_open_string(typed: str, suggestion: str | None) -> None:
    """Keys and short strings are offered where a string of a value is being typed, and nowhere else."""
    assert suggested(typed, {"handle": 7, "state": "open"}) == suggestion


def test_the_latest_word_is_offered() -> None:
    """The word that was seen last is the likeliest."""
    assert suggested('{"st', {"state": 1}, ["status"]) == '{"status"'
    assert suggested('{"st', {"state": 1}, ["status"], {"state": 2}) == '{"state"'


@given(value=st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_no_word_of_a_child_steers_the_terminal(value: Any) -> None:
    """The suggestion in grey is as safe as everything else."""
    vocabulary = Vocabulary()
    vocabulary.learn(value)
    assert all(is_safe(character) for word in vocabulary._words for character in word)


def test_an_invisible_character_of_a_word_is_offered_as_an_escape() -> None:
    """Fillers are printable, and look like nothing."""
    assert suggested('{"a', ["a\u3164b"]) == r'{"a\u3164b"'


def test_a_flood_of_words_is_bounded() -> None:
    """Neither many words nor long ones nor deep or large values cost much."""
    vocabulary = Vocabulary()
    for number in range(3 * VOCABULARY_LIMIT):
        vocabulary.learn(f"word {number}")
    assert len(vocabulary._words) == VOCABULARY_LIMIT
    vocabulary.learn(["x" * (WORD_LIMIT + 1)])
    assert len(vocabulary._words) == VOCABULARY_LIMIT
    deep: Any = "deep"
    for _ in range(1_000):
        deep = [deep]
    large = {f"key {number}": [f"item {number}"] * 1_000 for number in range(100_000)}
    fresh = Vocabulary()
    began = perf_counter()
    fresh.learn(deep)
    fresh.learn(large)
    assert perf_counter() - began < 1
    assert 0 < len(fresh._words) <= LEARN_LIMIT


def test_a_long_text_is_not_completed() -> None:
    """Guessing at each key must not cost what the text is long."""
    assert suggested("x" * 5_000, sent=("x" * 6_000,)) is None


def test_no_text_takes_long() -> None:
    """Many quotes and backslashes cause no backtracking."""
    began = perf_counter()
    for text in ('["' + '\\"' * 900, '["a' * 600, "[" + '"\\' * 900, '{"' * 900):
        suggested(text, ["word"])
    assert perf_counter() - began < 1
