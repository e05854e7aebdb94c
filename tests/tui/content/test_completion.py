"""How a message that is being typed may go on."""

import asyncio
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.content.test_sanitize import is_safe
from tui_ipc.tui.content.completion import NODES, WORD_LIMIT, WORDS, MessageSuggester, Vocabulary
from tui_ipc.tui.content.history import History


def suggested(text: str, *values: Any, sent: tuple[str, ...] = ()) -> str | None:
    """What is suggested after some messages."""
    history, vocabulary = History(), Vocabulary()
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
def test_words_of_messages_complete_what_stands_in_quotes(typed: str, suggestion: str | None) -> None:
    """Keys and short strings are offered where a string of a value is being typed, and nowhere else."""
    assert suggested(typed, {"handle": 7, "state": "open"}) == suggestion


def test_the_latest_word_is_offered() -> None:
    """What was seen last is most likely meant."""
    assert suggested('{"st', {"state": 1}, ["status"]) == '{"status"'
    assert suggested('{"st', {"state": 1}, ["status"], {"state": 2}) == '{"state"'


@given(value=st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_no_word_of_a_child_steers_the_terminal(value: Any) -> None:
    """What stands in grey is as harmless as everything else."""
    vocabulary = Vocabulary()
    vocabulary.learn(value)
    assert all(is_safe(character) for word in vocabulary._words for character in word)


def test_a_word_that_hides_something_is_no_word() -> None:
    """Fillers can be printed, and look like nothing."""
    assert suggested('{"a', ["a\u3164b"]) is None


def test_a_flood_of_words_is_bounded() -> None:
    """Neither many words nor long ones nor deep or large values cost much."""
    vocabulary = Vocabulary()
    for number in range(3 * WORDS):
        vocabulary.learn(f"word {number}")
    assert len(vocabulary._words) == WORDS
    vocabulary.learn(["x" * (WORD_LIMIT + 1)])
    assert len(vocabulary._words) == WORDS
    deep: Any = "deep"
    for _ in range(1_000):
        deep = [deep]
    large = {f"key {number}": [f"item {number}"] * 1_000 for number in range(100_000)}
    fresh = Vocabulary()
    began = perf_counter()
    fresh.learn(deep)
    fresh.learn(large)
    assert perf_counter() - began < 1
    assert 0 < len(fresh._words) <= NODES


def test_a_long_text_is_not_completed() -> None:
    """Guessing at each key must not cost what the text is long."""
    assert suggested("x" * 5_000, sent=("x" * 6_000,)) is None


def test_no_text_takes_long() -> None:
    """Quotes and backslashes without end make nothing backtrack."""
    began = perf_counter()
    for text in ('["' + '\\"' * 900, '["a' * 600, "[" + '"\\' * 900, '{"' * 900):
        suggested(text, ["word"])
    assert perf_counter() - began < 1
