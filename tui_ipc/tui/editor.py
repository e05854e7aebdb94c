"""Editing a message in the user's editor: there it has many lines, in the message box one.

:func:`fold` undoes :func:`unfold`, and neither changes the message that would be sent.
"""

import asyncio
import json
import os
import shlex
import shutil
import signal
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from textual.app import App, SuspendNotSupported

from tui_ipc.osutil.signals import replace_signal_handlers, signal_name
from tui_ipc.text import notation

INDENT = 2
"""Columns by which a list or map is indented in the editor."""


class FoldResult(NamedTuple):
    """A text in one line.

    Attributes:
        text: The line.
        complaint: Why the text is a string although it looks like a list or map: a sentence with line and
            column; empty if it does not look so.
    """

    text: str
    complaint: str


def unfold(text: str) -> str:
    """Spread a text of the box over lines: a list or map by its structure, a string at its line ends."""
    value = notation.parse_value(text)
    spread = _format_lines(value)
    if spread is None or "\n" not in spread:
        return text
    folded = notation.parse_value(fold(spread).text)
    return spread if _is_same_message(folded, value) else text


def fold(text: str) -> FoldResult:
    """Put an edited text into one line: several lines are rendered as the value that they stand for.

    One line feed at the end is ignored, since editors add it.
    """
    text = text.removesuffix("\n").removesuffix("\r")
    if "\n" not in text:
        return FoldResult(text, "")
    value, complaint = notation.interpret(text)
    return FoldResult(
        notation.render_value(value), "" if complaint is None else _describe_complaint(complaint, text)
    )


def _format_lines(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if not isinstance(value, list | dict):
        return None
    try:
        return json.dumps(value, indent=INDENT, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return None  # JSON cannot hold the value, or it is too deep for its writer, which recurses


def _is_same_message(one: Any, other: Any) -> bool:
    # Not ==, for which 1, True and 1.0 are equal.
    return notation.render_value(one) == notation.render_value(other)


def _describe_complaint(complaint: notation.NotationProblem, text: str) -> str:
    if complaint.offset is None:
        return complaint.message
    before = text[: complaint.offset]
    row, column = before.count("\n") + 1, complaint.offset - (before.rfind("\n") + 1) + 1
    return f"{complaint.message} at line {row}, column {column}"


COMMON_EDITORS: Final = ("nano", "vim", "vi")
"""The editors that are tried if the environment names none."""


class EditorError(Exception):
    """The text was not edited; the message says why, and what to do."""


def editor_command(
    environment: Mapping[str, str], which: Callable[[str], str | None] = shutil.which
) -> list[str]:
    """Return the editor's command, without the file: ``VISUAL``, else ``EDITOR``, else a common one.

    Raises:
        EditorError: None is installed, or the variable is not a command.
    """
    for name in ("VISUAL", "EDITOR"):
        if given := environment.get(name, "").strip():
            try:
                return shlex.split(given)
            except ValueError as error:
                raise EditorError(f"{name} is not a valid command: {error}") from None
    for editor in COMMON_EDITORS:
        if which(editor):
            return [editor]
    raise EditorError(f"no editor found: {', '.join(COMMON_EDITORS)} are not installed; name yours in EDITOR")


async def edit(app: App[Any], text: str, command: list[str]) -> str:
    """Let the user edit a text in an editor, which has the terminal meanwhile.

    The app draws nothing until then, but its event loop runs: the child is read on.

    Args:
        app: The app whose terminal it is.
        text: What to edit; a line feed is added.
        command: The editor's command, as :func:`editor_command` returns it.

    Returns:
        The text of the file as the editor left it.

    Raises:
        EditorError: The editor could not be run, failed, or left no text.
    """
    try:  # the directory is the user's alone: mode 0700
        with tempfile.TemporaryDirectory(prefix="tui-ipc-", ignore_cleanup_errors=True) as directory:
            path = Path(directory, "message.txt")
            _write(path, text)
            return await _run_editor(app, path, command)
    except OSError as error:
        raise EditorError(f"cannot make a file for the editor: {error}") from None


async def _run_editor(app: App[Any], path: Path, command: list[str]) -> str:
    try:
        # Suspended, the app gives its terminal away; in a batch it does not draw. What goes wrong inside is
        # returned, not raised: Textual does not resume the app if suspend() is left by an exception.
        with app.batch_update(), app.suspend():
            failure = await _run([*command, str(path)])
    except SuspendNotSupported:
        raise EditorError("an editor needs a terminal, and this one cannot be given to it") from None
    if failure is not None:
        raise EditorError(failure)
    return _read(path)


async def _run(command: list[str]) -> str | None:
    """Run a command to its end, and return what went wrong, if anything.

    It shares our terminal, and our process group, so that ^Z stops both.
    """
    try:
        process = await asyncio.create_subprocess_exec(*command)
    except OSError as error:
        return f"the editor {command[0]} cannot be run: {error.strerror}; name another in EDITOR"
    try:
        # ^C is meant for the editor, which was started before and so does not inherit this.
        with replace_signal_handlers({signal.SIGINT: signal.SIG_IGN, signal.SIGQUIT: signal.SIG_IGN}):
            code = await process.wait()
    except asyncio.CancelledError:  # the explorer is to end
        process.terminate()
        await process.wait()
        raise
    if code:
        how = f"code {code}" if code > 0 else signal_name(-code)
        return f"the editor {os.path.basename(command[0])} ended with {how}; the message is as it was"
    return None


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8", errors="replace", newline="") as file:
        file.write(f"{text}\n")


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise EditorError(f"the editor left no text: {error.strerror}; the message is as it was") from None
    except UnicodeDecodeError as error:
        sentence = f"the edited text is not UTF-8 at byte {error.start + 1}; the message is as it was"
        raise EditorError(sentence) from None
