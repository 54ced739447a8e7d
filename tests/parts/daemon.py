"""The real daemon as a process of its own, with its own home: started, asked, killed, started again."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

START_DEADLINE_SECONDS = 20.0
STOP_DEADLINE_SECONDS = 10.0


class Daemon:
    """A daemon in a temporary home. ``settings`` is TOML; ``env`` is added to an otherwise clean environment.

    ``program`` is what Python runs, for a daemon that hosts apps of its own.
    """

    def __init__(
        self,
        *,
        settings: str = "",
        env: Mapping[str, str] | None = None,
        player: str = "null",
        program: Sequence[str] = ("-m", "bridge", "run"),
    ) -> None:
        self._program = program
        self._folder = tempfile.TemporaryDirectory(prefix="tb-")
        self.home = Path(self._folder.name)
        self.music = self.home / "Music"
        self.log = self.home / "daemon.log"
        self.started_seconds = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        for folder in ("config/tollbridge", "state", "run", "Music"):
            (self.home / folder).mkdir(mode=0o700, parents=True)
        base = "" if "[daemon]" in settings else "[daemon]\nports = [0]\n"
        music = f'[player]\nmusic_folders = ["{self.music}"]\nengine = "{player}"\n'
        config = base + ("" if "[player]" in settings else music) + settings
        (self.home / "config/tollbridge/config.toml").write_text(config, encoding="utf-8")
        self.env = {
            "HOME": str(self.home),
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_RUNTIME_DIR": str(self.home / "run"),
            # A bus that is not there: no player of this machine's real session is ever touched.
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.home}/no-bus",
            "PYTHONPATH": str(Path(__file__).parents[2]),
            **(env or {}),
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.stop()
        self._folder.cleanup()

    @property
    def pid(self) -> int:
        """Return the process id of the run under way."""
        assert self._process is not None
        return self._process.pid

    @property
    def runtime(self) -> dict[str, Any]:
        """Return what the runtime file says."""
        told: dict[str, Any] = json.loads((self.home / "run/tollbridge/daemon.json").read_bytes())
        return told

    @property
    def base(self) -> str:
        """Return the base URL."""
        return str(self.runtime["base"])

    @property
    def port(self) -> int:
        """Return the TCP port."""
        return int(self.runtime["port"])

    @property
    def socket(self) -> str:
        """Return the path of the Unix socket."""
        return str(self.runtime["socket"])

    def start(self) -> None:
        """Start it and wait until it answers."""
        begun = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._program], env=self.env, stdout=log, stderr=log, cwd=self.home
            )
        deadline = begun + START_DEADLINE_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the daemon did not start:\n{self.log.read_text(encoding='utf-8')}")
            time.sleep(0.002)
        self.started_seconds = time.monotonic() - begun

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it by its own pid and return its exit status."""
        process = self._process
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(number)
        try:
            status = process.wait(STOP_DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        self._process = None
        return status

    def kill(self) -> None:
        """End it as a crash does."""
        self.stop(signal.SIGKILL)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send one request over the Unix socket, as the owner; return the JSON of a 2xx answer."""
        status, answer = self.send(method, path, body)
        assert 200 <= status < 300, (status, answer)
        return answer

    def send(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Send one request over the Unix socket; return status and JSON (None where there is no body)."""
        connection = _UnixConnection(self.socket)
        try:
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content else None
        finally:
            connection.close()

    def call(self, command: str, **params: object) -> Any:
        """Run ``app.command`` as the owner."""
        app, _, name = command.partition(".")
        return self.ask("POST", f"/v1/apps/{app}/{name}", params)

    def token(self, scope: str, *, ttl: int = 3600, name: str = "test") -> str:
        """Return a bearer token for a native program."""
        return str(self.ask("POST", "/v1/tokens", {"scope": scope, "ttl": ttl, "name": name})["access_token"])

    def cli(self, *arguments: str, stdin: str = "", deadline: float = 20.0) -> subprocess.CompletedProcess[str]:
        """Run the command line against this daemon."""
        return subprocess.run(
            [sys.executable, "-m", "bridge", *arguments],
            env=self.env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=deadline,
            check=False,
        )

    @contextmanager
    def begin(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run the command line against this daemon, and go on meanwhile; it is ended with the block."""
        command = [sys.executable, "-m", "bridge", *arguments]
        with subprocess.Popen(
            command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as run:
            try:
                yield run
            finally:
                run.kill()

    def _answers(self) -> bool:
        try:
            told = self.runtime
        except (OSError, ValueError):
            return False
        if self._process is None or told["pid"] != self._process.pid:
            return False  # left behind by a run that was killed
        try:
            self.ask("GET", "/v1/status")
        except OSError:
            return False
        return True


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=15)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def clean_environment() -> dict[str, str]:
    """Return this process's environment without what points at a real session of this machine."""
    leave = ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "PULSE_SERVER")
    return {name: value for name, value in os.environ.items() if name not in leave}
