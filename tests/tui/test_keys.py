"""How keys are written in hints, and which ones a user may bind."""

import asyncio

import pytest
from textual.binding import Binding

from tests.support.app_harness import run_explorer_app
from tui_ipc.tui.keys import check_keys, collect_bindings, format_key, is_key


def test_a_hint_names_the_key_as_it_is_bound_now() -> None:
    """As it was written, or as the user's settings have it; nothing where there is no such binding."""

    async def main() -> None:
        async with run_explorer_app() as it:
            log = it.app.log_view
            assert format_key(log, "search.clear") == "⌫"
            assert format_key(log, "search.next") == "n"
            it.app.set_keymap({"search.clear": "ctrl+x,z", "search.next": "greater_than_sign"})
            assert format_key(log, "search.clear") == "^x"
            assert format_key(log, "search.next") == ">"
            assert format_key(log, "nothing") == ""

    asyncio.run(main())


BINDINGS = {
    "app.quit": Binding("ctrl+q", "quit", "Quit"),
    "app.why": Binding("f3", "why", "Why?"),
    "log.copy": Binding("c,f3", "copy", "Copy"),
}


def test_what_can_be_bound_is_found_where_it_is_written() -> None:
    """In every pane and every dialog."""
    found = collect_bindings()
    assert {"app.quit", "app.run", "log.inspect", "view.follow", "choice.up", "why.close"} <= set(found)


@pytest.mark.parametrize("key", ["f12", "ctrl+t", "a", "?", "question_mark", "shift+alt+left", "ctrl+@", "+"])
def test_keys_have_textuals_names(key: str) -> None:
    """A character, its name, or a key without one, with modifiers."""
    assert is_key(key)


@pytest.mark.parametrize("key", ["", "f99", "ctrl", "ctrl+", "strg+a", "  ", "control+a", "nonsense"])
def test_an_invalid_key_is_recognised(key: str) -> None:
    """A modifier alone is none."""
    assert not is_key(key)


def test_keys_that_can_be_used_are_used() -> None:
    """An action may have several; a key that was taken from an action is free."""
    usable, problems = check_keys({"app.quit": "f3, f10", "app.why": "f4"}, BINDINGS)
    assert usable == {"app.quit": "f3,f10", "app.why": "f4"}
    assert problems == []


def test_keys_that_cannot_be_used_are_reported() -> None:
    """An unknown action, with the nearest; an invalid key; a key that would have two actions."""
    usable, problems = check_keys({"app.quiet": "f10", "log.copy": "f99", "app.quit": "f3"}, BINDINGS)
    assert usable == {"app.quit": "f3"}
    assert problems == [
        "Unknown action 'app.quiet' to bind a key to; did you mean app.quit?",
        "'f99' is not a key, so 'log.copy' keeps its own; try f12, ctrl+t or question_mark.",
        "The key f3 is bound to 'app.quit' and to 'app.why'; give one of them another.",
    ]
    both = check_keys({"app.quit": "f8", "app.why": "f8"}, BINDINGS)[1]
    assert both == ["The key f8 is bound to 'app.quit' and to 'app.why'; give one of them another."]
