"""Real programs as context managers: started, awaited, ended by their own pid; as a plain user where root may not."""

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

PLAIN_USER = "tollbridge-test"
STOP_DEADLINE_SECONDS = 5.0


def wait_until(holds: Callable[[], bool], what: str, *, seconds: float = 10.0) -> None:
    """Wait until ``holds()``; polls, for conditions outside this process."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds:g} s")
        time.sleep(0.01)


def as_plain_user() -> tuple[str, ...]:
    """Return the command prefix that leaves root (made a user for it if need be); nothing where we are not root."""
    if os.geteuid() != 0:
        return ()
    try:
        pwd.getpwnam(PLAIN_USER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", PLAIN_USER], check=True
        )
    return ("setpriv", f"--reuid={PLAIN_USER}", f"--regid={PLAIN_USER}", "--clear-groups")


def give_to_plain_user(folder: Path) -> None:
    """Make ``folder`` the plain user's, where there is one."""
    if os.geteuid() == 0:
        as_plain_user()
        user = pwd.getpwnam(PLAIN_USER)
        os.chown(folder, user.pw_uid, user.pw_gid)


class Process:
    """One program: started on entry, ended on exit; its output goes to ``log``."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], log: Path, *, stdin: IO[bytes] | None = None
    ) -> None:
        self.log = log
        self._stdin = stdin
        self._command = command
        self._env = dict(env)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._env, stdin=self._stdin or subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self.process
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)  # a stopped one would not hear SIGTERM
            process.terminate()
        try:
            process.wait(STOP_DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "not started"
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_running(self) -> bool:
        return self.process.poll() is None

    def freeze(self) -> None:
        """Stop it with SIGSTOP: it answers nothing until ``thaw``; returns once every thread of it has stopped."""
        self.process.send_signal(signal.SIGSTOP)
        threads = Path(f"/proc/{self.pid}/task")
        wait_until(lambda: all(_is_stopped(thread) for thread in threads.iterdir()), "the stop")

    def thaw(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.wait()


def _is_stopped(thread: Path) -> bool:
    try:
        return (thread / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"
    except OSError:
        return True  # it has ended
