"""The plugin for pytest: files ``*.tipc`` are tests, and tests in Python get children to talk to.

pytest loads this module whenever it starts, so what it needs of ours is imported once there is a script to
run, or a fixture is asked for.
"""

import os
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from subprocess import Popen

    from _pytest._code.code import TerminalRepr

    from tui_ipc import Receiver, Sender
    from tui_ipc.script.blocking_session import BlockingSession
    from tui_ipc.script.outcome import Outcome

_REWRITTEN: Final = "tipc_rewritten"  # the property of a test with what was changed in its script
_SESSIONS: Final = pytest.StashKey["list[tuple[BlockingSession, str | None]]"]()
_HAS_FAILED: Final = pytest.StashKey[bool]()
_DIRECTORY: Final = pytest.StashKey[str | None]()
_MARK: Final = re.compile(r"^#\s*pytest\.mark\.(.*)$", re.MULTILINE)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the plugin's options."""
    group = parser.getgroup("tui-ipc", "scripts of tui-ipc")
    group.addoption(
        "--tipc-update", action="store_true", help="rewrite what scripts expect to what came, and show it"
    )
    parser.addini("tipc_command", "the command of the child, for scripts without spawn", type="args")


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark that every script has."""
    config.addinivalue_line("markers", "tipc: a script of tui-ipc")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ScriptFile | None":
    """Collect a script."""
    return ScriptFile.from_parent(parent, path=file_path) if file_path.suffix == ".tipc" else None


class ScriptFile(pytest.File):
    """The file of a script, which is one test."""

    def collect(self) -> Iterator["ScriptItem"]:
        """Yield the test, with the marks that comments in the file give it."""
        item = ScriptItem.from_parent(self, name=self.path.stem)
        item.add_marker("tipc")
        text = self.path.read_text(encoding="utf-8", errors="replace")
        for match in _MARK.finditer(text):
            try:
                item.add_marker(_parse_mark(match[1]))
            except (SyntaxError, ValueError):
                line = text.count("\n", 0, match.start()) + 1
                sentence = "a mark is written as in Python, with plain values: # pytest.mark.timeout(5)"
                raise self.CollectError(f"{self.path}:{line}: {sentence}") from None
        yield item


def _parse_mark(text: str) -> pytest.MarkDecorator:
    """Parse a mark, such as ``slow`` or ``timeout(5)``."""
    import ast

    match ast.parse(text.strip(), mode="eval").body:
        case ast.Name(name):
            return _find_mark(name)
        case ast.Call(ast.Name(name), args, keywords):
            named = {each.arg: ast.literal_eval(each.value) for each in keywords if each.arg is not None}
            return _find_mark(name).with_args(*map(ast.literal_eval, args), **named)
        case _:
            raise ValueError(text)


def _find_mark(name: str) -> pytest.MarkDecorator:
    mark: pytest.MarkDecorator = getattr(pytest.mark, name)  # which checks it, with --strict-markers
    return mark


class ScriptFailure(Exception):
    """A script did not pass; ``outcome`` says why."""

    def __init__(self, outcome: "Outcome") -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


class ScriptItem(pytest.Item):
    """A script, run with a child of its own in pytest's root directory."""

    def runtest(self) -> None:
        """Run it.

        Raises:
            ScriptFailure: It did not pass.
        """
        from dataclasses import replace

        from tui_ipc.script.attempts import ScriptOptions, run_script
        from tui_ipc.script.files import FaultyScript, load_scripts
        from tui_ipc.script.report.passthrough import OutputTails
        from tui_ipc.script.report.result_files import FailureRecordings
        from tui_ipc.script.runner.runner import RunOptions
        from tui_ipc.script.update import apply_updates
        from tui_ipc.session.run import SessionOptions

        [loaded] = load_scripts([str(self.path)])
        script = replace(loaded, name=os.path.relpath(self.path, self.config.invocation_params.dir))
        if isinstance(script, FaultyScript):
            raise ScriptFailure(script.make_outcome())
        directory = _recordings_directory(self.config)
        name = self.nodeid.rpartition("::")[0].replace("/", "-")
        options = ScriptOptions(
            self.config.getini("tipc_command") or None,
            SessionOptions(cwd=str(self.config.rootpath)),
            RunOptions(update=self.config.getoption("tipc_update")),
            recording_policy=None if directory is None else FailureRecordings(directory, [name]),
            make_output_tails=OutputTails,
        )
        outcome = run_script(script, options)
        if outcome.updates:
            outcome = apply_updates(str(self.path), script, outcome)
            self.user_properties.append((_REWRITTEN, "\n".join((script.name, *outcome.rewritten))))
        for stream, text in (("child stdout", outcome.stdout), ("child stderr", outcome.stderr)):
            if text:
                self.add_report_section("call", stream, text)
        if outcome.code:
            raise ScriptFailure(outcome)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], *_: object, **__: object
    ) -> "str | TerminalRepr":
        """Show how the script ended, in pytest's way: it names the line, also to reports and to editors."""
        if not isinstance(excinfo.value, ScriptFailure):
            return super().repr_failure(excinfo)
        from _pytest._code.code import ReprEntry, ReprExceptionInfo, ReprFileLocation, ReprTraceback

        from tui_ipc.script.report.text_report import describe_outcome
        from tui_ipc.text.safe_text import make_visible

        outcome = excinfo.value.outcome
        lines = [f"E   {line}" for line in describe_outcome(outcome)]
        location = ReprFileLocation(str(self.path), max(outcome.line, 1), make_visible(outcome.reason))
        entry = ReprEntry(lines, None, None, None, "long")
        return ReprExceptionInfo(ReprTraceback([entry], None, "long"), location)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the script is, and its name."""
        return self.path, 0, self.name


def _recordings_directory(config: pytest.Config) -> str | None:
    """The directory for recordings, in pytest's own for temporary files; None if pytest has none."""
    if _DIRECTORY not in config.stash:
        factory = getattr(config, "_tmp_path_factory", None)  # a test in Python gets it as a fixture
        config.stash[_DIRECTORY] = None if factory is None else str(factory.mktemp("tipc"))
    return config.stash[_DIRECTORY]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show what was changed in scripts."""
    everything = (each for group in terminalreporter.stats.values() for each in group)
    reports = (each for each in everything if isinstance(each, pytest.TestReport) and each.when == "call")
    texts = [text for report in reports for name, text in report.user_properties if name == _REWRITTEN]
    if texts:
        terminalreporter.section("scripts that were updated")
        for text in texts:
            terminalreporter.write_line(text)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a test what is known of its sessions."""
    report = yield
    if report.failed and _SESSIONS in item.stash:
        item.stash[_HAS_FAILED] = True
        for session, recording in item.stash[_SESSIONS]:
            report.sections += _describe_session(session, recording)
    return report


def _describe_session(session: "BlockingSession", recording: str | None) -> list[tuple[str, str]]:
    sections = [("child", "\n".join(session.describe_present()))]
    sections += ((f"child {stream}", session.tails.text(stream)) for stream in ("stdout", "stderr"))
    if recording is not None:
        sections.append(("recording", f"{recording}; tui-ipc --replay {recording} shows it"))
    return [(title, text) for title, text in sections if text]


@pytest.fixture
def tui_ipc_session(request: pytest.FixtureRequest) -> Iterator[Callable[..., "BlockingSession"]]:
    """A function that starts a child, with its command or else that of ``tipc_command``, and returns a
    session: ``send``, ``receive``, ``wait_for_output``, ``quit``.

    Its keyword arguments are those of ``SessionOptions``: ``timeout``, ``cwd``, ``env``. The child ends with
    the test; if the test fails, the report has what the child printed and does, and names a recording.
    """
    from tui_ipc.recording.writer import RecordingWriter
    from tui_ipc.script.blocking_session import BlockingSession
    from tui_ipc.session.run import SessionOptions
    from tui_ipc.session.session import BUILTIN_CHILD_COMMAND

    sessions: list[tuple[BlockingSession, str | None]] = []
    request.node.stash[_SESSIONS] = sessions
    directory = _recordings_directory(request.config)

    def start(*command: str, **options: Any) -> BlockingSession:
        chosen = command or request.config.getini("tipc_command") or BUILTIN_CHILD_COMMAND
        recording, recorder = None, None
        if directory is not None:
            name = re.sub(r"[^\w.-]+", "-", request.node.name)[:100]
            recording = os.path.join(directory, f"{name}-{len(sessions) + 1}.rec")
            recorder = RecordingWriter(recording, command=chosen)
        session = BlockingSession(chosen, SessionOptions(**options), recorder)
        sessions.append((session, recording))
        session.start()
        return session

    yield start
    for session, recording in reversed(sessions):
        session.close()
        if recording is not None and _HAS_FAILED not in request.node.stash:
            os.unlink(recording)


@pytest.fixture
def tui_ipc_child(
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., "tuple[Popen[Any], Sender[Any], Receiver[Any]]"]]:
    """A function that starts a child as :func:`tui_ipc.spawn` does, and returns the process, the sender to it
    and the receiver from it. The child ends with the test.
    """
    from tui_ipc import spawn
    from tui_ipc.session.session import BUILTIN_CHILD_COMMAND

    with ExitStack() as children:

        def start(*command: str, **options: Any) -> "tuple[Popen[Any], Sender[Any], Receiver[Any]]":
            chosen: Sequence[str] = command or request.config.getini("tipc_command") or BUILTIN_CHILD_COMMAND
            return children.enter_context(spawn(chosen, **options))

        yield start
