"""From a click in a browser to a real player and back, within a blink."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.desktop import Desktop
from tests.e2e.visit import Visit, becomes_owner
from tests.parts.browser import Chromium
from tests.parts.daemon import Daemon
from tests.parts.players import Mpv, Player, Vlc

pytestmark = pytest.mark.e2e

PLAYERS = {"mpv": Mpv, "vlc": Vlc}


@pytest.fixture(name="desktop", scope="module")
def _desktop() -> Iterator[Desktop]:
    with Desktop() as desktop:
        yield desktop


@pytest.fixture(name="player", params=list(PLAYERS))
def _player(request: pytest.FixtureRequest, desktop: Desktop) -> Iterator[tuple[str, Player]]:
    with PLAYERS[request.param](desktop.bus, desktop.tune, sound=desktop.sound) as player:
        yield request.param, player


@pytest.fixture(name="visit")
def _visit(desktop: Desktop, chromium: Chromium, origin: str) -> Iterator[Visit]:
    with Daemon(env=desktop.bus.env) as daemon, chromium.profile() as profile:
        profile.permit(origin, "granted")
        yield Visit(profile, origin, daemon)
        assert [] == profile.errors
        assert "Traceback" not in daemon.log.read_text(encoding="utf-8")


def test_a_click_pauses_a_real_player_and_the_page_sees_the_change(
    visit: Visit, desktop: Desktop, player: tuple[str, Player]
) -> None:
    name, _ = player
    visit.is_approved()
    id_ = plays(visit, name)

    accepted = visit.call("player.pause")

    assert {"player": id_} == accepted
    told = hears(visit, "changed", lambda data: data["player"]["id"] == id_ and data["player"]["status"] == "paused")
    assert (True, "mpris") == (told["chosen"], told["player"]["kind"])
    assert "Paused" == desktop.read(name, "PlaybackStatus")
    position = desktop.read(name, "Position")
    assert "paused" == visit.state()["player"]["status"]
    assert position == desktop.read(name, "Position"), "it stands still"

    visit.call("player.play")

    hears(visit, "changed", lambda data: data["player"]["id"] == id_ and data["player"]["status"] == "playing")
    assert "Playing" == desktop.read(name, "PlaybackStatus")


def test_the_owners_yes_on_the_page_leads_to_a_real_player_too(
    visit: Visit, desktop: Desktop, player: tuple[str, Player]
) -> None:
    name, _ = player
    becomes_owner(visit.profile, visit.daemon)
    visit.clicks_connect().locator("#allow").click()
    visit.becomes("connected")
    plays(visit, name)

    visit.call("player.pause")

    hears(visit, "changed", lambda data: data["player"]["status"] == "paused")
    assert "Paused" == desktop.read(name, "PlaybackStatus")


def test_a_page_seeks_and_sets_the_volume_of_a_real_player(
    visit: Visit, desktop: Desktop, player: tuple[str, Player]
) -> None:
    name, _ = player
    visit.is_approved()
    id_ = plays(visit, name)

    visit.call("player.set_volume", volume=0.25)
    hears(
        visit,
        "changed",
        lambda data: data["player"]["id"] == id_ and data["player"]["volume"] == pytest.approx(0.25, abs=0.02),
    )
    assert 0.25 == pytest.approx(float(desktop.read(name, "Volume")), abs=0.02)

    # Players land on the nearest packet, up to a few hundredths before.
    visit.call("player.set_position", position=60)
    visit.wait(lambda: visit.state()["player"]["position"] > 59, "the page reads the new position")
    assert 59 < seconds(desktop.read(name, "Position")) < 90
    hears(visit, "seeked", lambda data: data["id"] == id_ and data["position"] > 59)

    visit.call("player.seek", offset=-30)
    visit.wait(lambda: visit.state()["player"]["position"] < 59, "it went back")
    assert 29 < seconds(desktop.read(name, "Position")) < 59


def test_what_somebody_does_at_the_player_reaches_the_page(
    visit: Visit, desktop: Desktop, player: tuple[str, Player]
) -> None:
    name, _ = player
    visit.is_approved()
    id_ = plays(visit, name)

    desktop.is_told(name, "Pause")

    hears(visit, "changed", lambda data: data["player"]["id"] == id_ and data["player"]["status"] == "paused")


def test_a_player_that_comes_and_goes_is_told_to_the_page(visit: Visit, desktop: Desktop) -> None:
    visit.is_approved()

    with Mpv(desktop.bus, desktop.tune, sound=desktop.sound) as mpv:
        id_ = hears(visit, "appeared", lambda data: data["player"]["kind"] == "mpris")["player"]["id"]
        mpv.kill()
        hears(visit, "vanished", lambda data: data["id"] == id_)

    assert id_ not in [player["id"] for player in visit.state()["players"]]


def test_a_player_killed_in_the_middle_of_a_command_is_an_error_within_a_second(
    visit: Visit, desktop: Desktop, player: tuple[str, Player]
) -> None:
    name, process = player
    visit.is_approved()
    id_ = plays(visit, name)
    process.freeze()

    visit.page.evaluate("(player) => { visit.pending = visit.call('player.pause', { player }); }", id_)
    # Frames are read in their order: once this is answered, the command before it is on its way to the player.
    assert {"text": "after"} == visit.call("system.echo", text="after")
    assert "pending" == visit.page.evaluate("Promise.race([visit.pending, Promise.resolve('pending')])")
    killed = time.time()
    process.kill()
    told = visit.page.evaluate("visit.pending")

    assert "player_gone" == told["error"]["code"]
    assert "DaemonError" == told["error"]["name"]
    assert told["error"]["at"] / 1000 - killed < 1.0
    hears(visit, "vanished", lambda data: data["id"] == id_)


def plays(visit: Visit, name: str) -> str:
    """Wait until the page sees the player play, and return its id."""
    visit.wait(lambda: _playing(visit, name), f"the page sees {name} play", deadline=20)
    return str(visit.state()["chosen"])


def hears(visit: Visit, name: str, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait for an event of the topic `player` and return its data."""
    found: list[dict[str, Any]] = []

    def look() -> bool:
        found[:] = [event["data"] for event in visit.seen("events") if event["name"] == name and fits(event["data"])]
        return bool(found)

    visit.wait(look, f"the page hears of player.{name}")
    return found[0]


def seconds(microseconds: str) -> float:
    return int(microseconds) / 1_000_000


def _playing(visit: Visit, name: str) -> bool:
    chosen = visit.state()["player"]
    return chosen is not None and name in chosen["id"].lower() and chosen["status"] == "playing"
