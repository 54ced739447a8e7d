"""The command line against the real daemon, each a process of its own."""

import base64
import hashlib
import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

import bridge
from tests.parts.daemon import Daemon

pytestmark = pytest.mark.real

DEADLINE_SECONDS = 20.0
SITE = "https://radio.example"


@pytest.fixture(name="daemon", scope="module")
def _daemon() -> Iterator[Daemon]:
    with Daemon() as daemon:
        yield daemon


def shell(daemon: Daemon, line: str) -> subprocess.CompletedProcess[str]:
    """Run ``line`` in bash, where `tollbridge` is the command line under test."""
    command = f'tollbridge() {{ "{sys.executable}" -m bridge "$@"; }}\n{line}'
    return subprocess.run(
        ["bash", "-c", command], env=daemon.env, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )


def ask_as_a_page(daemon: Daemon, scope: str = "system:read") -> dict[str, Any]:
    """Post a site's authorization request as the consent page does, and return what the page is told."""
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(b"key").digest()).rstrip(b"=").decode()
    query = urlencode(
        {
            "response_type": "code",
            "client_id": SITE,
            "redirect_uri": f"{SITE}/back",
            "scope": scope,
            "state": "s",
            "code_challenge": thumbprint,
            "code_challenge_method": "S256",
            "dpop_jkt": thumbprint,
        }
    )
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=DEADLINE_SECONDS)
    headers = {"Origin": daemon.base, "Content-Type": "application/json"}
    connection.request("POST", "/oauth/requests", json.dumps({"query": query}), headers)
    told: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return told


def status_of(daemon: Daemon, handle: str) -> str:
    """Return the request's status as its page polls it."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=DEADLINE_SECONDS)
    connection.request("GET", f"/oauth/requests/{handle}", headers={"Sec-Fetch-Site": "same-origin"})
    told = json.loads(connection.getresponse().read())
    connection.close()
    return str(told["status"])


def test_status_names_the_daemon_that_runs(daemon: Daemon) -> None:
    ran = daemon.cli("status")

    assert 0 == ran.returncode
    assert re.search(rf"^version +{re.escape(bridge.__version__)}$", ran.stdout, re.MULTILINE)
    assert re.search(rf"^process +{daemon.pid}$", ran.stdout, re.MULTILINE)
    assert re.search(rf"^address +{daemon.base}$", ran.stdout, re.MULTILINE)


def test_a_call_and_its_curl_line_give_the_same_bytes(daemon: Daemon) -> None:
    words = ("call", "system.echo", "text=it's 5 o'clock: é \"$HOME\"")

    ran = daemon.cli(*words)
    line = daemon.cli(*words, "--curl").stdout

    assert {"text": "it's 5 o'clock: é \"$HOME\""} == json.loads(ran.stdout)
    assert ran.stdout == shell(daemon, line).stdout + "\n"


def test_a_misspelt_parameter_is_refused_with_its_path(daemon: Daemon) -> None:
    ran = daemon.cli("call", "system.echo", "txt=x")

    assert (1, "") == (ran.returncode, ran.stdout)
    assert "code: invalid_params" in ran.stderr
    assert "at: $" in ran.stderr


def test_what_can_be_called_is_listed(daemon: Daemon) -> None:
    ran = daemon.cli("call")

    assert re.search(r"^system\.echo .* text=TEXT$", ran.stdout, re.MULTILINE)
    assert "player.set_volume" in ran.stdout


def test_a_token_in_a_header_file_lets_curl_in_over_tcp(daemon: Daemon) -> None:
    ran = shell(
        daemon,
        "curl -sS --noproxy 127.0.0.1 -H @<(tollbridge token --scope system:read --ttl 1m --header) "
        f"-X POST {daemon.base}/v1/apps/system/version",
    )

    assert ({"version": bridge.__version__}, "") == (json.loads(ran.stdout), ran.stderr)


def test_a_token_for_an_unknown_scope_is_refused(daemon: Daemon) -> None:
    ran = daemon.cli("token", "--scope", "owner")

    assert (1, "") == (ran.returncode, ran.stdout)
    assert "code: invalid_params" in ran.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("call", "lamp.on"),
        ("call", "player.dance", "x=1"),
        ("call", "player.play", "player=nobody"),
        ("call", "player.open", "uri=x:y"),
        ("watch", "nothing"),
        ("watch", "player", "nothing"),
        ("token", "--scope", "nonsense"),
        ("grants", "--revoke", "nobody"),
        ("offer", "lamp.on"),
        ("offer", "player.dance", "x=1"),
        ("offer", "player.set_volume", "volume=loud"),
        ("offers", "--revoke", "nobody"),
        ("approve", "BCDF-GHJK"),
        ("deny", "BCDF-GHJK"),
    ],
    ids=" ".join,
)
def test_what_was_typed_wrong_is_answered_in_commands_never_in_routes(daemon: Daemon, words: tuple[str, ...]) -> None:
    ran = daemon.cli(*words)

    assert (1, "") == (ran.returncode, ran.stdout)
    assert "" != ran.stderr
    assert None is re.search(r"(GET|POST|DELETE) /", ran.stderr)


def test_a_token_that_is_to_live_too_long_is_told_the_longest_before_the_daemon_is_asked(daemon: Daemon) -> None:
    ran = daemon.cli("token", "--scope", "player:read", "--ttl", "9999d")

    assert 2 == ran.returncode
    assert "'9999d' is too long. The longest is 180d." in ran.stderr
    assert 0 == daemon.cli("token", "--scope", "player:read", "--ttl", "180d").returncode


def test_a_site_is_approved_listed_and_taken_back(daemon: Daemon) -> None:
    asked = ask_as_a_page(daemon)
    assert asked["code"] in daemon.cli("pending").stdout

    approved = daemon.cli("approve", asked["code"].lower(), stdin="y\n")

    assert 0 == approved.returncode
    assert f"{SITE} wants to:" in approved.stdout
    assert f"Allowed: {SITE}" in approved.stdout
    assert "allowed" == status_of(daemon, asked["handle"])
    assert SITE in daemon.cli("grants").stdout
    (grant,) = [one for one in daemon.ask("GET", "/v1/grants")["grants"] if one["client"]["id"] == SITE]
    assert 0 == daemon.cli("grants", "--revoke", grant["id"]).returncode
    assert 1 == daemon.cli("grants", "--revoke", grant["id"]).returncode


def test_a_site_is_denied(daemon: Daemon) -> None:
    asked = ask_as_a_page(daemon)

    ran = daemon.cli("deny", asked["code"])

    assert (0, f"Denied: {SITE}\n") == (ran.returncode, ran.stdout)
    assert "denied" == status_of(daemon, asked["handle"])


def test_a_refusal_is_listed_with_its_remedy(daemon: Daemon) -> None:
    shell(daemon, f"curl -sS --noproxy 127.0.0.1 -H 'Origin: null' {daemon.base}/v1/apps")

    ran = daemon.cli("refusals")

    assert 0 == ran.returncode
    assert "origin_null" in ran.stdout
    assert "sandboxed frame" in ran.stdout


def test_a_second_daemon_says_where_the_first_one_is(daemon: Daemon) -> None:
    ran = daemon.cli("run")

    assert 1 == ran.returncode
    assert daemon.base in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_file_of_an_opened_link_ends_with_the_daemon() -> None:
    with Daemon(env={"BROWSER": "/bin/true"}) as daemon:
        file = daemon.home / "run" / "tollbridge" / "open.html"

        with daemon.begin("open") as opening:
            assert opening.stdout is not None
            assert "The dashboard opens in your browser." in opening.stdout.readline()
        assert file.exists()
        daemon.stop()

        assert not file.exists()


def test_a_watch_goes_on_after_a_crash_and_says_the_gap(tmp_path: Path) -> None:
    out, err = tmp_path / "out", tmp_path / "err"
    with Daemon() as daemon, out.open("wb") as stdout, err.open("wb") as stderr:
        watch = subprocess.Popen(
            [sys.executable, "-u", "-m", "bridge", "watch", "--json"], env=daemon.env, stdout=stdout, stderr=stderr
        )
        try:
            _until(lambda: daemon.ask("GET", "/v1/status")["sessions"] == 1)
            daemon.kill()
            _until(lambda: "has gone away" in err.read_text())
            daemon.start()
            _until(lambda: "Connected again." in err.read_text() and '"gap"' in out.read_text())
        finally:
            watch.kill()
            watch.wait(DEADLINE_SECONDS)


def _until(condition: Any) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
