"""Whatever a child says, wherever it says it: the explorer goes on, and nothing of it steers the terminal."""

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.app_harness import FakeExplorerDriver, run_explorer_app
from tests.support.explorer_terminal import terminal
from tests.support.hostile_output import HOSTILE
from tests.support.unicode_text import is_safe
from tui_ipc.events import Fault, HandshakeFailed

MARKUP = st.sampled_from(
    [
        "[/",
        "a [/red] b",
        "[type=x, v={'a[0]'}]",
        "[@click=app.quit]x[/]",
        "[link=http://a]b",
        "\\[",
        "$primary",
        "[b",
    ]
)
TEXTS = st.lists(HOSTILE.map(lambda data: data.decode(errors="replace")) | MARKUP, max_size=5).map("".join)
VALUES = st.recursive(
    TEXTS | HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


async def look_everywhere(it: FakeExplorerDriver) -> None:
    """See each pane, face and screen that shows what the child said: nothing on them is not harmless."""
    it.app.log_view.focus()
    for keys in (["up", "up"], ["b"], ["a"], ["e"], ["up"], ["f3"], ["escape", "f7"], ["escape"]):
        await it.pilot.press(*keys)
        assert [character for character in it.frame() if not is_safe(character)] == []
    it.app.output_view.focus()
    for key in ("w", "o", "o", "o", "home"):
        await it.pilot.press(key)
        assert [character for character in it.frame() if not is_safe(character)] == []


@given(
    name=TEXTS,
    texts=st.lists(TEXTS, min_size=1, max_size=5),
    values=st.lists(VALUES, min_size=1, max_size=5),
    printed=st.lists(HOSTILE, min_size=1, max_size=5),
)
@settings(max_examples=4, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
def test_nothing_that_a_child_says_breaks_the_explorer(
    name: str, texts: list[str], values: list[Any], printed: list[bytes]
) -> None:
    """Names, messages, output and errors of any kind leave an explorer that works and a harmless screen."""

    async def main() -> None:
        async with run_explorer_app() as it:
            it.session.reasons = tuple(texts)
            it.session.handshake(name)
            for data in printed:
                it.session.output(data)
                it.session.output(data, "stderr")
            for value in values:
                it.session.answer(value)
            for text in texts:
                await it.say(text)
                it.session.feed(Fault(at=it.session.at, run=1, sentence=text))
            await it.until(lambda: it.app.model.status.received == len(values))
            await look_everywhere(it)
            it.session.refusal = texts[0]
            it.app.message_box.take_focus()
            await it.say("refused")
            failure = HandshakeFailed(at=1, run=1, step="hello", sentence=texts[0], timed_out=False)
            it.session.feed(failure)
            await it.until(lambda: it.app.model.problem is failure)
            assert [character for character in it.frame() if not is_safe(character)] == []

    asyncio.run(main())


# Each would do something to a terminal, and is told from what we write ourselves by the number 777 in it.
PAYLOADS = (
    b"\x1b]0;777title\x07",
    b"\x1b]52;c;Nzc3\x1b\\",
    b"\x1b]8;;http://777/\x1b\\link\x1b]8;;\x1b\\",
    b"\x1bP777q#0\x1b\\",
    b"\x1b_777\x1b\\",
    b"\x1b^777\x1b\\",
    b"\x1b[777;777H",
    b"\x1b[777J",
    b"\x1b[?777h",
    b"\x1b[777;1;1t",
    b"\x1b[777m",
    "\x9b777J\x9d0;777\x9c\x90777q\x9c".encode(),
    b"\x9b777J",
    b"\x1bc777",
    b"\x1b#8777",
    "\u202e777\u2066\u200f\u061c\u200b\u200d\ufeff\u2028\u2029\u3164\ufe00\U000e0041".encode(),
    "e\u0301\u0301\u0301 中文 🎉 👩‍👩‍👧 🇩🇪".encode(),
    b"\x00\x05\x07\x08\x0b\x0c\x0e\x0f\x18\x1a\x7f777",
    b"\xff\xfe\xc3\x28\xe2\x82 777",
    b"[/red] [b [@click=app.quit]777[/] [type=x, v={'a[0]'}]",
    b"\xed\xa0\x80777",
)

CHILD = f"""
import sys
from tui_ipc.child import serve
payloads = {PAYLOADS!r}
texts = [payload.decode(errors="replace") for payload in payloads]
def say(word):
    for stream in (sys.stdout.buffer, sys.stderr.buffer):
        for payload in payloads:
            stream.write(b"<" + payload + b">\\n" + payload + b"\\r" + payload)
        stream.write(b"x" * 1_000_000 + payloads[0] + b"\\n" + word.encode() + b"\\n" + payloads[6])
        stream.flush()
def answer(message):
    if message == "die":
        sys.exit("".join(texts))
    say("ALL-PRINTED")
    return {{**dict.fromkeys(texts, [*payloads, *texts]), "long": "x" * 1_000_000 + texts[0]}}
say("BEGUN")
sys.exit(serve(answer, name="CHILD" + "".join(texts)))
"""

UP, HOME, SHIFT_TAB, F3, F7, ESCAPE = b"\x1b[A", b"\x1b[H", b"\x1b[Z", b"\x1bOR", b"\x1b[18~", b"\x1b"

SEQUENCE = re.compile(
    "\x1b(?:\\[[0-?]*[ -/]*[@-~]|[\\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\\\)|[ -/]*[0-Z\\\\^-~])"
)


def test_nothing_of_it_reaches_the_terminal(tmp_path: Path) -> None:
    """On a terminal of its own the explorer writes no sequence and no character of the child's that acts."""
    program = tmp_path / "child.py"
    program.write_text(CHILD)
    argument = b"".join(payload for payload in PAYLOADS if b"\0" not in payload)
    with terminal("--", sys.executable, str(program), argument.decode(errors="surrogateescape")) as it:
        it.read_until(b"BEGUN")
        it.type(b"talk\r")
        it.read_until(b"ALL-PRINTED")
        it.read_until(b"1 received")
        it.step(b"\t", b"Filter")
        it.press(UP, b"b", b"a", b"v")
        it.step(b"/", b"slower 5ms")
        it.press(b"777\r", b"n", b"e")
        it.step(ESCAPE, b"History")
        it.press(b'{"7')
        it.step(b"\x15", b"Type a message")
        it.press(F3, ESCAPE, F7, ESCAPE)
        it.step(SHIFT_TAB, b"Wrap")
        it.press(b"w", b"o", b"o", b"o", HOME)
        it.step(b"/", b"regular expression")
        it.press(b"777\r", b"N")
        it.step(ESCAPE, b"History")
        it.step(b"die", b"string, 4 bytes")
        it.step(b"\r", b"child not running: it exited with code 1")
        it.press(b"again\r")
        it.type(b"\x11")
        assert it.finish() == 0
    written = it.written.decode()
    assert "Traceback" not in written
    assert [each for each in SEQUENCE.findall(written) if "777" in each or "Nzc3" in each] == []
    text = SEQUENCE.sub("", written)
    assert {character for character in text if not is_safe(character)} <= {"\r", "\n"}
    assert "777" in text
    assert "›" in text


def test_a_long_name_hides_nothing_of_importance() -> None:
    """A child may call itself what it likes; how it is stays in sight."""

    async def main() -> None:
        async with run_explorer_app(80, 24) as it:
            it.session.handshake("x" * 500)
            await it.until(lambda: "● connected" in it.frame()[:80])

    asyncio.run(main())
