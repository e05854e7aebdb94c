"""What a filter lets pass: the little language in which one says which lines of the log to show. Pure.

The rule: any text is either a filter or a fault that one sentence explains.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tui_ipc.events import (
    AnyEvent,
    Audit,
    ChannelClosed,
    ChannelsOpen,
    ChildConnected,
    ChildContinued,
    ChildExited,
    ChildSpawned,
    ChildStopped,
    Fault,
    HandshakeFailed,
    HelloReceived,
    MessageReceived,
    MessageSent,
    ServerListening,
    SignalSent,
    StepLate,
)
from tui_ipc.text.units import format_count
from tui_ipc.tui.model.search import SearchPatternError, compile_literal, compile_regex

GRAMMAR: Final = (
    ("text", "lines that hold it, in whatever case; with a capital, in that case"),
    ('"two words"', "text with blanks, or a word of this language as text"),
    ("/regular expression/", "lines in which it is found"),
    ("sent · received", "messages to the child · from it; also > and <"),
    ("messages · handshake", "only those; also child (its life), signals, faults (what went wrong)"),
    ("slower 5ms · faster 5ms", "answers that took longer, or less"),
    ("larger 1KiB · smaller 20B", "messages of more bytes, or fewer"),
    ("run 2", "what belongs to the second run"),
    ("!term · not term", "all but those; a line must pass every term"),
)
"""Every form of a term, and what it lets pass."""

FILTER_LIMIT: Final = 1_000
"""How many characters a filter has at most."""

EventKinds = tuple[type[AnyEvent], ...]

_LIFECYCLE: Final[EventKinds] = (
    ChildSpawned,
    ChildStopped,
    ChildContinued,
    ChannelClosed,
    ChildExited,
    Audit,
)
_STEPS: Final[EventKinds] = (ServerListening, ChildSpawned, ChildConnected, HelloReceived, ChannelsOpen)
_KINDS: Final[dict[str, EventKinds]] = {
    "sent": (MessageSent,),
    ">": (MessageSent,),
    "received": (MessageReceived,),
    "<": (MessageReceived,),
    "message": (MessageSent, MessageReceived),
    "handshake": (*_STEPS, StepLate, HandshakeFailed),
    "child": (*_LIFECYCLE, SignalSent),
    "signal": (SignalSent, ChildStopped, ChildContinued),
}
_PLURALS: Final = {"messages": "message", "signals": "signal", "faults": "fault"}
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
    """A text is no filter; the message is a sentence that says why."""


class FilterInput:
    """What the terms look at; what is said of it is written once, and only if one of them needs it.

    Attributes:
        event: What happened.
    """

    __slots__ = ("_text", "_write", "event")

    def __init__(self, event: AnyEvent, write: Callable[[], str]) -> None:
        self.event = event
        self._write = write
        self._text: str | None = None

    @property
    def text(self) -> str:
        """All that is said of it."""
        if self._text is None:
            self._text = self._write()
        return self._text


Term = Callable[[FilterInput], bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """What lets a line of the log pass if every term does.

    Attributes:
        text: How it was written.
        terms: The terms; cheap ones first.
        inverted: Whether all but those lines pass.
    """

    text: str
    terms: tuple[Term, ...]
    inverted: bool = False

    def passes(self, event: AnyEvent, write: Callable[[], str]) -> bool:
        """Whether a line passes.

        Args:
            event: What it is about.
            write: Writes all that is said of that; asked once at most.
        """
        subject = FilterInput(event, write)
        return all(term(subject) for term in self.terms) is not self.inverted


def parse_filter(text: str, *, inverted: bool = False) -> Filter | None:
    """Read a filter; None if the text asks for nothing.

    Raises:
        FilterError: The text is no filter.
    """
    if len(text) > FILTER_LIMIT:
        raise FilterError(
            f"a filter of {format_count(len(text))} characters; {format_count(FILTER_LIMIT)} are the most"
        )
    tokens = list(_TOKEN.finditer(text.rstrip()))
    terms: list[tuple[int, Term]] = []
    reader = _TermParser(tokens)
    while not reader.over:
        terms.append(reader.term())
    if not terms:
        return None
    return Filter(text, tuple(term for _, term in sorted(terms, key=lambda ranked: ranked[0])), inverted)


class _TermParser:
    """Reads terms, each with a rank: what is dear to test is tested last."""

    def __init__(self, tokens: list[re.Match[str]]) -> None:
        self._tokens = tokens
        self._next = 0

    @property
    def over(self) -> bool:
        return self._next >= len(self._tokens)

    def term(self) -> tuple[int, Term]:
        token = self._tokens[self._next]
        self._next += 1
        negations = len(token["not"])
        word = token["word"]
        while word == "not" and not self.over:
            negations += 1
            token = self._tokens[self._next]
            self._next += 1
            negations += len(token["not"])
            word = token["word"]
        rank, term = self._plain(token)
        return (rank, _negate(term)) if negations % 2 else (rank, term)

    def _plain(self, token: re.Match[str]) -> tuple[int, Term]:
        if token["regex"] is not None:
            return 2, _match_text(_parse_regex(token["regex"]))
        quoted = token["double"] if token["double"] is not None else token["single"]
        if quoted is not None:
            return 1, _match_text(compile_literal(quoted))
        word = token["word"]
        lower = _PLURALS.get(word.lower(), word.lower())
        if lower in _KINDS:
            kinds = _KINDS[lower]
            return 0, lambda subject: isinstance(subject.event, kinds)
        if lower == "fault":
            return 0, _is_fault
        if lower in _METRICS:
            return 0, self._measure(lower)
        if lower == "run":
            return 0, self._run()
        return 1, _parse_word(word)

    def _operand(self) -> str:
        """The word behind a keyword, ``than`` left out; empty if there is none."""
        for _ in range(2):
            if self.over:
                return ""
            word: str = self._tokens[self._next][0].strip()
            self._next += 1
            if word.lower() != "than":
                return word
        return ""

    def _measure(self, name: str) -> Term:
        measured, units, sign, example = _METRICS[name]
        operand = self._operand()
        quantity = _QUANTITY.fullmatch(operand)
        unit = units.get(quantity[2].lower()) if quantity else None
        if quantity is None or unit is None:
            raise FilterError(_describe_operand(name, operand, example))
        bound = float(quantity[1]) * unit

        def term(subject: FilterInput) -> bool:
            value = measured(subject.event)
            return value is not None and sign * value > sign * bound

        return term

    def _run(self) -> Term:
        operand = self._operand()
        if not operand.isdecimal() or len(operand) > 9:
            raise FilterError(_describe_operand("run", operand, "2"))
        run = int(operand)
        return lambda subject: subject.event.run == run


def _describe_operand(word: str, operand: str, example: str) -> str:
    said = f"{operand} follows" if operand else "nothing follows"
    return f'{word}: {said}; write {word} {example}, or "{word}" for the word itself'


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


def _match_text(needle: re.Pattern[str]) -> Term:
    return lambda subject: needle.search(subject.text) is not None


def _negate(term: Term) -> Term:
    return lambda subject: not term(subject)


def _is_fault(subject: FilterInput) -> bool:
    match subject.event:
        case Fault() | HandshakeFailed() | StepLate():
            return True
        case ChildExited(code=code):
            return code != 0
        case Audit(clean=clean):
            return not clean
        case _:
            return False


def _latency(event: AnyEvent) -> int | None:
    return event.elapsed if isinstance(event, MessageReceived) else None


def _size(event: AnyEvent) -> int | None:
    return len(event.raw) if isinstance(event, MessageSent | MessageReceived) else None


_METRICS: Final[dict[str, tuple[Callable[[AnyEvent], int | None], dict[str, int], int, str]]] = {
    "slower": (_latency, _TIMES, 1, "5ms"),
    "faster": (_latency, _TIMES, -1, "5ms"),
    "larger": (_size, _SIZES, 1, "1KiB"),
    "smaller": (_size, _SIZES, -1, "20B"),
}
