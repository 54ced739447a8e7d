"""Each command's `--curl` line, run by a shell as printed, sends the request that the command sends."""

import subprocess
from pathlib import Path

import pytest

from tests.bridge.cli.conftest import Cli
from tests.bridge.cli.daemon_double import DaemonDouble, Received
from tests.bridge.cli.test_approve import PAGE
from tests.bridge.cli.test_keyring import WORKS
from tests.bridge.cli.test_offer import MADE, OFFERS
from tests.bridge.cli.test_owner import GRANTS, STATUS

TOKEN = {"access_token": "SECRET", "expires_in": 3600, "scope": "a:b"}
ANSWERS = {
    ("GET", "/v1/status"): (200, STATUS),
    ("POST", "/v1/apps/player/play"): (200, {}),
    ("POST", "/v1/apps/player/set_volume"): (200, {}),
    ("GET", "/oauth/requests"): (200, {"requests": [PAGE]}),
    ("POST", "/oauth/requests/BCDF-GHJK"): (200, {"status": "allowed"}),
    ("GET", "/v1/grants"): (200, GRANTS),
    ("DELETE", "/v1/grants/g1"): (204, b""),
    ("POST", "/v1/offers"): (200, MADE),
    ("GET", "/v1/offers"): (200, OFFERS),
    ("DELETE", "/v1/offers/7c1f"): (204, b""),
    ("GET", "/v1/refusals"): (200, {"refusals": []}),
    ("GET", "/v1/audit"): (200, {"records": []}),
    ("POST", "/v1/keyring"): (200, WORKS),
    ("POST", "/v1/tokens"): (200, TOKEN),
    ("POST", "/v1/activation-links"): (200, {"link": "http://127.0.0.1:4380/#activate=SECRET", "expires_in": 120}),
}
COMMANDS = [
    ("status",),
    ("call",),
    ("call", "player.play"),
    ("call", "player.set_volume", "volume=0.5", 'player=it\'s "$HOME" `id` \\ é\n!x'),
    ("pending",),
    ("approve", "BCDF-GHJK", "--yes"),
    ("approve", "BCDF-GHJK", "--yes", "--scope", "player:read"),
    ("deny", "BCDF-GHJK"),
    ("grants",),
    ("grants", "--revoke", "g1"),
    ("offer", "player.play"),
    ("offer", "player.set_volume", "volume=0.5", "player=it's", "--uses", "3", "--ttl", "2h"),
    ("offers",),
    ("offers", "--revoke", "7c1f"),
    ("refusals",),
    ("audit",),
    ("keyring",),
    ("token", "--scope", "a:b", "--ttl", "10m"),
    ("open",),
]

BROWSER = """\
#!/bin/sh
exec curl -sS --noproxy '*' -o /dev/null "$(sed 's/.*href="\\([^"]*\\)".*/\\1/' "${1#file://}")"
"""
"""Goes where the file of `tollbridge open` sends it."""


@pytest.fixture(autouse=True)
def _answers(daemon: DaemonDouble) -> None:
    daemon.answers.update(ANSWERS)


@pytest.fixture(autouse=True)
def _browser(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "browser").write_text(BROWSER)
    (home / "browser").chmod(0o700)
    monkeypatch.setenv("BROWSER", str(home / "browser"))


def _told(received: Received) -> tuple[str, str, object, str | None]:
    return received.method, received.target, received.body, received.headers.get("Content-Type")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_line_sends_the_commands_own_request(
    daemon: DaemonDouble, cli: Cli, home: Path, command: tuple[str, ...]
) -> None:
    assert 0 == cli(*command).status
    own = daemon.received[-1]
    line = cli(*command, "--curl").out
    daemon.received.clear()

    done = subprocess.run(
        ["bash", "-c", line],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        cwd=home,
        env={"PATH": "/usr/bin:/bin"},
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert [_told(own)] == [_told(received) for received in daemon.received]
    assert "SECRET" not in line


def test_the_line_of_a_stream_streams(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.events = [("EPOCH001.1", {"id": "EPOCH001.1"})]
    line = cli("watch", "player", "--curl").out

    with subprocess.Popen(["bash", "-c", f"exec {line}"], stdout=subprocess.PIPE, text=True) as curl:
        assert curl.stdout is not None
        lines = [curl.stdout.readline() for _ in range(4)]
        curl.terminate()

    assert [":\n", "\n", "id: EPOCH001.1\n", 'data: {"id": "EPOCH001.1"}\n'] == lines
    assert "/v1/events?topics=player" == daemon.received[-1].target


@pytest.mark.parametrize("command", [one for one in COMMANDS if "player.set_volume" not in one], ids=" ".join)
def test_a_line_can_be_had_before_the_daemon_runs(daemon: DaemonDouble, cli: Cli, command: tuple[str, ...]) -> None:
    daemon.stop()

    ran = cli(*command, "--curl")

    assert 0 == ran.status
    assert ran.out.startswith("curl -sS")
    assert [] == daemon.received
