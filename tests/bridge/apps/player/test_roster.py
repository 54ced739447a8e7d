"""The roster with a clock of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from bridge.apps.player import roster as rosters
from bridge.apps.player.errors import NoPlayer, PlayerNotFound
from bridge.apps.player.model import Capabilities, Player, Reading, Status, Track
from bridge.apps.player.port import Action, BackendState, Listener, Source
from bridge.apps.player.roster import Clocks, Roster


class StillBackend:
    """A backend that does nothing but have a name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.refreshed = 0

    @asynccontextmanager
    async def run(self, listener: Listener) -> AsyncIterator[None]:
        yield

    def report(self) -> BackendState:
        return BackendState(name=self.name, is_available=True, detail="ready")

    async def refresh(self) -> None:
        self.refreshed += 1

    async def act(self, player: str, action: Action) -> None: ...
    async def seek(self, player: str, offset: float) -> None: ...
    async def set_position(self, player: str, position: float) -> None: ...
    async def set_volume(self, player: str, volume: float) -> None: ...
    async def open(self, player: str, source: Source) -> None: ...


class Desk:
    """A roster, its clock and what it told."""

    def __init__(self) -> None:
        self.now = 100.0
        self.told: list[tuple[str, Any]] = []
        self.mpris = StillBackend("mpris")
        self.engine = StillBackend("engine")
        self.roster = Roster(
            [self.mpris, self.engine],
            lambda name, data: self.told.append((name, data)),
            Clocks(lambda: self.now, lambda: 1_700_000_000.0),
        )

    def names(self) -> list[str]:
        """Return the events since the last look, each with its player, ``*`` for the chosen one."""
        names = []
        for name, data in self.told:
            player = data.id if not hasattr(data, "player") else data.player.id
            names.append(f"{name} {player}{'*' if getattr(data, 'chosen', False) else ''}")
        self.told.clear()
        return names


@pytest.fixture
def desk() -> Desk:
    return Desk()


def player(id_: str = "mpv", status: Status = Status.PLAYING, **more: Any) -> Player:
    fields: dict[str, Any] = {
        "kind": "mpris",
        "track": Track(id="/1", title="One"),
        "reading": Reading(0.0, 100.0),
        **more,
    }
    return Player(id=id_, name=id_, status=status, **fields)


def engine() -> Player:
    return player("tollbridge", Status.STOPPED, kind="engine", track=None)


async def test_a_player_that_takes_over_is_told_and_so_is_the_one_that_loses(desk: Desk) -> None:
    desk.roster.update(engine())
    desk.roster.update(player("mpv"))
    assert ["appeared tollbridge*", "appeared mpv*", "changed tollbridge"] == desk.names()

    desk.now += 1
    desk.roster.update(player("vlc"))
    assert ["appeared vlc*", "changed mpv"] == desk.names()

    desk.roster.remove("vlc")
    assert ["vanished vlc", "changed mpv*"] == desk.names()


async def test_the_same_again_is_not_told(desk: Desk) -> None:
    desk.roster.update(player())
    desk.names()

    desk.now += 5
    desk.roster.update(player(reading=Reading(5.0, 105.0)))

    assert [] == desk.names()


async def test_a_pause_is_told_at_once_however_soon(desk: Desk) -> None:
    desk.roster.update(player())
    desk.roster.update(player(status=Status.PAUSED))
    desk.roster.update(player(status=Status.PLAYING))

    assert ["appeared mpv*", "changed mpv*", "changed mpv*"] == desk.names()


async def test_many_changes_of_volume_are_two_events_and_the_last_one_counts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rosters, "QUIET_SECONDS", 0.01)
    desk.roster.update(player(volume=0.0))
    desk.now += 1
    desk.names()

    for step in range(1, 11):
        desk.roster.update(player(volume=step / 10, reading=Reading(1.0, 101.0)))
    first = len(desk.told)
    desk.now += 1  # the quiet time is over
    async with asyncio.timeout(2):
        while len(desk.told) < 2:  # noqa: ASYNC110  # a roster has nothing to wait on
            await asyncio.sleep(0)

    assert 1 == first
    assert [0.1, 1.0] == [data.player.volume for _, data in desk.told if hasattr(data, "player")]


async def test_nothing_is_told_after_the_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters, "QUIET_SECONDS", 0.001)
    desk.roster.update(player(volume=0.0))
    desk.roster.update(player(volume=0.5))
    desk.names()

    desk.roster.close()
    desk.now += 1
    await asyncio.sleep(0.005)

    assert [] == desk.names()


async def test_the_state_shows_positions_of_now(desk: Desk) -> None:
    desk.roster.update(player())
    desk.now += 7

    state = await desk.roster.refreshed()

    assert (7.0, "2023-11-14T22:13:20.000Z") == (state.player.position, state.player.position_at)  # type: ignore[union-attr]
    assert 1 == desk.mpris.refreshed == desk.engine.refreshed


async def test_players_are_listed_by_id_whoever_is_chosen(desk: Desk) -> None:
    for name in ("vlc", "audacious", "mpv"):
        desk.roster.update(player(name))

    assert ["audacious", "mpv", "vlc"] == [one.id for one in desk.roster.state().players]


async def test_the_state_is_json_of_the_declared_shape(desk: Desk) -> None:
    desk.roster.update(player())
    state = desk.roster.state()

    assert state == msgspec.json.decode(msgspec.json.encode(state), type=type(state))


async def test_a_command_goes_to_the_backend_of_the_player_that_is_meant(desk: Desk) -> None:
    desk.roster.update(engine())
    desk.roster.update(player("mpv"))

    assert (desk.mpris, "mpv") == desk.roster.target(None)
    assert (desk.engine, "tollbridge") == desk.roster.target("tollbridge")
    with pytest.raises(PlayerNotFound):
        desk.roster.target("vlc")


async def test_open_goes_to_a_player_that_opens_such_uris(desk: Desk) -> None:
    desk.roster.update(player("chromium"))
    desk.roster.update(player("mpv", Status.STOPPED, capabilities=Capabilities(open_schemes=("file", "https"))))

    assert (desk.mpris, "mpv") == desk.roster.target(None, scheme="https")
    with pytest.raises(NoPlayer):
        desk.roster.target(None, scheme="http")


async def test_where_nobody_is_no_player_is_meant(desk: Desk) -> None:
    with pytest.raises(NoPlayer):
        desk.roster.target(None)
