"""Real mpv and real VLC on a private bus, through the app's port."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop

from bridge.apps.player import app as player
from bridge.apps.player.errors import NoPlayer, PlayerGone, PlayerNotFound, PlayerTimeout, UriRefused
from bridge.apps.player.model import Status
from bridge.apps.player.mpris.backend import Mpris
from bridge.apps.player.settings import PlayerSettings
from bridge.errors import InvalidParams
from tests.parts.app import RunningApp
from tests.parts.bus import PrivateBus
from tests.parts.media import MusicFolder
from tests.parts.players import Mpv, Player, Vlc
from tests.parts.sound import NullSink

pytestmark = pytest.mark.real

Make = Callable[..., Player]


@asynccontextmanager
async def desk(bus: PrivateBus, music: MusicFolder) -> AsyncIterator[RunningApp]:
    """The player app with the desktop's players only."""
    folders = (music.path,)
    app = player.build(PlayerSettings(folders), [Mpris(folders, address=lambda: bus.address)])
    async with RunningApp.run(app) as running:
        yield running


@pytest.fixture(params=[Mpv, Vlc])
def make(request: pytest.FixtureRequest) -> Make:
    return request.param  # type: ignore[no-any-return]  # one of the params above


def plays(title: str) -> Callable[[Any], bool]:
    return lambda told: told.player.status is Status.PLAYING and told.player.track and told.player.track.title == title


async def begin(app: RunningApp, title: str = "Alpha") -> str:
    """Wait until ``title`` plays and moves; return the player's id."""
    state = await app.until_state(
        lambda state: (
            state.player
            and state.player.status is Status.PLAYING
            and state.player.track
            and state.player.track.title == title
            and state.player.position > 0.2
        )
    )
    app.events.clear()
    return str(state.chosen)


async def test_a_real_player_obeys_and_tells(bus: PrivateBus, music: MusicFolder, make: Make) -> None:
    with make(bus, music.path / "alpha.mp3", music.path / "gamma.flac"):
        async with desk(bus, music) as app:
            name = await begin(app)

            assert name == (await app.call("pause")).player
            await app.until("changed", lambda told: told.player.status is Status.PAUSED)
            await app.call("play")
            await app.until("changed", plays("Alpha"))
            await app.call("play_pause")
            await app.until("changed", lambda told: told.player.status is Status.PAUSED)
            await app.call("set_position", position=20)
            await app.until("seeked", lambda told: abs(told.position - 20) < 0.5)
            await app.call("seek", offset=-10)
            await app.until("seeked", lambda told: abs(told.position - 10) < 0.8)
            await app.call("next")
            await app.until("changed", lambda told: told.player.track and told.player.track.title == "Gamma")
            await app.call("previous")
            await app.until("changed", lambda told: told.player.track and told.player.track.title == "Alpha")
            await app.call("open", uri="delta.ogg")
            await app.until("changed", lambda told: told.player.track and told.player.track.title == "Delta")
            await app.call("stop")
            await app.until("changed", lambda told: told.player.status is Status.STOPPED)


async def test_the_track_is_told_whole(bus: PrivateBus, music: MusicFolder, make: Make) -> None:
    with make(bus, music.path / "alpha.mp3"):
        async with desk(bus, music) as app:
            await begin(app)

            track = (await app.state()).player.track

    assert ("Alpha", ("Ann",), "First", None, "alpha.mp3") == (
        track.title, track.artists, track.album, track.art_url, track.uri
    )  # fmt: skip
    assert 20 < track.length < 35  # VLC estimates an mp3's


async def test_a_file_outside_the_music_folder_is_not_named(bus: PrivateBus, music: MusicFolder, make: Make) -> None:
    with MusicFolder() as elsewhere, make(bus, elsewhere.encoded("private.flac", title="Secret")):
        async with desk(bus, music) as app:
            await begin(app, "Secret")

            assert (await app.state()).player.track.uri is None


async def test_volume_is_set_and_told(bus: PrivateBus, music: MusicFolder, make: Make) -> None:
    """With a sound server: VLC without one takes no volume."""
    with NullSink() as sound, make(bus, music.path / "alpha.mp3", sound=sound):
        async with desk(bus, music) as app:
            await begin(app)

            await app.call("set_volume", volume=0.5)

            await app.until("changed", lambda told: abs(told.player.volume - 0.5) < 0.02)


async def test_a_tune_without_tags_is_called_by_its_file(bus: PrivateBus, music: MusicFolder, make: Make) -> None:
    with make(bus, music.path / "beta.wav"):
        async with desk(bus, music) as app:
            await begin(app, "beta.wav")


async def test_position_keeps_pace_without_events(bus: PrivateBus, music: MusicFolder, make: Make) -> None:
    with make(bus, music.path / "beta.wav"):
        async with desk(bus, music) as app:
            await begin(app, "beta.wav")
            before, began = (await app.state()).player.position, time.monotonic()

            after = (await app.until_state(lambda state: state.player.position > before + 1.5)).player.position

    assert 1.5 < after - before < time.monotonic() - began + 0.4  # a busy machine may make a player slow, never fast


async def test_players_appear_and_vanish(bus: PrivateBus, music: MusicFolder, make: Make) -> None:
    async with desk(bus, music) as app:
        with make(bus, music.path / "alpha.mp3"):
            appeared = await app.until("appeared")
            assert appeared.chosen

        vanished = await app.until("vanished")

        assert appeared.player.id == vanished.id
        assert () == (await app.state()).players
        with pytest.raises(NoPlayer):
            await app.call("play")


@pytest.mark.parametrize("twice", [False, True])
async def test_one_vlc_is_one_player_whatever_names_it_takes(twice: bool, bus: PrivateBus, music: MusicFolder) -> None:
    async with desk(bus, music) as app:
        with Vlc(bus, music.path / "alpha.mp3", twice=twice):
            await begin(app)

            # Its two interfaces start at once: either name may be there first, and gives the id.
            assert 1 == len((await app.state()).players)
        await app.until_state(lambda state: not state.players)


async def test_one_vlc_with_two_names_is_found_as_one(bus: PrivateBus, music: MusicFolder) -> None:
    """The names are there before we are: they come from the list, not one by one."""
    with Vlc(bus, music.path / "alpha.mp3", twice=True):
        async with desk(bus, music) as app:
            await begin(app)
        async with desk(bus, music) as app:
            assert "vlc" == await begin(app)

            assert 1 == len((await app.state()).players)


async def test_two_players_are_told_apart(bus: PrivateBus, music: MusicFolder) -> None:
    with Mpv(bus, music.path / "alpha.mp3", paused=True), Vlc(bus, music.path / "gamma.flac"):
        async with desk(bus, music) as app:
            await app.until_state(lambda state: len(state.players) == 2 and state.player.status is Status.PLAYING)
            assert "vlc" == (await app.state()).chosen
            app.events.clear()

            await app.call("play", player="mpv")
            await app.until("changed", lambda told: told.player.id == "mpv" and told.player.status is Status.PLAYING)
            await app.call("pause", player="vlc")
            await app.until("changed", lambda told: told.player.id == "vlc" and told.player.status is Status.PAUSED)

            assert "mpv" == (await app.state()).chosen


async def test_an_unknown_player_is_not_found(bus: PrivateBus, music: MusicFolder) -> None:
    async with desk(bus, music) as app:
        with pytest.raises(PlayerNotFound):
            await app.call("play", player="winamp")


async def test_a_position_beyond_the_end_is_refused(bus: PrivateBus, music: MusicFolder) -> None:
    """The player itself would ignore it without a word (MPRIS 2.2, Player.SetPosition)."""
    with Mpv(bus, music.path / "alpha.mp3"):
        async with desk(bus, music) as app:
            await begin(app)

            with pytest.raises(InvalidParams) as refused:
                await app.call("set_position", position=3000)

            assert "$.position" == refused.value.path


async def test_no_player_hears_of_a_file_outside(bus: PrivateBus, music: MusicFolder, tmp_path: Path) -> None:
    (music.path / "out.flac").symlink_to("/etc/passwd")
    with Mpv(bus, music.path / "alpha.mp3"):
        async with desk(bus, music) as app:
            await begin(app)

            for uri in ("../x.mp3", "out.flac", "file:///etc/passwd", "javascript:alert(1)", "smb://host/x"):
                with pytest.raises(UriRefused):
                    await app.call("open", uri=uri)

            assert "Alpha" == (await app.state()).player.track.title
    (music.path / "out.flac").unlink()


async def test_a_player_killed_in_mid_call_is_an_error_at_once(bus: PrivateBus, music: MusicFolder, make: Make) -> None:
    with make(bus, music.path / "alpha.mp3") as process:
        async with desk(bus, music) as app:
            await begin(app)
            process.freeze()
            pending = asyncio.create_task(app.call("pause"))
            await asyncio.wait([pending], timeout=0.1)
            assert not pending.done()

            process.kill()
            began = time.monotonic()
            with pytest.raises(PlayerGone):
                await pending

            assert time.monotonic() - began < 1
            await app.until("vanished")


async def test_a_stopped_player_is_a_timeout_and_comes_back(bus: PrivateBus, music: MusicFolder, make: Make) -> None:
    with make(bus, music.path / "alpha.mp3") as process:
        async with desk(bus, music) as app:
            await begin(app)
            process.freeze()

            with pytest.raises(PlayerTimeout):
                await app.call("play")
            began = time.monotonic()
            state = await app.state()
            assert time.monotonic() - began < 1  # the state does not wait for it
            assert 1 == len(state.players)

            process.thaw()
            await app.call("pause")
            await app.until("changed", lambda told: told.player.status is Status.PAUSED)


async def test_a_stopped_player_does_not_hold_up_another(bus: PrivateBus, music: MusicFolder) -> None:
    with Mpv(bus, music.path / "alpha.mp3") as frozen, Vlc(bus, music.path / "gamma.flac"):
        async with desk(bus, music) as app:
            await app.until_state(lambda state: len(state.players) == 2)
            frozen.freeze()
            pending = asyncio.create_task(app.call("pause", player="mpv"))

            await app.call("pause", player="vlc")

            assert not pending.done(), "it was answered while the other one is still waited for"
            with pytest.raises(PlayerTimeout):
                await pending


async def test_players_are_back_when_the_bus_is(bus: PrivateBus, music: MusicFolder) -> None:
    async with desk(bus, music) as app:
        with Mpv(bus, music.path / "alpha.mp3"):
            await begin(app)

            bus.stop()
            await app.until("vanished")
            assert not (await app.state()).backends[0].is_available
            with pytest.raises(NoPlayer):
                await app.call("play")
            bus.start()

        with Mpv(bus, music.path / "gamma.flac"):  # mpv itself does not look for the bus again
            await begin(app, "Gamma")
            assert (await app.state()).backends[0].is_available


async def test_a_bus_that_ends_in_mid_call_is_an_error_at_once(bus: PrivateBus, music: MusicFolder) -> None:
    async with desk(bus, music) as app:
        with Mpv(bus, music.path / "alpha.mp3") as process:
            await begin(app)
            process.freeze()
            pending = asyncio.create_task(app.call("pause"))
            await asyncio.wait([pending], timeout=0.1)

            bus.stop()

            with pytest.raises(PlayerGone):
                await pending


async def test_a_bus_that_starts_later_is_found(bus: PrivateBus, music: MusicFolder) -> None:
    bus.stop()
    async with desk(bus, music) as app:
        await app.until_state(lambda state: "cannot be reached" in state.backends[0].detail)
        bus.start()

        with Mpv(bus, music.path / "alpha.mp3"):
            await begin(app)


async def test_without_any_bus_the_state_says_so(music: MusicFolder) -> None:
    app = player.build(PlayerSettings((music.path,)), [Mpris(address=lambda: None)])
    async with RunningApp.run(app) as running:
        state = await running.until_state(lambda state: state.backends[0].detail != "not started")

    assert (False, "there is no session bus") == (state.backends[0].is_available, state.backends[0].detail)
    assert state.player is None


async def test_a_wrong_bus_address_is_said_too(music: MusicFolder) -> None:
    app = player.build(PlayerSettings((music.path,)), [Mpris(address=lambda: "carrier-pigeon:")])
    async with RunningApp.run(app) as running:
        await running.until_state(lambda state: "cannot be reached" in state.backends[0].detail)


def test_all_of_it_works_on_uvloop_too(bus: PrivateBus, music: MusicFolder) -> None:
    async def scenario() -> None:
        async with desk(bus, music) as app:
            with Mpv(bus, music.path / "alpha.mp3"):
                await begin(app)
                await app.call("pause")
                await app.until("changed", lambda told: told.player.status is Status.PAUSED)
                bus.stop()
                await app.until("vanished")
            bus.start()
            with Vlc(bus, music.path / "gamma.flac") as process:
                await begin(app, "Gamma")
                process.kill()
                await app.until("vanished")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())
