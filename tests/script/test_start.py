"""A script's child is spawned soon: until then nothing is loaded that the start can do without."""

import subprocess
import sys

import pytest

AT_THE_SPAWN = """\
import os, sys

def look(event, arguments):
    if event == "subprocess.Popen":
        print(*sys.modules, flush=True)
        os._exit(0)

sys.addaudithook(look)
from tui_ipc.cli.main import main
main(["--script", *sys.argv[1:]])
"""

FOR_LATER = {
    "a failure": (
        "tui_ipc.session.diagnosis",
        "difflib",
        "shlex",
    ),
    "a recording": (
        "tui_ipc.recording.writer",
        "tui_ipc.recording.codec",
        "tui_ipc.recording.reader",
        "tui_ipc.recording.replay",
    ),
    "other faces": (
        "tui_ipc.script.print_recording",
        "tui_ipc.script.record_to_script",
        "tui_ipc.script.update",
        "tui_ipc.script.workers",
        "textual",
    ),
    "reports": ("xml.sax.saxutils", "xml.etree.ElementTree", "importlib.metadata", "platform", "shutil"),
}
"""What it is for → what is not loaded before."""


@pytest.fixture(scope="module", params=["built-in", "file"])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The modules that are loaded when ``tui-ipc --script`` spawns its child, with a script and without."""
    command = [sys.executable, "-c", AT_THE_SPAWN]
    if request.param == "file":
        script = tmp_path_factory.mktemp("start") / "talk.tipc"
        script.write_text("> hi\n< {{answer}}\n< /x/\n")
        command.append(str(script))
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("purpose", FOR_LATER)
def test_what_is_wanted_later_is_loaded_later(loaded: set[str], purpose: str) -> None:
    """A run that succeeds, and is neither recorded nor replayed, does not load these."""
    assert "tui_ipc.session.run" in loaded
    assert not loaded.intersection(FOR_LATER[purpose])
