"""Starts the servers under test as processes of their own, and reads what they cost."""

import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

START_DEADLINE_SECONDS = 30.0


class Reference:
    """A reference server, by the name of its module."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.started_seconds = 0.0

    def __enter__(self) -> Self:
        self.port = free_port()
        begun = time.perf_counter()
        command = [sys.executable, "-m", f"scripts.benchmarks.{self._module}", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while not answers(self.port):
            if self._process.poll() is not None or time.perf_counter() - begun > START_DEADLINE_SECONDS:
                raise RuntimeError(f"{self._module} did not start")
            time.sleep(0.002)
        self.started_seconds = time.perf_counter() - begun
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """Return its process id."""
        assert self._process is not None
        return self._process.pid


def answers(port: int) -> bool:
    """Say whether an HTTP server answers anything on 127.0.0.1:``port``."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/v1/hello")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def place(pid: int, processor: int | None) -> None:
    """Keep a process on one processor (Linux), where there are two; None lets it run on all again.

    Left to the scheduler, client and server share one or sleep on two from run to run, which is worth more than any
    difference between the servers.
    """
    if (os.cpu_count() or 1) > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, range(os.cpu_count() or 1) if processor is None else {processor})


def memory_megabytes(pid: int) -> float:
    """Return the resident memory of a process (Linux), in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6
