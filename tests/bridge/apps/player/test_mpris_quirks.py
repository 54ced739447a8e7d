"""A real bus and a player that speaks MPRIS badly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from dbus_fast import Variant

from bridge.apps.player import app as player
from bridge.apps.player.errors import NoPlayer, NotSupported, PlayerFailed
from bridge.apps.player.model import Status
from bridge.apps.player.mpris import follower
from bridge.apps.player.mpris.backend import Mpris
from bridge.apps.player.settings import PlayerSettings
from tests.parts.app import RunningApp
from tests.parts.bare_player import PLAYER, PROPERTIES, BarePlayer
from tests.parts.bus import PrivateBus
from tests.parts.media import MusicFolder

pytestmark = pytest.mark.real


@asynccontextmanager
async def desk(bus: PrivateBus, music: MusicFolder) -> AsyncIterator[RunningApp]:
    folders = (music.path,)
    app = player.build(PlayerSettings(folders), [Mpris(folders, address=lambda: bus.address)])
    async with RunningApp.run(app) as running:
        yield running


async def test_what_a_player_lacks_is_not_supported(bus: PrivateBus, music: MusicFolder) -> None:
    async with BarePlayer(bus.address) as bare, desk(bus, music) as app:
        await app.until("appeared")

        for name, params in (
            ("open", {"uri": "alpha.mp3"}),
            ("seek", {"offset": 1.0}),
            ("set_position", {"position": 1.0}),
            ("set_volume", {"volume": 0.5}),
            ("next", {}),
            ("previous", {}),
        ):
            with pytest.raises(NotSupported):
                await app.call(name, player="bare", **params)
        with pytest.raises(NoPlayer):  # and where none is named, no player is found that could
            await app.call("open", uri="alpha.mp3")

        assert [] == bare.calls


async def test_a_command_costs_one_call(bus: PrivateBus, music: MusicFolder) -> None:
    async with BarePlayer(bus.address) as bare, desk(bus, music) as app:
        await app.until("appeared")

        await app.call("pause")

        assert [("Pause", [])] == bare.calls


async def test_a_player_that_can_again_without_saying_so_is_believed(bus: PrivateBus, music: MusicFolder) -> None:
    async with BarePlayer(bus.address) as bare, desk(bus, music) as app:
        bare.properties["CanPause"] = Variant("b", False)
        await app.until("appeared")
        await bare.change(Rate=Variant("d", 1.5))
        await app.until("changed")
        bare.properties["CanPause"] = Variant("b", True)

        await app.call("pause")

        assert [("Pause", [])] == bare.calls


async def test_an_error_of_the_player_is_passed_on_in_its_words(bus: PrivateBus, music: MusicFolder) -> None:
    async with BarePlayer(bus.address) as bare, desk(bus, music) as app:
        await app.until("appeared")
        bare.error = "org.example.Error.Jammed"
        bare.methods.clear()

        with pytest.raises(PlayerFailed, match="no Pause"):
            await app.call("pause")


async def test_an_empty_signal_is_no_news(bus: PrivateBus, music: MusicFolder) -> None:
    async with BarePlayer(bus.address) as bare, desk(bus, music) as app:
        await app.until("appeared")
        app.events.clear()

        for _ in range(5):
            await bare.change()
        await bare.change(PlaybackStatus=Variant("s", "Paused"))
        await app.until("changed", lambda told: told.player.status is Status.PAUSED)

        assert [] == app.events


async def test_a_storm_of_seeked_is_no_storm_of_events(bus: PrivateBus, music: MusicFolder) -> None:
    async with BarePlayer(bus.address) as bare, desk(bus, music) as app:
        await app.until("appeared")
        app.events.clear()

        for step in range(200):
            await bare.seeked(10 + step % 50)
            await asyncio.sleep(0)
        await bare.seeked(5)
        seen = 0
        while abs((await app.until("seeked")).position - 5) > 1:
            seen += 1

        assert seen < 10


async def test_seeked_where_it_is_anyway_is_no_news(bus: PrivateBus, music: MusicFolder) -> None:
    async with BarePlayer(bus.address) as bare, desk(bus, music) as app:
        told = await app.until("appeared")
        await bare.seeked(told.player.position + 0.05)
        await bare.seeked(40)

        assert abs((await app.until("seeked")).position - 40) < 1


async def test_a_player_that_plays_without_moving_is_told_with_rate_zero(
    bus: PrivateBus, music: MusicFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "RECHECK_SECONDS", 0.6)  # no need to wait for five
    async with BarePlayer(bus.address) as bare, desk(bus, music) as app:
        assert 1.0 == (await app.until("appeared")).player.rate

        stalled = await app.until("changed", lambda told: told.player.rate == 0)
        assert Status.PLAYING is stalled.player.status

        bare.properties["Position"] = Variant("x", 30_000_000)
        await app.until("changed", lambda told: told.player.rate == 1)


async def test_a_player_that_talks_nonsense_harms_nobody(bus: PrivateBus, music: MusicFolder) -> None:
    async with desk(bus, music) as app, BarePlayer(bus.address, "mad") as mad:
        await app.until("appeared")
        await mad.change(
            PlaybackStatus=Variant("i", 7),
            Metadata=Variant("s", "none"),
            Position=Variant("s", "here"),
            Rate=Variant("d", float("nan")),
            Volume=Variant("d", float("inf")),
            CanPlay=Variant("s", "yes"),
        )
        told = await app.until("changed", lambda told: told.player.status is Status.STOPPED)

        assert (None, 0.0, 1.0, None, False) == (
            told.player.track,
            told.player.position,
            told.player.rate,
            told.player.volume,
            told.player.capabilities.can_play,
        )
        async with BarePlayer(bus.address, "sane"):
            await app.until("appeared", lambda told: told.player.id == "sane")


async def test_a_signal_of_a_wrong_shape_harms_nobody(
    bus: PrivateBus, music: MusicFolder, caplog: pytest.LogCaptureFixture
) -> None:
    async with BarePlayer(bus.address) as bare, desk(bus, music) as app:
        await app.until("appeared")
        await bare.signal(PROPERTIES, "PropertiesChanged")
        await bare.signal(PROPERTIES, "PropertiesChanged", "s", ["x"])
        await bare.signal(PLAYER, "Seeked", "s", ["x"])
        await bare.change(PlaybackStatus=Variant("s", "Paused"))
        await app.until("changed", lambda told: told.player.status is Status.PAUSED)

    assert "exception" not in caplog.text


async def test_more_players_than_anybody_has_are_left_out(bus: PrivateBus, music: MusicFolder) -> None:
    async with BarePlayer(bus.address) as first:
        for number in range(100):
            await first.take(f"many{number}")  # one connection: all of them are one player
        async with desk(bus, music) as app:
            await app.until_state(lambda state: state.player is not None)

            assert 1 == len((await app.state()).players)


async def test_a_name_handed_to_another_player_is_a_new_player(bus: PrivateBus, music: MusicFolder) -> None:
    async with desk(bus, music) as app:
        async with BarePlayer(bus.address, "relay"):
            await app.until("appeared")
        await app.until("vanished")
        async with BarePlayer(bus.address, "relay") as second:
            second.properties["PlaybackStatus"] = Variant("s", "Paused")
            await app.until("appeared")


async def test_a_player_whose_first_name_goes_lives_on_under_its_second(bus: PrivateBus, music: MusicFolder) -> None:
    async with BarePlayer(bus.address, "one") as bare, desk(bus, music) as app:
        await app.until("appeared", lambda told: told.player.id == "one")
        await bare.take("two")
        await bare.give_up("one")

        await app.until("vanished", lambda gone: gone.id == "one")
        await app.until("appeared", lambda told: told.player.id == "two")
