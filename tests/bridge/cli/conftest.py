"""A private home, a daemon double in it, and the command line run inside this process."""

import io
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from bridge.cli.group import start
from tests.bridge.cli.daemon_double import DaemonDouble

DEADLINE_SECONDS = 20.0


class Ran(msgspec.Struct, frozen=True):
    """What a run of the command line left behind."""

    status: int
    out: str
    err: str


Cli = Callable[..., Ran]


@pytest.fixture(name="home")
def _home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    # Short, because the path of a Unix socket holds 107 bytes at most.
    with tempfile.TemporaryDirectory(prefix="tb-") as folder:
        home = Path(folder)
        monkeypatch.setenv("HOME", folder)
        monkeypatch.setenv("XDG_CONFIG_HOME", f"{folder}/config")
        monkeypatch.setenv("XDG_STATE_HOME", f"{folder}/state")
        monkeypatch.setenv("XDG_RUNTIME_DIR", f"{folder}/run")
        monkeypatch.setenv("TZ", "UTC")
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
        for name in ("NO_COLOR", "BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "COLUMNS", "XDG_MUSIC_DIR"):
            monkeypatch.delenv(name, raising=False)
        yield home


@pytest.fixture(name="daemon")
def _daemon(home: Path) -> Iterator[DaemonDouble]:
    daemon = DaemonDouble(home)
    daemon.start()
    yield daemon
    daemon.close()


@pytest.fixture(name="cli")
def _cli(home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run the command line in this process; ``stdin`` is what the person types."""
    assert home.is_dir()

    def run(*arguments: str, stdin: str = "") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capfd.readouterr()
        status = start(arguments)
        told = capfd.readouterr()
        return Ran(status, told.out, told.err)

    return run


@pytest.fixture(name="process")
def _process(home: Path) -> Cli:
    """Run the command line as a process of its own."""
    assert home.is_dir()

    def run(*arguments: str | bytes, stdin: str = "") -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "bridge", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run
