"""Everything that a page can do, curl can do: over the Unix socket, and over TCP with a token."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.curl import Curl, sessions_are, token
from tests.e2e.readme import lines_with_curl
from tests.parts.daemon import Daemon
from tests.parts.media import write_wav

pytestmark = pytest.mark.e2e

EMPTY_REPLY = 52  # curl: the server closed the connection without a word


@pytest.fixture(name="daemon", scope="module")
def _daemon() -> Iterator[Daemon]:
    daemon = Daemon()
    for name in ("first", "second"):
        write_wav(daemon.music / f"{name}.wav", seconds=60)
    with daemon:
        yield daemon
        assert "Traceback" not in daemon.log.read_text(encoding="utf-8")


@pytest.fixture(name="curl", params=["unix", "tcp"])
def _curl(request: pytest.FixtureRequest, daemon: Daemon) -> Curl:
    if request.param == "unix":
        return Curl(daemon, is_unix=True)
    return Curl(daemon, token=token(daemon, "player:read", "player:control", "system:read"))


@pytest.fixture(name="bare")
def _bare(daemon: Daemon) -> Curl:
    return Curl(daemon)


def test_what_can_be_called_is_listed_with_schemas(curl: Curl) -> None:
    answer = curl("/v1/apps")

    assert 200 == answer.status
    apps = {app["name"]: app for app in answer.json["apps"]}
    schema = apps["player"]["commands"]["set_volume"]["params"]
    volume = schema["$defs"]["SetVolume"]["properties"]["volume"]
    assert (0, 1) == (volume["minimum"], volume["maximum"])


def test_a_player_is_played_sought_turned_down_and_paused(curl: Curl) -> None:
    commands = (
        ("play", "{}"),
        ("set_position", '{"position": 20}'),
        ("set_volume", '{"volume": 0.4}'),
        ("pause", "{}"),
    )
    for command, body in commands:
        answer = curl(f"/v1/apps/player/{command}", "--json", body)
        assert 200 == answer.status, answer
        assert "tollbridge" == answer.json["player"]

    player = curl("/v1/apps/player/state").json["state"]["player"]
    assert "paused" == player["status"]
    assert 0.4 == pytest.approx(player["volume"], abs=0.001)
    assert 20 <= player["position"] < 40


def test_a_command_without_parameters_needs_no_body(curl: Curl) -> None:
    assert 200 == curl("/v1/apps/player/pause", "-X", "POST").status


def test_a_wrong_parameter_is_a_400_that_names_it(curl: Curl) -> None:
    answer = curl("/v1/apps/player/set_volume", "--json", '{"volume": 2}')

    assert 400 == answer.status
    assert ("invalid_params", "$.volume") == (answer.json["code"], answer.json["path"])


def test_a_stream_brings_events_and_resumes_where_it_broke_off(curl: Curl, daemon: Daemon) -> None:
    sessions_are(daemon, 0)
    with curl.stream("/v1/events?topics=player") as stream:
        sessions_are(daemon, 1)
        curl("/v1/apps/player/next", "-X", "POST")
        first = stream.event()
    assert ("player", "changed") == (first["topic"], first["name"])

    volumes = [turns(curl, daemon), turns(curl, daemon)]

    missed: list[float] = []
    with curl.stream("/v1/events?topics=player", "-H", f"Last-Event-ID: {first['id']}") as stream:
        while volumes[-1] not in missed:
            event = stream.event()
            assert "gap" != event["name"]
            missed.append(round(event["data"]["player"]["volume"], 2))
    assert volumes == [volume for volume in missed if volume in volumes], "in order, and once"


def test_a_long_poll_waits_for_the_next_event_and_returns_a_cursor_to_go_on_from(curl: Curl, daemon: Daemon) -> None:
    start = curl("/v1/events?topics=player").json
    assert [] == start["events"]

    volume = turns(curl, daemon)
    heard = curl("/v1/events?topics=player&wait=5", "-H", f"Last-Event-ID: {start['cursor']}").json

    assert volume == round(heard["events"][-1]["data"]["player"]["volume"], 2)
    assert heard["cursor"] == heard["events"][-1]["id"]
    after = curl(f"/v1/events?topics=player&after={heard['cursor']}").json
    assert [] == after["events"]


def test_a_cursor_of_another_life_of_the_daemon_is_a_gap_that_says_what_to_read(curl: Curl) -> None:
    heard = curl("/v1/events?topics=player&after=AAAAAAAA.7").json

    (gap,) = heard["events"]
    assert ("tollbridge", "gap") == (gap["topic"], gap["name"])
    assert {"from", "to", "snapshot"} <= set(gap["data"])


def test_over_tcp_a_token_is_needed_and_covers_its_scopes_alone(bare: Curl, daemon: Daemon) -> None:
    none = bare("/v1/apps/player/state")
    assert (401, "token_required") == (none.status, none.json["code"])
    assert "WWW-Authenticate" in none.head

    reads = Curl(daemon, token=token(daemon, "player:read"))
    assert 200 == reads("/v1/apps/player/state").status
    refused = reads("/v1/apps/player/pause", "-X", "POST")
    assert (403, "scope_missing") == (refused.status, refused.json["code"])


def test_a_token_in_the_address_counts_for_nothing(bare: Curl, daemon: Daemon) -> None:
    bearer = token(daemon, "player:read").strip().removeprefix("Authorization: Bearer ")

    answer = bare(f"/v1/apps/player/state?access_token={bearer}")

    assert (401, "token_required") == (answer.status, answer.json["code"])


def test_a_native_token_with_an_origin_is_refused(daemon: Daemon) -> None:
    answer = Curl(daemon, token=token(daemon, "player:read"))("/v1/apps", "-H", "Origin: https://app.example")

    assert 403 == answer.status


def test_another_host_gets_nothing(bare: Curl, daemon: Daemon) -> None:
    for host in ("evil.example", f"evil.example:{daemon.port}", f"[::1]:{daemon.port}", "127.0.0.1"):
        refused = bare("/v1/hello", "-H", f"Host: {host}")
        assert (403, "") == (refused.status, refused.body.strip()), host
        assert "access-control" not in refused.head.lower()

    helped = bare("/v1/hello", "-H", f"Host: localhost:{daemon.port}")
    assert 421 == helped.status
    assert daemon.base in helped.body
    last = daemon.ask("GET", "/v1/refusals")["refusals"][-1]
    assert ("host", True) == (last["reason"], last["count"] >= 5)


def test_origin_null_gets_nothing(bare: Curl) -> None:
    refused = bare("/v1/hello", "-H", "Origin: null")

    assert (403, "") == (refused.status, refused.body.strip())


def test_two_origins_or_a_proxys_header_close_the_connection(bare: Curl) -> None:
    assert EMPTY_REPLY == bare("/v1/hello", "-H", "Origin: https://a.example", "-H", "Origin: https://b.example").exit
    assert EMPTY_REPLY == bare("/v1/hello", "-H", "X-Forwarded-For: 127.0.0.1").exit


def test_an_origin_without_a_grant_is_told_so(bare: Curl) -> None:
    answer = bare("/v1/apps", "-H", "Origin: https://app.example")

    assert (403, "origin_not_approved") == (answer.status, answer.json["code"])
    assert "Access-Control-Allow-Origin: https://app.example" in answer.head


def test_a_client_id_that_is_not_the_origin_is_refused(bare: Curl) -> None:
    form = ("grant_type=authorization_code", "code=x", "code_verifier=y", "client_id=https://app.example")
    fields = [option for field in form for option in ("--data-urlencode", field)]

    answer = bare("/oauth/token", "-H", "Origin: https://other.example", *fields)

    assert (400, "invalid_client") == (answer.status, answer.json["error"])


def test_the_unix_socket_takes_no_browser(daemon: Daemon) -> None:
    refused = Curl(daemon, is_unix=True)("/v1/apps", "-H", "Origin: https://app.example")

    assert (403, "") == (refused.status, refused.body.strip())


def test_the_curl_line_that_a_command_prints_does_the_same(daemon: Daemon) -> None:
    line = daemon.cli("call", "player.set_volume", "volume=0.5", "--curl").stdout

    done = in_bash(line, daemon)

    assert 0 == done.returncode, done.stderr
    assert '{"player":"tollbridge"}' == done.stdout.strip()


@pytest.mark.parametrize("line", lines_with_curl())
def test_each_line_of_the_readme_runs_as_printed(line: str, daemon: Daemon) -> None:
    done = in_bash(line, daemon)

    assert 0 == done.returncode, (done.stdout, done.stderr)
    assert done.stdout, "it answers"
    assert '"code":' not in done.stdout, "and what it answers is no problem"


def turns(curl: Curl, daemon: Daemon) -> float:
    """Set another volume, return it once that is an event: two in a blink would be told as one."""
    read = daemon.ask("GET", "/v1/apps/player/state")
    volume = round(0.01 + (read["state"]["player"]["volume"] + 0.1) % 0.9, 2)
    told = curl("/v1/apps/player/set_volume", "--json", f'{{"volume": {volume}}}')
    assert 200 == told.status, told
    assert daemon.ask("GET", f"/v1/events?topics=player&wait=5&after={read['cursor']}")["events"]
    return volume


def in_bash(line: str, daemon: Daemon) -> "subprocess.CompletedProcess[str]":
    """Run a line as a person would who has installed the command."""
    command = daemon.home / "bin/tollbridge"
    if not command.exists():
        command.parent.mkdir()
        command.write_text('#!/bin/sh\nexec python -m bridge "$@"\n', encoding="utf-8")
        command.chmod(0o755)
    env = {**daemon.env, "PATH": f"{command.parent}:{daemon.env['PATH']}"}
    return subprocess.run(
        ["bash", "-c", line], env=env, capture_output=True, text=True, timeout=20, check=False, cwd=daemon.home
    )
