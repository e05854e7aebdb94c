"""From a line to a strip of cells: crop, pad, colour. Only here do spans meet the terminal's segments."""

from collections.abc import Callable, Iterable

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_ipc.tui.content.line import Line, Paint, Span

MORE = "…"

StyleOf = Callable[[Paint], Style]


def paint(line: Line, width: int, style_of: StyleOf, shift: int = 0) -> Strip:
    """Draw a line in exactly ``width`` cells.

    The right part stands at the right edge. The left part is shifted ``shift`` cells to the left and cropped
    to what room remains; where something is cropped, the last (or first) cell says so with an ellipsis.
    """
    right = line.right if _length(line.right) <= width // 2 else ()
    room = width - _length(right)
    spans = _crop(line.left, room, shift)
    padding = room - _length(spans)
    segments = [Segment(span.text, style_of(span.paint)) for span in spans]
    if padding > 0:
        segments.append(Segment(line.fill * padding, style_of("text" if line.fill == " " else "muted")))
    segments.extend(Segment(span.text, style_of(span.paint)) for span in right)
    return Strip(segments, width)


def restyle(strip: Strip, start: int, end: int | None, style: Style) -> Strip:
    """Lay a style over the characters from ``start`` up to ``end`` (None: to the end of the strip)."""
    segments: list[Segment] = []
    position = 0
    for text, own, _ in strip:
        low = min(max(start - position, 0), len(text))
        high = len(text) if end is None else min(max(end - position, 0), len(text))
        position += len(text)
        if low >= high:
            segments.append(Segment(text, own))
            continue
        laid = style if own is None else own + style
        parts = ((text[:low], own), (text[low:high], laid), (text[high:], own))
        segments.extend(Segment(part, look) for part, look in parts if part)
    return Strip(segments, strip.cell_length)


def _length(spans: Iterable[Span]) -> int:
    return sum(cell_len(span.text) for span in spans)


def _crop(spans: tuple[Span, ...], room: int, shift: int) -> list[Span]:
    """Cut what lies outside of the window from ``shift`` to ``shift + room``, in cells."""
    shown: list[Span] = []
    total = _length(spans)
    if shift:
        skip = shift + 1  # the ellipsis takes the first cell
        if total <= skip:
            return [Span(MORE, "muted")] if total and room > 0 else []
        spans = (Span(MORE, "muted"), *_skip(spans, skip))
        total = _length(spans)
    if total <= room:
        return list(spans)
    left = room - 1
    for text, look in spans:
        length = cell_len(text)
        if length <= left:
            shown.append(Span(text, look))
            left -= length
            continue
        shown.append(Span(set_cell_size(text, max(0, left)), look))
        break
    if room > 0:
        shown.append(Span(MORE, "muted"))
    return shown


def _skip(spans: tuple[Span, ...], cells: int) -> list[Span]:
    """Leave out the first ``cells`` cells; half of a wide character becomes a blank."""
    rest: list[Span] = []
    for text, look in spans:
        length = cell_len(text)
        if length <= cells:
            cells -= length
            continue
        kept = text
        while cells > 0:
            taken = cell_len(kept[0])
            kept = " " * max(0, taken - cells) + kept[1:]
            cells = max(0, cells - taken)
        rest.append(Span(kept, look))
    return rest
