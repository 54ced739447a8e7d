"""The owner's answer in a terminal: shown who asks, then yes or no."""

import pytest

from tests.bridge.cli.conftest import Cli
from tests.bridge.cli.daemon_double import DaemonDouble, problem

PAGE = {
    "code": "BCDF-GHJK",
    "kind": "authorize",
    "status": "pending",
    "client": {
        "id": "https://radio.example",
        "kind": "page",
        "origin": "https://radio.example",
        "domain": "radio.example",
        "development": False,
    },
    "untils": ["once", "day", "revoked"],
    "until": "revoked",
    "scopes": [
        {"scope": "player:control", "sentence": "Play, pause and seek", "granted": False},
        {"scope": "player:read", "sentence": "See what is playing", "granted": True},
    ],
    "age": 12.3,
}
PROGRAM = {
    "code": "LMNP-QRST",
    "client": {"id": "native:lamp", "kind": "native", "origin": None, "development": False},
    "scopes": [],
    "age": 1,
}
ANSWER = ("POST", "/oauth/requests/BCDF-GHJK")


@pytest.fixture(autouse=True)
def _asked(daemon: DaemonDouble) -> None:
    daemon.answers["GET", "/oauth/requests"] = 200, {"requests": [PROGRAM, PAGE]}
    daemon.answers[ANSWER] = 200, {"status": "allowed"}


def _answers(daemon: DaemonDouble) -> list[object]:
    return [request.body for request in daemon.received if request.method == "POST"]


@pytest.mark.parametrize("code", ["BCDF-GHJK", "bcdfghjk", "bcdf-GHJK", " BCDF GHJK "])
def test_who_asks_and_for_what_is_shown_before_the_question(daemon: DaemonDouble, cli: Cli, code: str) -> None:
    ran = cli("approve", code, stdin="y\n")

    assert 0 == ran.status
    assert (
        "https://radio.example wants to:\n"
        "  * Play, pause and seek (player:control)\n"
        "  * See what is playing (player:read) - allowed already\n"
        "The site is radio.example.\n"
        "It was asked by a page in a browser on this computer, or by a program here that poses as one, 12 s ago.\n"
        "It will be allowed until you take it back.\n"
        "Allow this? [y/N]: "
    ) in ran.out
    assert ran.out.endswith("Allowed: https://radio.example\n")
    assert [{"answer": "allow"}] == _answers(daemon)


@pytest.mark.parametrize("typed", ["n\n", "\n", ""])
def test_anything_but_yes_answers_nothing(daemon: DaemonDouble, cli: Cli, typed: str) -> None:
    ran = cli("approve", "BCDF-GHJK", stdin=typed)

    assert 1 == ran.status
    assert "Nothing was answered; it still waits." in ran.err
    assert [] == _answers(daemon)


def test_yes_skips_the_question_and_still_shows_who_asks(daemon: DaemonDouble, cli: Cli) -> None:
    ran = cli("approve", "BCDF-GHJK", "--yes")

    assert 0 == ran.status
    assert "https://radio.example wants to:" in ran.out
    assert "[y/N]" not in ran.out
    assert [{"answer": "allow"}] == _answers(daemon)


def test_fewer_scopes_may_be_allowed(daemon: DaemonDouble, cli: Cli) -> None:
    ran = cli("approve", "BCDF-GHJK", "--scope", "player:read", "--yes")

    assert 0 == ran.status
    assert "  * Play, pause and seek (player:control) - will not be allowed\n" in ran.out
    assert [{"answer": "allow", "scopes": ["player:read"]}] == _answers(daemon)


def test_a_scope_that_was_not_asked_for_is_a_usage_error(daemon: DaemonDouble, cli: Cli) -> None:
    ran = cli("approve", "BCDF-GHJK", "--scope", "owner", "--yes")

    assert 2 == ran.status
    assert "It does not ask for owner." in ran.err
    assert [] == _answers(daemon)


def test_deny_says_no_without_a_question(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers[ANSWER] = 200, {"status": "denied"}

    ran = cli("deny", "bcdf-ghjk")

    assert (0, "Denied: https://radio.example\n") == (ran.status, ran.out)
    assert [{"answer": "deny"}] == _answers(daemon)


@pytest.mark.parametrize("command", ["approve", "deny"])
def test_an_unknown_code_is_said(daemon: DaemonDouble, cli: Cli, command: str) -> None:
    ran = cli(command, "ZZZZ-ZZZZ")

    assert 1 == ran.status
    assert "No request with the code ZZZZ-ZZZZ is waiting." in ran.err
    assert [] == _answers(daemon)


def test_a_request_that_went_away_during_the_question_is_said(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers[ANSWER] = problem(404, "not_found", detail="no request has this code")

    ran = cli("approve", "BCDF-GHJK", stdin="y\n")

    assert 1 == ran.status
    assert "no request has this code" in ran.err


@pytest.mark.parametrize("code", ["", "-", "../../v1/status", "BCDF/GHJK", "ABC", "A" * 40, "ÄÖÜ-ÄÖÜ"])
def test_what_is_no_code_is_a_usage_error(daemon: DaemonDouble, cli: Cli, code: str) -> None:
    ran = cli("approve", "--", code)

    assert 2 == ran.status
    assert "is not a code" in ran.err
    assert [] == daemon.received


def test_a_program_is_shown_as_not_verified(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["POST", "/oauth/requests/LMNP-QRST"] = 200, {"status": "allowed"}

    out = cli("approve", "LMNP-QRST", "--yes").out

    assert "A program on this computer that calls itself lamp (not verified) wants to:" in out
    assert "It was asked by a program on this computer" in out


def test_a_hostile_sentence_cannot_take_over_the_terminal(daemon: DaemonDouble, cli: Cli) -> None:
    scope = {"scope": "a:b", "sentence": "See\x1b[1A\x1b[2Kall\nhttps://bank.example wants to:", "granted": False}
    daemon.answers["GET", "/oauth/requests"] = 200, {"requests": [{**PAGE, "scopes": [scope]}]}

    out = cli("approve", "BCDF-GHJK", "--yes").out

    assert "\x1b" not in out
    assert "\nhttps://bank.example" not in out


def test_a_development_address_is_said_to_end(daemon: DaemonDouble, cli: Cli) -> None:
    client = {"id": "http://localhost:4390", "kind": "page", "origin": "http://localhost:4390", "development": True}
    asked = {**PAGE, "client": client, "untils": ["once", "day", "week"], "until": "day"}
    daemon.answers["GET", "/oauth/requests"] = 200, {"requests": [asked]}

    out = cli("approve", "BCDF-GHJK", "--yes").out

    assert "This is a development address" in out
    assert "It will be allowed for 24 hours." in out


@pytest.mark.parametrize(
    ("until", "said"),
    [("once", "once (for ten minutes)"), ("day", "for 24 hours"), ("revoked", "until you take it back")],
)
def test_it_may_be_allowed_for_a_while(daemon: DaemonDouble, cli: Cli, until: str, said: str) -> None:
    ran = cli("approve", "BCDF-GHJK", "--for", until, "--yes")

    assert f"It will be allowed {said}.\n" in ran.out
    assert [{"answer": "allow", "until": until}] == _answers(daemon)


@pytest.mark.parametrize("until", ["week", "ever", ""])
def test_a_while_that_is_not_offered_is_a_usage_error(daemon: DaemonDouble, cli: Cli, until: str) -> None:
    ran = cli("approve", "BCDF-GHJK", "--for", until, "--yes")

    assert 2 == ran.status
    assert [] == _answers(daemon)


def test_a_dangerous_command_is_shown_with_its_parameters(daemon: DaemonDouble, cli: Cli) -> None:
    command = {"app": "files", "name": "erase", "summary": "Erase a file", "params": {"path": "a\nb\x1b[2K"}}
    asked = {**PAGE, "kind": "command", "command": command, "untils": ["once"], "until": "once"}
    daemon.answers["GET", "/oauth/requests"] = 200, {"requests": [asked]}

    out = cli("approve", "BCDF-GHJK", "--yes").out

    assert "  * run files.erase once: Erase a file\n    with {" in out
    assert "\x1b" not in out
    assert "It was asked by a page that you have allowed" in out
    assert "It will be allowed" not in out
    assert "to run files.erase" in cli("pending").out


def test_a_device_is_said_to_show_the_code(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["GET", "/oauth/requests"] = 200, {"requests": [{**PAGE, "kind": "device"}]}

    assert "go on only if you see it there yourself" in cli("approve", "BCDF-GHJK", "--yes").out


def test_an_earlier_no_is_said(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["GET", "/oauth/requests"] = 200, {"requests": [{**PAGE, "denied_before": True}]}

    assert "You have said no to it before.\n" in cli("approve", "BCDF-GHJK", "--yes").out


def test_pending_lists_who_waits(cli: Cli) -> None:
    lines = cli("pending").out.splitlines()

    assert lines[1].split() == ["LMNP-QRST", "native:lamp", "1", "s"]
    assert lines[2].split() == ["BCDF-GHJK", "https://radio.example", "player:control", "12", "s"]


def test_pending_says_that_nobody_waits(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["GET", "/oauth/requests"] = 200, {"requests": []}

    assert "Nobody is waiting for an answer.\n" == cli("pending").out
