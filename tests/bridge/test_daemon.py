"""The daemon as a process: where it says that it listens, how it stops, how it starts again."""

import json
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bridge import daemon as daemon_module
from tests.parts.daemon import Daemon

pytestmark = pytest.mark.real


@pytest.fixture(name="daemon")
def _daemon() -> Iterator[Daemon]:
    with Daemon() as daemon:
        yield daemon


def mode(path: Path | str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


def test_the_runtime_file_tells_native_clients_where_it_listens(daemon: Daemon) -> None:
    told = daemon.runtime

    assert {"pid", "base", "port", "socket", "version", "started"} == set(told)
    assert (daemon.pid, f"http://127.0.0.1:{told['port']}") == (told["pid"], told["base"])
    assert 0o600 == mode(daemon.home / "run/tollbridge/daemon.json")
    assert (0o600, 0o700) == (mode(told["socket"]), mode(Path(told["socket"]).parent))
    assert 0o700 == mode(daemon.home / "state/tollbridge")


def test_it_listens_on_127_0_0_1_alone(daemon: Daemon) -> None:
    listening = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    listening6 = Path("/proc/net/tcp6").read_text(encoding="ascii").splitlines()[1:]
    port = f"{daemon.port:04X}"

    mine = [row.split() for row in listening + listening6]

    assert [f"0100007F:{port}"] == [row[1] for row in mine if row[1].endswith(f":{port}") and row[3] == "0A"]


def test_a_thousand_idle_connections_do_not_lock_the_owner_out() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))  # what a desktop session starts with
        daemon = stack.enter_context(Daemon())
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

        for _ in range(1100):
            stack.enter_context(socket.create_connection(("127.0.0.1", daemon.port)))

        deadline = threading.Event()
        while daemon.ask("GET", "/v1/status")["connections"] < 1100:
            assert not deadline.wait(0.01)


def test_a_second_daemon_of_the_same_user_says_where_the_first_one_is(daemon: Daemon) -> None:
    second = daemon.cli("run")

    assert 1 == second.returncode
    assert daemon.base in second.stderr
    assert str(daemon.pid) in second.stderr
    assert "Traceback" not in second.stderr
    assert daemon.ask("GET", "/v1/status")["pid"] == daemon.pid


@pytest.mark.parametrize("spoilt", ["nothing", "the lock is gone"])
def test_a_daemon_of_another_home_does_not_take_the_socket(daemon: Daemon, tmp_path: Path, spoilt: str) -> None:
    run = daemon.home / "run/tollbridge"
    if spoilt == "the lock is gone":  # as a desktop may do that cleans up its runtime folder
        (run / "lock").unlink()
    before = {path.name: path.stat().st_ino for path in run.iterdir() if path.name != "lock"}
    state = daemon.env["XDG_STATE_HOME"]
    daemon.env["XDG_STATE_HOME"] = str(tmp_path)

    second = daemon.cli("run")

    assert 1 == second.returncode
    assert f"pid {daemon.pid}" in second.stderr
    assert f"`kill {daemon.pid}`" in second.stderr
    assert re.fullmatch(r"[A-Z][A-Za-z ]+: .*/.*[;,] .*[a-z]\.\n", second.stderr), second.stderr
    assert before == {path.name: path.stat().st_ino for path in run.iterdir() if path.name != "lock"}
    daemon.env["XDG_STATE_HOME"] = state
    assert f"process      {daemon.pid}" in daemon.cli("status").stdout


def test_a_daemon_whose_socket_is_looked_for_elsewhere_is_told_with_its_process(daemon: Daemon, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    daemon.env["XDG_RUNTIME_DIR"] = str(tmp_path)

    second = daemon.cli("run")

    assert 1 == second.returncode
    assert f"(pid {daemon.pid}), but not in {tmp_path}/tollbridge: " in second.stderr
    assert f"`kill {daemon.pid}`" in second.stderr


def test_a_stop_leaves_what_is_not_its_own_any_more(daemon: Daemon) -> None:
    run = daemon.home / "run/tollbridge"
    told = {**daemon.runtime, "pid": 1}
    (run / "socket").rename(run / "kept")  # so that its number is not used again
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(run / "socket"))
        (run / "daemon.json").write_text(json.dumps(told), encoding="utf-8")

        assert 0 == daemon.stop()

        assert (run / "socket").is_socket()
        assert told == json.loads((run / "daemon.json").read_bytes())


def test_sigterm_ends_it_cleanly_and_leaves_nothing(daemon: Daemon) -> None:
    socket_path = daemon.socket

    assert 0 == daemon.stop(signal.SIGTERM)

    assert not Path(socket_path).exists()
    assert not (daemon.home / "run/tollbridge/daemon.json").exists()
    assert "Traceback" not in daemon.log.read_text(encoding="utf-8")


def test_sigterm_lets_a_stream_end_and_answers_what_waits(daemon: Daemon) -> None:
    answers: list[tuple[int, object]] = []
    waiting = threading.Thread(target=lambda: answers.append(daemon.send("GET", "/v1/events?wait=30")))
    waiting.start()
    deadline = threading.Event()
    while daemon.ask("GET", "/v1/status")["sessions"] == 0:
        assert not deadline.wait(0.01)

    assert 0 == daemon.stop(signal.SIGTERM)
    waiting.join(5)

    assert [503] == [status for status, _ in answers]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_comes_back_on_its_port_with_its_grants(daemon: Daemon, number: signal.Signals) -> None:
    port = daemon.port
    token = daemon.token("system:read")
    daemon.stop(number)

    daemon.start()

    assert port == daemon.port
    (grant,) = daemon.ask("GET", "/v1/grants")["grants"]
    assert "native:test" == grant["client"]["id"]
    assert token.startswith("at_")


def test_a_start_makes_a_new_epoch(daemon: Daemon) -> None:
    before = daemon.ask("GET", "/v1/events")["cursor"]
    daemon.kill()
    daemon.start()

    answer = daemon.ask("GET", f"/v1/events?after={before}")

    assert ["gap"] == [event["name"] for event in answer["events"]]
    assert before != answer["cursor"]


def test_a_taken_port_is_told_with_its_holder(daemon: Daemon) -> None:
    port = daemon.port
    daemon.stop()
    with socket.create_server(("127.0.0.1", port)):
        refused = daemon.cli("run")
    assert 1 == refused.returncode
    assert f"port {port} is held by uid {os.getuid()}" in refused.stderr

    daemon.start()
    assert port == daemon.port


def test_a_runtime_folder_that_lies_too_deep_for_a_socket_is_told(daemon: Daemon) -> None:
    daemon.stop()
    deep = daemon.home / ("d" * 100)
    deep.mkdir(mode=0o700)
    daemon.env["XDG_RUNTIME_DIR"] = str(deep)

    refused = daemon.cli("run")

    assert 1 == refused.returncode
    assert f"{deep}/tollbridge/socket has " in refused.stderr
    assert "set XDG_RUNTIME_DIR to " in refused.stderr
    assert "Traceback" not in refused.stderr


def test_what_a_start_puts_right_is_in_the_log(daemon: Daemon) -> None:
    daemon.stop()
    state = daemon.home / "state/tollbridge"
    folders = (state, daemon.home / "run/tollbridge")
    for folder in folders:
        folder.chmod(0o777)
    (state / "port").write_text("80", encoding="ascii")

    daemon.start()

    log = daemon.log.read_text(encoding="utf-8").splitlines()
    told = [line.partition("file=")[2] for line in log if "closed now" in line or "it is ignored" in line]
    assert [str(place) for place in (*folders, state / "port")] == told
    assert [0o700, 0o700] == [mode(folder) for folder in folders]
    assert daemon.port >= 1024


def test_a_wrong_setting_is_told(daemon: Daemon) -> None:
    daemon.stop()
    (daemon.home / "config/tollbridge/config.toml").write_text("[daemon]\nbind = '0.0.0.0'\n", encoding="utf-8")

    refused = daemon.cli("run")

    assert 1 == refused.returncode
    assert "bind" in refused.stderr
    assert "Traceback" not in refused.stderr


def _spoils(kind: str, daemon: Daemon) -> None:
    state = daemon.home / "state/tollbridge"
    if kind == "not TOML":
        (daemon.home / "config/tollbridge/config.toml").write_text("[daemon", encoding="utf-8")
    elif kind == "a setting out of range":
        (daemon.home / "config/tollbridge/config.toml").write_text("[limits]\nburst = 0\n", encoding="utf-8")
    elif kind == "a state folder that is a file":
        state.rename(state.with_name("moved"))
        state.write_bytes(b"")
    elif kind == "a socket that is a folder":
        (daemon.home / "run/tollbridge/socket").mkdir()
    elif kind == "settings that are a link to nowhere":
        (daemon.home / "config/tollbridge/config.toml").unlink()
        (daemon.home / "config/tollbridge/config.toml").symlink_to("dotfiles/config.toml")
    elif kind == "a settings folder that is a link to nowhere":
        (daemon.home / "config/tollbridge").rename(daemon.home / "config/moved")
        (daemon.home / "config/tollbridge").symlink_to(daemon.home / "dotfiles")
    elif kind == "a home that is no folder":
        daemon.env = {"HOME": "/dev/null", "PYTHONPATH": daemon.env["PYTHONPATH"]}
    else:
        name, _, _ = kind.partition(" ")
        for part in state.glob(f"{name}*"):
            part.unlink()
        (state / name).mkdir() if kind.endswith("folder") else (state / name).write_bytes(b"damaged" * 1000)
        (state / name).chmod(0o700 if kind.endswith("folder") else 0o600)
        if kind.endswith("open to others"):
            (state / name).chmod(0o666)


@pytest.mark.parametrize(
    "kind",
    [
        "not TOML",
        "a setting out of range",
        "a state folder that is a file",
        "a socket that is a folder",
        "settings that are a link to nowhere",
        "a settings folder that is a link to nowhere",
        "a home that is no folder",
        "grants.sqlite open to others",
        "grants.sqlite damaged",
        "grants.sqlite a folder",
        "identity damaged",
        "identity a folder",
        "audit.sqlite a folder",
    ],
)
def test_whatever_keeps_it_from_starting_is_one_sentence_in_one_form(daemon: Daemon, kind: str) -> None:
    daemon.stop()
    _spoils(kind, daemon)

    refused = daemon.cli("run")

    assert (1, "") == (refused.returncode, refused.stdout)
    # What is wrong: where, and what to do. No time, no level, no class.
    assert re.fullmatch(r"[A-Z][a-z ]+: .*/.*[;,] .*[a-z]\.\n", refused.stderr), refused.stderr


@pytest.mark.parametrize("most", [12, 16, 32, daemon_module.LEAST_DESCRIPTORS - 1])
def test_too_few_descriptors_are_one_sentence(daemon: Daemon, most: int) -> None:
    daemon.stop()

    refused = subprocess.run(
        ["sh", "-c", f'ulimit -n {most}; exec "$@"', "sh", sys.executable, "-m", "bridge", "run"],
        env=daemon.env,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert (1, "") == (refused.returncode, refused.stdout)
    assert re.fullmatch(rf"The daemon cannot start: .* {most} files .*`ulimit -Hn`.*[a-z]\.\n", refused.stderr)


def test_as_many_descriptors_as_it_asks_for_are_enough() -> None:
    least = daemon_module.LEAST_DESCRIPTORS
    with Daemon(program=("-c", _LIMITED.format(least=least))) as limited:
        assert limited.pid == limited.ask("GET", "/v1/status")["pid"]
        with ExitStack() as stack:
            for _ in range(least // 2):
                stack.enter_context(socket.create_connection(("127.0.0.1", limited.port)))
            assert {"text": "Hello"} == limited.call("system.echo", text="Hello")


_LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({least}, {least}))
from bridge.cli.group import start
sys.exit(start(["run"]))
"""


def test_an_app_that_fails_to_start_still_has_its_trace(tmp_path: Path) -> None:
    program = tmp_path / "failing.py"
    program.write_text(
        "import contextlib\nfrom bridge import config, daemon, paths\nfrom bridge.apps.port import App\n"
        "app = App('lamp', title='Lamp', scopes={})\n"
        "@app.lifespan\n@contextlib.asynccontextmanager\nasync def start():\n"
        "    raise PermissionError(13, 'no lamp')\n    yield\n"
        "raise SystemExit(daemon.run(config.read(paths.config_file()), lambda settings: [app]))\n",
        encoding="utf-8",
    )

    daemon = Daemon(program=(str(program),))
    with pytest.raises(RuntimeError, match="the program ended by an error\n  PermissionError") as told:
        daemon.start()
    daemon.__exit__(None, None, None)

    assert "failing.py" in str(told.value)
    assert "in start" in str(told.value)


def test_damaged_grants_are_told_and_left_alone(daemon: Daemon) -> None:
    daemon.stop()
    file = daemon.home / "state/tollbridge/grants.sqlite"
    for part in file.parent.glob("grants.sqlite*"):
        part.unlink()
    file.write_bytes(b"damaged" * 1000)
    file.chmod(0o600)

    refused = daemon.cli("run")

    assert 1 == refused.returncode
    assert "grants.sqlite is not a store of grants" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert b"damaged" * 1000 == file.read_bytes()


def test_every_file_is_the_users_alone(daemon: Daemon) -> None:
    daemon.token("system:read")

    files = [path for folder in ("state", "run") for path in (daemon.home / folder / "tollbridge").rglob("*")]

    assert {} == {str(path): mode(path) for path in files if mode(path) & 0o077}


@pytest.mark.parametrize(("words", "is_told"), [(("-v",), True), ((), False)])
def test_verbose_tells_each_request_and_command(words: tuple[str, ...], *, is_told: bool) -> None:
    with Daemon(program=("-m", "bridge", "run", *words)) as daemon:
        daemon.call("system.echo", text="canary")

        log = daemon.log.read_text(encoding="utf-8")

    for line in (
        "a command has ended client=owner app=system command=echo outcome=ok milliseconds=",
        "a request has ended method=POST path=/v1/apps/{app}/{command} client=owner status=200 outcome=- milliseconds=",
    ):
        assert is_told == (line in log)
    assert "canary" not in log


def test_no_token_and_no_query_is_ever_logged(daemon: Daemon) -> None:
    token = daemon.token("system:read")
    link = daemon.ask("POST", "/v1/activation-links")["link"]
    daemon.send("GET", f"/v1/events?after={token}")
    daemon.send("GET", f"/nothing?canary={token}")

    log = daemon.log.read_text(encoding="utf-8")

    assert token not in log
    assert link.partition("=")[2] not in log
    assert "canary" not in log


def test_secrets_on_disk_are_hashes(daemon: Daemon) -> None:
    token = daemon.token("system:read")
    daemon.stop()

    stored = b"".join(path.read_bytes() for path in (daemon.home / "state").rglob("*") if path.is_file())

    assert token.encode() not in stored
    assert json.dumps(token).encode() not in stored


def test_the_readmes_own_program_works_as_printed(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## Your own native program")[2].partition("\n## ")[0]
    program = tmp_path / "greeter.py"
    program.write_text("\n".join(re.findall(r"```python\n(.*?)```", section, re.DOTALL)), encoding="utf-8")

    with Daemon(program=(str(program),)) as daemon:
        before = daemon.ask("GET", "/v1/events")["cursor"]

        assert {"text": "Hello"} == daemon.call("greeter.say", text="Hello")
        assert "INFO    app.greeter: said it count=5\n" in daemon.log.read_text(encoding="utf-8")

        (event,) = daemon.ask("GET", f"/v1/events?topics=greeter&after={before}")["events"]
        assert ("greeter", "said", {"text": "Hello"}) == (event["topic"], event["name"], event["data"])
