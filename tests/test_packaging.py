"""What is shipped, and what the tree may hold."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import msgpack
import pytest

import tui_ipc

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TOP_LEVEL = {
    *("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "tui_ipc", "tests", "screenshots"),
    *(".ci", ".git", ".github", ".gitignore", ".pre-commit-config.yaml"),
}
IGNORED = [
    line.rstrip("/")
    for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
# Written so that it does not find itself: this file is searched too.
REGISTRY = re.compile(
    r"pypi\.[a-z]|python[h]osted|registry\s*=|index[-_]url|extra[-_]index|/simple/?([\"' ]|$)", re.MULTILINE
)


def ours(directory: Path = ROOT) -> list[Path]:
    """The files of the tree, without what .gitignore names and git's own."""
    found = []
    for path in sorted(directory.iterdir()):
        if path.name == ".git" or any(fnmatch(path.name, pattern) for pattern in IGNORED):
            continue
        found += ours(path) if path.is_dir() else [path]
    return found


def relative(paths: list[Path]) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in paths}


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A wheel and an sdist, built from the tree without a network."""
    target = tmp_path_factory.mktemp("dist")
    build = "import sys; from hatchling.build import *; build_wheel(sys.argv[1]); build_sdist(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", build, str(target)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    return next(target.glob("*.whl")), next(target.glob("*.tar.gz"))


def test_version_is_the_same_everywhere() -> None:
    """The project file, the installed metadata and the package agree."""
    assert PROJECT["project"]["version"] == importlib.metadata.version("tui-ipc") == tui_ipc.__version__


def test_changelog_has_the_version() -> None:
    """Users find what the version brought."""
    heading = re.search(r"^## .*$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert heading is not None
    assert PROJECT["project"]["version"] in heading.group()


@pytest.mark.parametrize("name", ["tui-ipc", "tui-ipc-child"])
def test_commands_lead_to_functions(name: str) -> None:
    """Each command that the installation offers starts a function that exists."""
    (entry,) = importlib.metadata.entry_points(group="console_scripts", name=name)
    assert callable(entry.load())


def test_wheel_ships_the_whole_package_and_nothing_else(distributions: tuple[Path, Path]) -> None:
    """Modules, py.typed, the protocol's description and the style sheets; no test, no cache."""
    with zipfile.ZipFile(distributions[0]) as wheel:
        shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert shipped == relative(ours(ROOT / "tui_ipc"))
    assert {
        "tui_ipc/py.typed",
        *(f"tui_ipc/docs/{name}.md" for name in ("LIBRARY", "PROTOCOL", "RECORDING", "SCRIPTS")),
        "tui_ipc/tui/app.tcss",
    } <= shipped


def test_the_library_of_the_wheel_needs_only_msgpack(
    distributions: tuple[Path, Path], tmp_path: Path
) -> None:
    """As LIBRARY.md says: installed without what the explorer needs, all of it works."""
    with zipfile.ZipFile(distributions[0]) as wheel:
        wheel.extractall(tmp_path)
    (tmp_path / "msgpack").symlink_to(Path(msgpack.__file__).parent)
    code = "import tui_ipc.aio, sys; from tui_ipc import spawn\n"
    code += "with spawn([sys.executable, '-S', '-m', 'tui_ipc.child']) as (_, sender, receiver):\n"
    code += "    sender.send('hi'); print(receiver.recv(20))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Child received: hi\n")


def test_sdist_ships_the_whole_tree(distributions: tuple[Path, Path]) -> None:
    """Whoever packages the project for a distribution can run its tests."""
    with tarfile.open(distributions[1]) as sdist:
        shipped = {name.partition("/")[2] for name in sdist.getnames()}
    assert relative(ours()) <= shipped


def test_top_level_holds_only_what_the_design_names() -> None:
    """No stray file at the top; caches and environments are those that .gitignore knows."""
    extra = [
        path.name
        for path in ROOT.iterdir()
        if path.name not in TOP_LEVEL and not any(fnmatch(path.name, pattern) for pattern in IGNORED)
    ]
    assert extra == []


def test_no_file_names_a_package_registry() -> None:
    """Neither a lock file nor a line that would send somebody's installation to a particular host."""
    named = []
    for path in ours():
        text = path.read_text(encoding="utf-8", errors="replace")
        named += [f"{path.relative_to(ROOT)}: {found.group()}" for found in REGISTRY.finditer(text)]
    assert named == []
    assert [path for path in ours() if re.search(r"(^|[.-])lock([.-]|$)", path.name)] == []


def test_ci_runs_the_command_of_the_readme() -> None:
    """One source of truth: what .ci/run will run is a line of the README, and a reader can run it."""
    done = subprocess.run(
        ["bash", ".ci/run", "--test-command"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    command = done.stdout.rstrip("\n")
    assert f"```sh\n{command}\n```" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert command.startswith("python3 -m venv .venv && ")
    assert command.endswith(" -m pytest")


def test_readme_opens_with_a_screenshot_and_two_commands() -> None:
    """The first screenful shows the program and starts it: each command makes its own environment."""
    opening = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## ")[0]
    picture = re.search(r"^!\[.+\]\((screenshots/\S+\.svg)\)$", opening, re.MULTILINE)
    assert picture is not None
    assert (ROOT / picture.group(1)).is_file()
    commands = re.findall(r"^```sh\n(.+)\n```$", opening, re.MULTILINE)
    assert [command.split()[-1] for command in commands] == [".venv/bin/tui-ipc", "pytest"]
    assert all(command.startswith("python3 -m venv .venv && .venv/bin/pip install ") for command in commands)
