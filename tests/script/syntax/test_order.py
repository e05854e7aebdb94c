"""Which line may follow which: blocks, the child's ends, and names."""

import pytest

from tui_ipc.script.language import ScriptSyntaxError, parse


@pytest.mark.parametrize(
    "text",
    [
        "quit\n? exit 0\n? clean\nrestart\n> 1",
        "quit\nexpect stdout /bye/\n< 1\nsleep 1s\ntimeout 1s\n? clean",
        "? signal TERM\n? clean",
        "repeat 1\n> 1\nquit\nend",
        "repeat 3\n> 1\nquit\n? exit 0\nrestart\nend\n> 2",
        "quit\nrepeat 3\nrestart\n> 1\nquit\nend",
        "repeat 2\n< {{id}}\n> {{id}}\nend\n> {{id}}",
        "signal TERM\n> 1\n? signal TERM",
        "repeat 2\n" * 16 + "> 1\n" + "end\n" * 16,
    ],
)
def test_an_order_that_can_be(text: str) -> None:
    """A child that ended can be looked at, and begun again."""
    assert parse(text).steps


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("> 1\nspawn x", 2, "spawn is the first step, and line 1 comes before it"),
        ("repeat 1\nspawn x\nend", 2, "spawn is the first step, and line 1 comes before it"),
        ("spawn x\nspawn y", 2, "the child was spawned in line 1; restart begins its next run"),
        ("quit\n>raw 01", 2, "by line 1 the child has ended"),
        ("? exit 0\nquit", 2, "by line 1 the child has ended"),
        ("? clean\n!<", 2, "by line 1 the child has ended"),
        ("quit\n? exit 0\nsignal TERM", 3, "by line 1 the child has ended"),
        ("quit\n? exit 0\n? exit 0", 3, "line 2 tells already how the child ends"),
        ("? signal TERM\n? exit 0", 2, "line 1 tells already how the child ends"),
        ("quit\n? clean\n? clean", 3, "line 2 tells it already"),
        ("repeat 2\n> 1\nquit\nend", 4, "line 2 cannot be repeated: by line 3 the child has ended"),
        ("repeat 2\nrepeat 2\n> 1\nend\nquit\nend", 6, "line 3 cannot be repeated: by line 5"),
        ("repeat 2\n? exit 0\nend", 3, "line 2 cannot be repeated: line 2 tells already"),
        ("end", 1, "there is no repeat that this ends"),
        ("> 1\n  repeat 2\n> 1\nrepeat 3\n>2\nend", 5, "a space must follow"),
        ("> 1\n  repeat 2\n> 1\nrepeat 3\n> 2\nend", 2, "this block has no end"),
        ("repeat 2\n# nothing\nend", 3, "the block of line 1 has no step to repeat"),
        ("repeat 2\n" * 17, 17, "blocks nest at most 16 deep"),
        ("> {{id}}\n< {{id}}", 1, "nothing was captured as id above; a line such as < {{id}} captures"),
        ("< [{{a}}, {{b}}]\n> {{c}}", 2, "nothing was captured as c above, only a, b"),
        ("< {{handle}}\n> {{handel}}", 2, "nothing was captured as handel above, but handle was"),
        ("repeat 2\n> {{id}}\n< {{id}}\nend", 2, "nothing was captured as id above"),
    ],
)
def test_an_order_that_cannot_be(text: str, line: int, words: str) -> None:
    """What would fail in every run is told before the first."""
    with pytest.raises(ScriptSyntaxError) as caught:
        parse(text)
    error = caught.value
    assert (error.line, error.sentence[: len(words)]) == (line, words)
