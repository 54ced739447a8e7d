"""`status`, `grants`, `refusals` and `token`: what the owner asks the daemon about."""

import json

from tests.bridge.cli.conftest import Cli
from tests.bridge.cli.daemon_double import DaemonDouble, problem

STATUS = {
    "version": "0.1.0",
    "pid": 42,
    "base": "http://127.0.0.1:4380",
    "socket": "/run/x/socket",
    "started": "2026-01-02T03:04:05Z",
    "uptime": 7500.2,
    "connections": 3,
    "sessions": 2,
    "apps": [{"name": "system", "title": "System"}, {"name": "player", "title": "Player"}],
    "something_new": True,
}
GRANTS = {
    "grants": [
        {
            "id": "g1",
            "client": {"id": "http://localhost:4390", "kind": "page", "origin": "x", "development": True},
            "answer": "allowed",
            "scopes": ["player:control", "player:read"],
            "created": "2026-01-02T03:04:05Z",
            "until": "2026-01-03T03:04:05Z",
            "limits": {"player:control": "2026-01-02T05:04:05Z", "player:read": "2026-01-03T03:04:05Z"},
            "pairings": 2,
            "sessions": 1,
            "commands_today": 17,
        },
        {
            "id": "g2",
            "client": {"id": "native:cli", "kind": "native", "origin": None, "development": False},
            "answer": "denied",
            "scopes": [],
            "created": "2026-01-02T03:04:05Z",
            "until": None,
            "pairings": 0,
        },
    ]
}


def test_status_is_labelled_lines(daemon: DaemonDouble, process: Cli) -> None:
    daemon.answers["GET", "/v1/status"] = 200, STATUS

    out = process("status").out

    assert (
        "version      0.1.0\n"
        "process      42\n"
        "address      http://127.0.0.1:4380\n"
        "socket       /run/x/socket\n"
        "started      2026-01-02 03:04:05\n"
        "up for       2 h 5 min\n"
        "connections  3\n"
        "sessions     2\n"
        "apps         system (System), player (Player)\n"
    ) == out


def test_status_as_json_is_the_daemons_answer(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["GET", "/v1/status"] = 200, STATUS

    assert STATUS == json.loads(cli("status", "--json").out)


def test_grants_are_a_table(daemon: DaemonDouble, process: Cli) -> None:
    daemon.answers["GET", "/v1/grants"] = 200, GRANTS

    lines = process("grants").out.splitlines()

    assert ["ID", "CLIENT", "ANSWER", "SCOPES", "SINCE", "UNTIL", "KEYS", "LIVE", "TODAY"] == lines[0].split()
    words = " ".join(lines[1].split())
    assert words.startswith("g1 http://localhost:4390 allowed player:control (until 2026-01-02 05:04)")
    assert words.endswith("2026-01-02 03:04 2026-01-03 03:04 2 1 17")
    assert "(development) player:read" == " ".join(lines[2].split())
    assert "g2 native:cli denied 2026-01-02 03:04 you revoke it 0 0 0" == " ".join(lines[3].split())


def test_one_answer_is_shown_with_its_keys(daemon: DaemonDouble, process: Cli) -> None:
    key = {
        "id": "p1",
        "thumbprint": "THUMB",
        "scopes": ["player:read"],
        "created": "2026-01-02T03:04:05Z",
        "consented": "2026-01-02T03:04:05Z",
        "until": None,
        "sessions": 1,
    }
    one = {**GRANTS["grants"][0], "sentences": ["Play", "See what plays"], "denied_keys": 2, "keys": [key]}
    daemon.answers["GET", "/v1/grants/g1"] = 200, one

    out = process("grants", "--show", "g1").out

    assert "http://localhost:4390: allowed (development)\n" in out
    assert "  * Play (player:control), until 2026-01-02 05:04\n" in out
    assert "1 live, 17 commands today.\n" in out
    assert "Keys that were told no: 2. `tollbridge grants --forget g1` forgets them.\n" in out
    assert "THUMB player:read 2026-01-02 03:04 2026-01-02 03:04 1" in " ".join(out.split())


def test_a_yes_for_once_has_no_scope_of_its_own(daemon: DaemonDouble, process: Cli) -> None:
    daemon.answers["GET", "/v1/grants"] = 200, {"grants": [{**GRANTS["grants"][0], "scopes": []}]}

    assert "allowed (once)" in " ".join(process("grants").out.splitlines()[1].split())


def test_noes_are_forgotten(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["DELETE", "/v1/grants/g1/denials"] = 204, b""

    ran = cli("grants", "--forget", "g1")

    assert (0, "Forgotten. Whoever was told no is asked about anew.\n") == (ran.status, ran.out)


def test_one_thing_is_done_at_a_time(daemon: DaemonDouble, cli: Cli) -> None:
    assert 2 == cli("grants", "--forget", "g1", "--revoke", "g1").status
    assert [] == daemon.received


def test_no_grants_are_said(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["GET", "/v1/grants"] = 200, {"grants": []}

    assert "You have answered nobody yet.\n" == cli("grants").out


def test_an_answer_is_taken_back_by_its_id(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["DELETE", "/v1/grants/g1"] = 204, b""

    ran = cli("grants", "--revoke", "g1")

    assert (0, "Taken back. Its live connections were ended.\n") == (ran.status, ran.out)
    assert ("DELETE", "/v1/grants/g1") == (daemon.received[-1].method, daemon.received[-1].target)


def test_an_unknown_grant_is_said(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["DELETE", "/v1/grants/g9"] = problem(404, "not_found", detail="there is no such grant")

    ran = cli("grants", "--revoke", "g9")

    assert 1 == ran.status
    assert "there is no such grant" in ran.err


def test_a_strange_grant_id_cannot_reach_another_path(daemon: DaemonDouble, cli: Cli) -> None:
    assert 1 == cli("grants", "--revoke", "../tokens?x#y").status
    assert "/v1/grants/..%2Ftokens%3Fx%23y" == daemon.received[-1].target


def test_an_empty_grant_id_is_a_usage_error(daemon: DaemonDouble, cli: Cli) -> None:
    assert 2 == cli("grants", "--revoke", "").status
    assert [] == daemon.received


def test_refusals_show_why_and_what_to_do(daemon: DaemonDouble, process: Cli) -> None:
    refusal = {
        "time": "2026-01-02T03:04:05Z",
        "reason": "origin_null",
        "remedy": "serve it from a site",
        "method": "POST",
        "path": "/v1/apps/player/play",
        "origin": "null",
        "count": 3,
    }
    daemon.answers["GET", "/v1/refusals"] = 200, {"refusals": [refusal]}

    lines = process("refusals").out.splitlines()

    assert ("03:04:05 3 POST /v1/apps/player/play null origin_null serve it from a site") == " ".join(lines[1].split())


def test_no_refusals_are_said(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["GET", "/v1/refusals"] = 200, {"refusals": []}

    assert "Nothing has been refused since the daemon started.\n" == cli("refusals").out


def test_a_token_is_printed_alone(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["POST", "/v1/tokens"] = 200, {"access_token": "SECRET", "expires_in": 600, "scope": "a:b c:d"}

    ran = cli("token", "--scope", "a:b", "--scope", " c:d ", "--ttl", "10m", "--name", "lamp")

    assert (0, "SECRET\n", "") == (ran.status, ran.out, ran.err)
    assert {"name": "lamp", "scope": "a:b c:d", "ttl": 600} == daemon.received[-1].body


def test_a_token_as_a_header_line_is_what_curl_reads(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["POST", "/v1/tokens"] = 200, {"access_token": "SECRET", "expires_in": 3600, "scope": "a:b"}

    assert "Authorization: Bearer SECRET\n" == cli("token", "--scope", "a:b", "--header").out
    assert {"name": "cli", "scope": "a:b", "ttl": 3600} == daemon.received[-1].body


def test_a_token_needs_a_scope_and_a_span(daemon: DaemonDouble, cli: Cli) -> None:
    for arguments in ((), ("--scope", " "), ("--scope", "a:b", "--ttl", "soon"), ("--scope", "a:b", "--ttl", "0s")):
        assert 2 == cli("token", *arguments).status
    assert [] == daemon.received
