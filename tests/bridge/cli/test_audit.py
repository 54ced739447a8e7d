"""`tollbridge audit` and `audit verify`, with a double and with the real daemon, whose file a test spoils."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge.audit.kept import kept, spoil
from tests.bridge.cli.conftest import Cli
from tests.bridge.cli.daemon_double import DaemonDouble
from tests.bridge.cli.test_real import SITE, ask_as_a_page
from tests.parts.daemon import Daemon

RECORDS = [
    {"index": 7, "time": "2026-01-02T03:04:05.000Z", "kind": "daemon", "outcome": "started", "subject": "0.1.0"},
    {
        "index": 8,
        "time": "2026-01-02T03:04:06.000Z",
        "kind": "command",
        "outcome": "ok",
        "client": "https://app.example",
        "subject": "player.play",
        "something_new": True,
    },
    {
        "index": 9,
        "time": "2026-01-02T03:04:07.000Z",
        "kind": "consent",
        "outcome": "allowed",
        "client": "https://app.example",
        "subject": "player:read",
        "by": "terminal",
    },
    {
        "index": 10,
        "time": "2026-01-02T03:05:00.000Z",
        "kind": "refusal",
        "outcome": "host",
        "origin": "https://evil.example",
        "count": 999,
    },
]


def test_records_are_lines_newest_last(daemon: DaemonDouble, process: Cli) -> None:
    daemon.answers["GET", "/v1/audit"] = 200, {"first": 7, "head": "10:ab", "records": RECORDS}

    lines = [" ".join(line.split()) for line in process("audit").out.splitlines()]

    assert [
        "INDEX TIME WHAT OUTCOME WHO COUNT",
        "7 2026-01-02 03:04:05 daemon 0.1.0 started 1",
        "8 2026-01-02 03:04:06 player.play ok https://app.example 1",
        "9 2026-01-02 03:04:07 consent player:read allowed https://app.example (by the owner, terminal) 1",
        "10 2026-01-02 03:05:00 refusal host https://evil.example 999",
    ] == lines
    assert "/v1/audit?limit=50" == daemon.received[-1].target


def test_json_is_the_daemons_own(daemon: DaemonDouble, cli: Cli) -> None:
    answer = {"first": 7, "head": "10:ab", "records": RECORDS}
    daemon.answers["GET", "/v1/audit"] = 200, answer

    assert answer == json.loads(cli("audit", "--limit", "3", "--json").out)
    assert "/v1/audit?limit=3" == daemon.received[-1].target


def test_without_a_daemon_the_list_says_how_to_start_one_and_verify_that_there_is_no_audit(cli: Cli) -> None:
    assert 3 == cli("audit").status
    verified = cli("audit", "verify")

    assert 1 == verified.status
    assert verified.err.startswith("There is no audit: ")


@pytest.mark.parametrize("head", ["7", "7:xyz", "banana", "5:00", "", "-1:" + "0" * 64])
def test_a_head_of_another_form_is_a_wrong_argument(cli: Cli, head: str) -> None:
    ran = cli("audit", "verify", "--head", head)

    assert 2 == ran.status
    assert "INDEX:MAC" in ran.err
    assert repr(head) in ran.err


@pytest.fixture(name="real")
def _real() -> Iterator[Daemon]:
    with Daemon() as daemon:
        yield daemon


def audit_file(daemon: Daemon) -> Path:
    return daemon.home / "state/tollbridge/audit.sqlite"


def verified(daemon: Daemon, *arguments: str) -> tuple[int, str]:
    ran = daemon.cli("audit", "verify", *arguments)
    return ran.returncode, ran.stdout + ran.stderr


def is_refused(daemon: Daemon) -> None:
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=10) as connection:
        connection.sendall(b"GET /v1/apps HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        assert b"" != connection.recv(1)


@pytest.mark.real
def test_what_was_done_is_shown_and_verified_while_the_daemon_runs(real: Daemon) -> None:
    code = ask_as_a_page(real)["code"]
    assert 0 == real.cli("deny", code).returncode
    assert 0 == real.cli("approve", ask_as_a_page(real)["code"], "--yes").returncode
    (grant,) = real.ask("GET", "/v1/grants")["grants"]
    assert 0 == real.cli("grants", "--revoke", grant["id"]).returncode
    assert 0 == real.cli("call", "system.echo", "text=hello-parameters").returncode
    for _ in range(30):
        is_refused(real)

    shown = real.cli("audit")
    for words in ("denied", "allowed", "revoked", SITE, "(by the owner, terminal)", "system.echo", "refusal"):
        assert words in shown.stdout, words
    assert "hello-parameters" not in shown.stdout + real.cli("audit", "--json").stdout
    assert b"hello-parameters" not in b"".join(path.read_bytes() for path in audit_file(real).parent.glob("audit*"))
    status, said = verified(real)
    assert (0, "Intact: ") == (status, said[:8])


@pytest.mark.real
def test_refusals_are_few_records_with_the_right_count(real: Daemon) -> None:
    for _ in range(300):
        is_refused(real)
    real.stop()

    refusals = [record for record in kept(audit_file(real)) if record.outcome == "host"]
    assert [1, 299] == [record.count for record in refusals]


@pytest.mark.real
def test_an_edit_of_the_file_is_named_with_and_without_a_daemon(real: Daemon) -> None:
    for number in range(5):
        real.call("system.echo", text=str(number))
    real.token("player:read")
    index = real.ask("GET", "/v1/audit")["records"][-1]["index"]
    assert 0 == verified(real)[0]
    spoil(
        audit_file(real),
        "UPDATE records SET content = replace(CAST(content AS TEXT), 'made', 'mad!')"
        " WHERE position = (SELECT max(position) FROM records)",
    )

    found = (1, f"Broken at record {index}: ")
    status, said = verified(real)
    assert found == (status, said[: len(found[1])])
    facts = json.loads(verified(real, "--json")[1])
    assert (False, index) == (facts["intact"], facts["broken"]["index"])
    real.kill()
    status, said = verified(real)
    assert found == (status, said[: len(found[1])])
    real.start()
    real.stop()
    (told,) = [line for line in real.log.read_text(encoding="utf-8").splitlines() if "the audit is broken" in line]
    assert f"index={index}" in told
    assert any(record.outcome == "broken" and record.subject == str(index) for record in kept(audit_file(real)))


@pytest.mark.real
def test_a_noted_head_shows_that_an_older_file_was_put_in_its_place(real: Daemon) -> None:
    real.stop()
    older = audit_file(real).read_bytes()
    real.start()
    real.stop()
    noted = json.loads(verified(real, "--json")[1])["head"]
    real.start()
    assert 0 == verified(real, "--head", noted)[0]
    real.stop()

    audit_file(real).write_bytes(older)

    assert 0 == verified(real)[0], "an older file is a valid one: that is why the head is noted elsewhere"
    status, said = verified(real, "--head", noted)
    assert 1 == status
    assert said.startswith("Broken at record ")


@pytest.mark.real
def test_an_audit_that_was_removed_is_told_at_start_and_when_it_is_verified(real: Daemon) -> None:
    assert not json.loads(verified(real, "--json")[1])["after_loss"]
    real.stop()
    for file in audit_file(real).parent.glob("audit.sqlite*"):
        file.unlink()

    real.start()

    assert "the audit is gone" in real.log.read_text(encoding="utf-8")
    assert "begun_after_loss" == real.ask("GET", "/v1/audit?after=0")["records"][0]["outcome"]
    status, said = verified(real)
    assert (0, "Intact: ") == (status, said[:8])
    assert "note  The chain begins after an earlier trail was lost" in said
    assert json.loads(verified(real, "--json")[1])["after_loss"]


@pytest.mark.real
def test_an_audit_of_another_identity_is_named_where_it_is_kept(real: Daemon) -> None:
    real.stop()
    (audit_file(real).parent / "identity").unlink()
    status, said = verified(real)
    assert (1, "The audit cannot be verified: ") == (status, said[:30])

    real.start()

    (aside,) = audit_file(real).parent.glob("audit.*.damaged.sqlite")
    status, said = verified(real)
    assert 0 == status
    assert f"was set aside: {aside}\n" in said
    assert [str(aside)] == json.loads(verified(real, "--json")[1])["set_aside"]


@pytest.mark.real
@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_pipe_or_link_in_place_of_the_file_holds_up_neither_a_start_nor_a_check(real: Daemon, suffix: str) -> None:
    real.stop()
    place = audit_file(real).with_name(audit_file(real).name + suffix)
    if suffix:
        place.symlink_to(real.home / "elsewhere")
    else:
        place.unlink()
        os.mkfifo(place, 0o600)

    checked, started = real.cli("audit", "verify"), real.cli("run")

    for ran in (checked, started):
        assert 1 == ran.returncode
        assert f"{place} is " in ran.stderr
        assert "; remove it and start again" in ran.stderr
        assert "Traceback" not in ran.stderr


@pytest.mark.real
def test_an_audit_that_was_open_to_others_is_remarked_upon_and_closed_at_the_next_start(real: Daemon) -> None:
    real.stop()
    audit_file(real).chmod(0o644)
    status, said = verified(real)
    assert 0 == status
    assert "note  Others may read or change the file" in said

    real.start()

    assert 0o600 == audit_file(real).stat().st_mode & 0o777
    assert "a file was open to others, and is closed now" in real.log.read_text(encoding="utf-8")
    assert "note" not in verified(real)[1]


@pytest.mark.real
def test_a_damaged_file_is_kept_and_a_new_one_begins(real: Daemon) -> None:
    real.stop()
    content = audit_file(real).read_bytes()
    audit_file(real).write_bytes(content[:100] + b"\xa5" * (len(content) - 100))
    status, said = verified(real)
    assert (1, "The audit is damaged: ") == (status, said[:22])

    real.start()
    assert 0 == verified(real)[0]
    first = real.ask("GET", "/v1/audit?after=0")["records"][0]
    assert "set_aside" == first["outcome"]
    assert (audit_file(real).parent / first["subject"]).exists()
    assert first["subject"] in real.log.read_text(encoding="utf-8")
