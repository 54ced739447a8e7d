"""`offer` and `offers`: a link for somebody else, the list of them, and taking one back."""

import pytest

from tests.bridge.cli.conftest import Cli
from tests.bridge.cli.daemon_double import DaemonDouble, problem
from tests.parts.daemon import Daemon

LINK = "http://127.0.0.1:4380/offer#PAYLOAD.TIME.SIGNATURE"
MADE = {"id": "7c1f", "offer": "PAYLOAD.TIME.SIGNATURE", "link": LINK, "expires_in": 7200, "something_new": 1}
OFFERS = {
    "offers": [
        {
            "id": "7c1f",
            "command": "player.set_volume",
            "params": {"volume": 0.5, "player": "a\u202eb\nc"},
            "uses": 3,
            "used": 1,
            "created": "2026-01-02T03:04:05Z",
            "until": "2026-01-02T05:04:05Z",
        },
        {
            "id": "8d20",
            "command": "player.play",
            "params": {},
            "uses": 1,
            "used": 0,
            "created": "2026-01-02T03:04:05Z",
            "until": "2026-01-02T04:04:05Z",
        },
    ]
}


@pytest.fixture(autouse=True)
def _answers(daemon: DaemonDouble) -> None:
    daemon.answers["POST", "/v1/offers"] = 200, MADE
    daemon.answers["GET", "/v1/offers"] = 200, OFFERS
    daemon.answers["DELETE", "/v1/offers/7c1f"] = 204, b""


def test_the_link_is_printed_alone(daemon: DaemonDouble, cli: Cli) -> None:
    ran = cli("offer", "player.set_volume", "volume=0.5", "player=7", "--uses", "3", "--ttl", "2h")

    assert (0, f"{LINK}\n", "") == (ran.status, ran.out, ran.err)
    assert {
        "command": "player.set_volume",
        "params": {"volume": 0.5, "player": "7"},
        "uses": 3,
        "ttl": 7200,
    } == daemon.received[-1].body


def test_it_is_good_once_within_the_hour_unless_told_otherwise(daemon: DaemonDouble, cli: Cli) -> None:
    cli("offer", "player.play")

    assert {"command": "player.play", "params": {}, "uses": 1, "ttl": 3600} == daemon.received[-1].body


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Missing argument 'APP.COMMAND'."),
        (("player",), "'player' is not a command. Write APP.COMMAND, such as player.play."),
        (("player.play", "loud"), "'loud' is not a parameter. Write key=value, or key:=JSON."),
        (("player.play", "a=1", "a=2"), "The parameter 'a' is given twice."),
        (("player.play", "--uses", "0"), "0 is not in the range 1<=x<=1000."),
        (("player.play", "--uses", "1001"), "1001 is not in the range 1<=x<=1000."),
        (("player.play", "--uses", "often"), "'often' is not a valid integer range."),
        (("player.play", "--ttl", "soon"), "'soon' is not a span of time. Write 30s, 10m, 2h or 7d."),
        (("player.play", "--ttl", "31d"), "'31d' is too long. The longest is 30d."),
    ],
)
def test_what_is_typed_wrong_is_a_sentence(daemon: DaemonDouble, cli: Cli, words: tuple[str, ...], said: str) -> None:
    ran = cli("offer", *words)

    assert (2, "") == (ran.status, ran.out)
    assert said in ran.err
    assert "POST" not in {received.method for received in daemon.received}


def test_a_command_that_is_not_there_is_said_in_commands(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["POST", "/v1/offers"] = problem(404, "not_found", detail="GET /v1/apps lists them")

    for words, said in (
        (("player.dance",), "The app player has no command dance. `tollbridge call` lists what can be called."),
        (("lamp.on", "x=1"), "There is no app lamp. `tollbridge call` lists what can be called."),
    ):
        ran = cli("offer", *words)
        assert (1, "") == (ran.status, ran.out)
        assert said in ran.err
        assert "GET /" not in ran.err


def test_what_is_offered_is_a_table(daemon: DaemonDouble, process: Cli) -> None:
    lines = process("offers").out.splitlines()

    assert ["ID", "COMMAND", "PARAMETERS", "USED", "SINCE", "UNTIL"] == lines[0].split()
    assert (
        '7c1f player.set_volume {"volume":0.5,"player":"a\\u202eb\\nc"} 1 of 3 2026-01-02 03:04 2026-01-02 05:04'
        == " ".join(lines[1].split())
    )
    assert "8d20 player.play 0 of 1 2026-01-02 03:04 2026-01-02 04:04" == " ".join(lines[2].split())


def test_that_nothing_is_offered_is_said(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["GET", "/v1/offers"] = 200, {"offers": []}

    assert "You have offered nothing, or its time is over.\n" == cli("offers").out


def test_one_is_taken_back_by_its_id(daemon: DaemonDouble, cli: Cli) -> None:
    ran = cli("offers", "--revoke", "7c1f")

    assert (0, "Taken back. Its link runs nothing any more.\n") == (ran.status, ran.out)
    assert ("DELETE", "/v1/offers/7c1f") == (daemon.received[-1].method, daemon.received[-1].target)


def test_an_empty_or_strange_id_reaches_no_other_path(daemon: DaemonDouble, cli: Cli) -> None:
    assert 2 == cli("offers", "--revoke", "").status
    assert [] == daemon.received

    assert 1 == cli("offers", "--revoke", "../tokens?x#y").status
    assert "/v1/offers/..%2Ftokens%3Fx%23y" == daemon.received[-1].target


def test_the_curl_lines_hold_no_offer(cli: Cli) -> None:
    for words in (("offer", "player.play"), ("offers",), ("offers", "--revoke", "7c1f")):
        line = cli(*words, "--curl").out
        assert line.startswith("curl -sS")
        assert "PAYLOAD" not in line


@pytest.mark.real
def test_a_person_is_told_what_the_link_does_and_how_to_take_it_back() -> None:
    with Daemon() as daemon:
        made = daemon.cli("offer", "system.echo", "text=hello", "--uses", "2", "--ttl", "10m")
        assert (0, "") == (made.returncode, made.stderr)
        offer = made.stdout.strip().partition("#")[2]
        assert f"{daemon.base}/offer#{offer}\n" == made.stdout

        assert {"text": "hello"} == daemon.ask("POST", "/v1/offers/redeem", {"offer": offer})
        listed = daemon.cli("offers").stdout.splitlines()[1].split()
        assert ["system.echo", '{"text":"hello"}', "1", "of", "2"] == listed[1:6]
        assert 0 == daemon.cli("offers", "--revoke", listed[0]).returncode
        assert (410, "gone") == (
            (told := daemon.send("POST", "/v1/offers/redeem", {"offer": offer}))[0],
            told[1]["code"],
        )
        for words, said in (
            (("offers", "--revoke", listed[0]), "`tollbridge offers` lists them"),
            (("offer", "system.echo", "text:=1"), "at: $.text"),
            (("offer", "system.nothing"), "The app system has no command nothing."),
        ):
            ran = daemon.cli(*words)
            assert (1, "") == (ran.returncode, ran.stdout)
            assert said in ran.stderr


def test_a_person_at_a_terminal_is_told_what_it_does_beside_the_link(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.cli.offer.is_terminal", lambda: True)

    ran = cli("offer", "player.play", "--ttl", "2h")

    assert (0, f"{LINK}\n") == (ran.status, ran.out)
    assert (
        "It runs player.play once within 2 h, for whoever has it.\n`tollbridge offers --revoke 7c1f` takes it back.\n"
        == ran.err
    )
    assert "player.play 3 times within" in cli("offer", "player.play", "--uses", "3").err
