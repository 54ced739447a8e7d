"""scripts/run's two halves live and die together: the daemon and the demo site."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from scripts import demo

pytestmark = pytest.mark.real

SAID_WITHIN = 20.0
"""Seconds; a daemon is up in less than one."""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(name="start")
def _start(tmp_path: Path) -> Iterator[Start]:
    """Yield a function that starts scripts/demo.py for a person with an empty home; all are ended by their id."""
    (tmp_path / ".config" / "tollbridge").mkdir(parents=True)
    (tmp_path / ".config" / "tollbridge" / "config.toml").write_text(
        '[daemon]\nports = [0]\n[player]\nengine = "null"\n'
    )
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}
    with ExitStack() as stack:

        def start(port: int = 0) -> "subprocess.Popen[str]":
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "scripts.demo", "--demo-port", str(port)],
                    cwd=demo.ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                )
            )  # fmt: skip
            stack.callback(process.terminate)
            return process

        yield start


def said(process: "subprocess.Popen[str]", pattern: str) -> re.Match[str]:
    """Read on until a line matches; a process that says nothing in time is killed, which ends its output."""
    assert process.stdout is not None
    seen = []
    deadline = threading.Timer(SAID_WITHIN, process.kill)
    deadline.start()
    try:
        for line in process.stdout:
            seen.append(line)
            if found := re.search(pattern, line):
                return found
    finally:
        deadline.cancel()
        deadline.join()
    pytest.fail(f"never said {pattern!r}:\n{''.join(seen)}")


def fetch(url: str) -> str:
    with urllib.request.urlopen(url.replace("//localhost", "//127.0.0.1"), timeout=5) as answer:  # noqa: S310 - the two addresses under test
        return str(answer.read().decode())


def test_page_and_daemon_are_served_until_a_signal_ends_both(start: Start) -> None:
    process = start()
    base = said(process, r"is ready at (http://127\.0\.0\.1:\d+)")[1]
    page = said(process, r"(http://localhost:\d+/)")[1]

    assert "<html" in fetch(page)
    assert "tollbridge" in fetch(f"{base}/v1/hello")
    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=15) == 0
    with pytest.raises(OSError, match="refused"):
        fetch(f"{base}/v1/hello")


def test_daemon_that_runs_already_is_used_and_left_running(start: Start) -> None:
    first = start()
    base = said(first, r"is ready at (\S+)")[1]
    second = start()
    said(second, rf"runs already.* at {re.escape(base)}$")
    said(second, "http://localhost")

    second.terminate()

    assert second.wait(timeout=15) == 0
    assert "tollbridge" in fetch(f"{base}/v1/hello")


def test_daemon_that_dies_ends_the_demo_with_an_error(start: Start) -> None:
    process = start()
    pid = int(said(process, r"\(process (\d+)\) is ready")[1])
    said(process, "http://localhost")

    os.kill(pid, signal.SIGKILL)

    said(process, "The daemon ended by itself with status -9")
    assert process.wait(timeout=15) == 1


def test_taken_port_is_said_with_the_way_out(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(port)

        said(process, rf"Port {port} cannot be used for the demo page \(Address already in use\)")
        said(process, rf"scripts/run --demo-port {port + 1}")
        assert process.wait(timeout=15) == 1
