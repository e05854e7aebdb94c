"""Search patterns, and the language of the log's filter, whose terms are patterns, words and comparisons.

Any text is either a pattern or a filter, or an error that one sentence explains.
"""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, assert_never

from tui_ipc import events as ev
from tui_ipc.text.notation import render_value
from tui_ipc.text.safe_text import has_hidden, make_visible
from tui_ipc.text.units import format_count

_ESCAPE: Final = re.compile(r"\\.", re.DOTALL)


class SearchPatternError(Exception):
    """A text is not a search pattern; the message is a sentence that says why."""


def compile_literal(text: str) -> re.Pattern[str]:
    """Make a pattern that finds a text as it is, in either case unless it has a capital letter.

    What is invisible is found as it is shown: as a symbol, or as an escape in a value.
    """
    pattern = re.escape(text)
    if has_hidden(text):
        pattern = f"{re.escape(make_visible(text))}|{re.escape(render_value(text)[1:-1])}"
    return re.compile(pattern, _case_flag(text))


def compile_regex(text: str) -> re.Pattern[str]:
    """Make a pattern of a regular expression, which ignores case unless it has a capital letter.

    Raises:
        SearchPatternError: The text is not a regular expression.
    """
    if not text:
        raise SearchPatternError("regex: nothing between the slashes")
    with warnings.catch_warnings():
        # Python warns of sets such as [[x], whose meaning may change; the warning would be printed over the
        # screen.
        warnings.simplefilter("ignore")
        try:
            return re.compile(text, _case_flag(_ESCAPE.sub("", text)))
        except RecursionError:
            raise SearchPatternError("regex: nested too deeply") from None
        except (re.error, OverflowError, ValueError) as error:
            raise SearchPatternError(f"regex: {error}") from None


def compile_search(text: str) -> re.Pattern[str]:
    """Make a pattern of what was typed: a regular expression if it is between slashes, else a text.

    Raises:
        SearchPatternError: The regular expression is invalid.
    """
    if len(text) > 1 and text[0] == text[-1] == "/":
        return compile_regex(text[1:-1])
    return compile_literal(text)


def _case_flag(text: str) -> re.RegexFlag:
    return re.NOFLAG if text != text.lower() else re.IGNORECASE


GRAMMAR: Final = (
    ("text", "lines that contain it, in either case; with a capital letter, in that case"),
    ('"two words"', "text with spaces, or a word of this language as text"),
    ("/regular expression/", "lines in which it is found"),
    ("sent · received", "messages to the child · from it; also > and <"),
    ("messages · handshake", "only those; also child (its life), signals, faults, steps (of scripts), notes"),
    ("slower 5ms · faster 5ms", "answers that took longer, or less"),
    ("larger 1KiB · smaller 20B", "messages of more bytes, or fewer"),
    ("run 2", "what belongs to the second run"),
    ("!term · not term", "all but those; a line must pass every term"),
)
"""Every form of a term, and what it lets pass."""

FILTER_LIMIT: Final = 1_000
"""How many characters a filter has at most."""

_GROUP_WORDS: Final = frozenset(
    ("sent", ">", "received", "<", "message", "handshake", "child", "signal", "fault", "step", "note")
)
_PLURALS: Final = {
    "messages": "message",
    "signals": "signal",
    "faults": "fault",
    "steps": "step",
    "notes": "note",
}
_TIMES: Final = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9}
_SIZES: Final = {
    "b": 1,
    "": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 1 << 10,
    "mib": 1 << 20,
    "gib": 1 << 30,
}
_QUANTITY: Final = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)([^\W\d]*)")
_TOKEN: Final = re.compile(
    r"""\s*(?P<not>!*)(?:
      /(?P<regex>.*?)/(?=\s|$)
    | "(?P<double>.*?)"(?=\s|$)
    | '(?P<single>.*?)'(?=\s|$)
    | (?P<word>\S+)
    )""",
    re.VERBOSE | re.DOTALL,
)


class FilterError(Exception):
    """A text is not a filter; the message is a sentence that says why."""


class FilterInput:
    """An event with its text, which is made once, and only if a term needs it.

    Attributes:
        event: The event.
    """

    __slots__ = ("_text", "_write", "event")

    def __init__(self, event: ev.AnyEvent, write: Callable[[], str]) -> None:
        self.event = event
        self._write = write
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The whole text of the event's line."""
        if self._text is None:
            self._text = self._write()
        return self._text


Term = Callable[[FilterInput], bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """Lets a line of the log pass if it passes every term.

    Attributes:
        text: The filter as it was typed.
        terms: The terms; cheap ones first.
        inverted: Whether all but those lines pass.
    """

    text: str
    terms: tuple[Term, ...]
    inverted: bool = False

    def passes(self, event: ev.AnyEvent, write: Callable[[], str]) -> bool:
        """Whether a line passes.

        Args:
            event: The event that the line is about.
            write: Returns the line's whole text; called at most once.
        """
        candidate = FilterInput(event, write)
        for term in self.terms:  # not all(…): its generator takes a fifth of the time of a cheap term
            if not term(candidate):
                return self.inverted
        return not self.inverted


def parse_filter(text: str, *, inverted: bool = False) -> Filter | None:
    """Read a filter; None if the text asks for nothing.

    Raises:
        FilterError: The text is not a filter.
    """
    if len(text) > FILTER_LIMIT:
        raise FilterError(
            f"the filter has {format_count(len(text))} characters; at most {format_count(FILTER_LIMIT)} "
            "are allowed"
        )
    tokens = list(_TOKEN.finditer(text.rstrip()))
    terms: list[tuple[int, Term]] = []
    parser = _TermParser(tokens)
    while not parser.is_done:
        terms.append(parser.parse_term())
    if not terms:
        return None
    return Filter(text, tuple(term for _, term in sorted(terms, key=lambda ranked: ranked[0])), inverted)


class _TermParser:
    """Reads terms, each with a rank by which they are sorted: the more a term costs, the later it is tested.

    Rank 0 looks at the event alone, 1 needs its text, 2 runs the user's regular expression over it.
    """

    def __init__(self, tokens: list[re.Match[str]]) -> None:
        self._tokens = tokens
        self._next = 0

    @property
    def is_done(self) -> bool:
        return self._next >= len(self._tokens)

    def parse_term(self) -> tuple[int, Term]:
        token = self._tokens[self._next]
        self._next += 1
        # "!" and "not" may be repeated and mixed; two of them cancel out, so their number decides.
        negations = len(token["not"])
        while token["word"] == "not" and not self.is_done:
            token = self._tokens[self._next]
            self._next += 1
            negations += 1 + len(token["not"])
        rank, term = self._parse_positive(token)
        return (rank, _negate(term)) if negations % 2 else (rank, term)

    def _parse_positive(self, token: re.Match[str]) -> tuple[int, Term]:
        if token["regex"] is not None:
            return 2, _match_text(_parse_regex(token["regex"]))
        quoted = token["double"] if token["double"] is not None else token["single"]
        if quoted is not None:
            return 1, _match_text(compile_literal(quoted))
        word = token["word"]
        lower = _PLURALS.get(word.lower(), word.lower())
        if lower in _GROUP_WORDS:
            return 0, lambda candidate: lower in _list_groups(candidate.event)
        if lower in _METRICS:
            return 0, self._parse_metric(lower)
        if lower == "run":
            return 0, self._parse_run()
        return 1, _parse_word(word)

    def _take_operand(self) -> str:
        """Return the word after a keyword, without ``than``; empty if there is none."""
        for _ in range(2):
            if self.is_done:
                return ""
            word: str = self._tokens[self._next][0].strip()
            self._next += 1
            if word.lower() != "than":
                return word
        return ""

    def _parse_metric(self, name: str) -> Term:
        measure, units, sign, example = _METRICS[name]
        operand = self._take_operand()
        quantity = _QUANTITY.fullmatch(operand)
        unit = units.get(quantity[2].lower()) if quantity else None
        if quantity is None or unit is None:
            raise FilterError(_describe_operand(name, operand, example))
        bound = float(quantity[1]) * unit

        def term(candidate: FilterInput) -> bool:
            value = measure(candidate.event)
            return value is not None and sign * value > sign * bound  # the sign -1 turns > into <

        return term

    def _parse_run(self) -> Term:
        operand = self._take_operand()
        if not operand.isdecimal() or len(operand) > 9:
            raise FilterError(_describe_operand("run", operand, "2"))
        run = int(operand)
        return lambda candidate: candidate.event.run == run


def _describe_operand(word: str, operand: str, example: str) -> str:
    found = f"{operand} follows" if operand else "nothing follows"
    return f'{word}: {found}; write {word} {example}, or "{word}" for the word itself'


def _parse_word(word: str) -> Term:
    if word[0] in "\"'":
        raise FilterError(f"the quote {word[0]} is not closed; close it, or put /…/ around it")
    if word[0] == "/":
        raise FilterError(f'regex: the closing / is missing; write "{word}" for the text itself')
    return _match_text(compile_literal(word))


def _parse_regex(text: str) -> re.Pattern[str]:
    try:
        return compile_regex(text)
    except SearchPatternError as error:
        raise FilterError(str(error)) from None


def _match_text(pattern: re.Pattern[str]) -> Term:
    return lambda candidate: pattern.search(candidate.text) is not None


def _negate(term: Term) -> Term:
    return lambda candidate: not term(candidate)


def _list_groups(event: ev.AnyEvent) -> tuple[str, ...]:  # noqa: PLR0911, PLR0912 - one case for each group
    """The words that select an event, out of ``_GROUP_WORDS``."""
    match event:
        case ev.MessageSent():
            return "message", "sent", ">"
        case ev.MessageReceived():
            return "message", "received", "<"
        case ev.ChildSpawned():
            return "handshake", "child"
        case ev.ServerListening() | ev.ChildConnected() | ev.HelloReceived() | ev.ChannelsOpen():
            return ("handshake",)
        case ev.StepLate() | ev.HandshakeFailed():
            return "handshake", "fault"
        case ev.SignalSent() | ev.ChildStopped() | ev.ChildContinued():
            return "child", "signal"
        case ev.ChannelClosed():
            return ("child",)
        case ev.ChildExited():
            return ("child",) if event.code == 0 else ("child", "fault")
        case ev.Audit():
            return ("child",) if event.clean else ("child", "fault")
        case ev.Fault():
            return ("fault",)
        case ev.ScriptStep():
            return ("step", "fault") if event.state == "failed" else ("step",)
        case ev.Note():
            return ("note",)
        case ev.ChildOutput():
            return ()  # the log has no lines of output
        case _:
            assert_never(event)


def _latency(event: ev.AnyEvent) -> int | None:
    return event.elapsed if isinstance(event, ev.MessageReceived) else None


def _size(event: ev.AnyEvent) -> int | None:
    return len(event.raw) if isinstance(event, ev.MessageSent | ev.MessageReceived) else None


_METRICS: Final[dict[str, tuple[Callable[[ev.AnyEvent], int | None], dict[str, int], int, str]]] = {
    "slower": (_latency, _TIMES, 1, "5ms"),
    "faster": (_latency, _TIMES, -1, "5ms"),
    "larger": (_size, _SIZES, 1, "1KiB"),
    "smaller": (_size, _SIZES, -1, "20B"),
}
"""Of each comparison: what it measures, the units of its bound, 1 for more and -1 for less, an example."""
