"""The built-in player, for real: miniaudio with its null device, which keeps real time, and once with PulseAudio."""

import array
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from bridge.apps.player import app as player
from bridge.apps.player.engine.backend import Engine
from bridge.apps.player.engine.device import scaled
from bridge.apps.player.errors import NothingToPlay, NotSupported, PlayerFailed
from bridge.apps.player.model import Status
from bridge.apps.player.settings import PlayerSettings
from bridge.errors import InvalidParams
from tests.parts.app import RunningApp
from tests.parts.media import MusicFolder, write_wav
from tests.parts.sound import NullSink

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[4]


@asynccontextmanager
async def desk(folder: Path, device: Literal["auto", "null"] = "null") -> AsyncIterator[RunningApp]:
    """The player app with the built-in player only."""
    app = player.build(PlayerSettings((folder,)), [Engine((folder,), device=device)])
    async with RunningApp.run(app) as running:
        yield running


def plays(title: str) -> Callable[[Any], bool]:
    return lambda told: told.player.track is not None and told.player.track.title == title


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """A folder of three tunes of 0.6 seconds."""
    for name in ("a", "b", "c"):
        write_wav(tmp_path / f"{name}.wav", seconds=0.6)
    return tmp_path


async def test_it_obeys_and_tells(music: MusicFolder) -> None:
    async with desk(music.path) as app:
        assert "tollbridge" == (await app.call("play")).player
        told = await app.until("changed", lambda told: told.player.status is Status.PLAYING)
        assert ("alpha", "Tollbridge player (no sound card)") == (told.player.track.title, told.player.name)
        await app.call("pause")
        await app.until("changed", lambda told: told.player.status is Status.PAUSED)
        await app.call("play_pause")
        await app.until("changed", lambda told: told.player.status is Status.PLAYING)
        await app.call("seek", offset=10)
        await app.until("seeked", lambda told: told.position > 9)
        await app.call("set_position", position=5)
        await app.until("seeked", lambda told: abs(told.position - 5) < 0.5)
        await app.call("previous")  # later than three seconds: to the start
        await app.until("seeked", lambda told: told.position < 1)
        await app.call("next")
        await app.until("changed", lambda told: told.player.track.title == "beta")
        await app.call("previous")
        await app.until("changed", lambda told: told.player.track.title == "alpha")
        await app.call("set_volume", volume=0.25)
        await app.until("changed", lambda told: told.player.volume == 0.25)
        await app.call("stop")
        await app.until("changed", lambda told: told.player.status is Status.STOPPED and told.player.track is None)


@pytest.mark.parametrize("name", ["alpha.mp3", "beta.wav", "gamma.flac", "delta.ogg"])
async def test_each_format_makes_real_progress(name: str, music: MusicFolder) -> None:
    async with desk(music.path) as app:
        await app.call("open", uri=name)
        state = await app.state()
        assert (name, True) == (state.player.track.uri, 29 < state.player.track.length < 31)

        began = time.monotonic()
        state = await app.until_state(lambda state: state.player.position > 0.7)

        assert state.player.position < time.monotonic() - began + 0.4


async def test_a_paused_track_stands_still_where_it_was(music: MusicFolder) -> None:
    async with desk(music.path) as app:
        await app.call("play")
        await app.until_state(lambda state: state.player.position > 0.3)
        await app.call("pause")
        first = (await app.state()).player.position
        await app.call("set_volume", volume=0.5)  # any command, some time
        assert first == (await app.state()).player.position

        await app.call("play")
        await app.until_state(lambda state: first < state.player.position < first + 1)


async def test_the_end_of_a_track_begins_the_next_and_the_last_one_stops(short: Path) -> None:
    async with desk(short) as app:
        await app.call("play")

        for title in ("a", "b", "c"):
            await app.until("changed", plays(title))
        stopped = await app.until("changed", lambda told: told.player.status is Status.STOPPED)

        assert stopped.player.track is None
        await app.call("play")  # from the first one again
        await app.until("changed", lambda told: told.player.track and told.player.track.title == "a")


async def test_next_goes_round(short: Path) -> None:
    async with desk(short) as app:
        await app.call("play")
        await app.call("previous")

        await app.until("changed", lambda told: told.player.track and told.player.track.title == "c")
        await app.call("next")
        await app.until("changed", lambda told: told.player.track and told.player.track.title == "a")


async def test_a_seek_beyond_the_end_begins_the_next_track(music: MusicFolder) -> None:
    async with desk(music.path) as app:
        await app.call("play")

        await app.call("seek", offset=100)

        await app.until("changed", lambda told: told.player.track and told.player.track.title == "beta")


async def test_a_seek_before_the_start_is_the_start(music: MusicFolder) -> None:
    async with desk(music.path) as app:
        await app.call("open", uri="beta.wav")
        await app.call("pause")

        await app.call("seek", offset=-100)

        assert 0 == (await app.state()).player.position


async def test_a_position_beyond_the_end_is_refused(music: MusicFolder) -> None:
    async with desk(music.path) as app:
        await app.call("play")

        with pytest.raises(InvalidParams) as refused:
            await app.call("set_position", position=100)

    assert "$.position" == refused.value.path


async def test_what_it_cannot_do_it_says(music: MusicFolder) -> None:
    async with desk(music.path) as app:
        with pytest.raises(NotSupported):
            await app.call("seek", offset=1)  # nothing is loaded
        with pytest.raises(NotSupported):
            await app.call("open", uri="https://radio.example/", player="tollbridge")


async def test_an_empty_folder_is_nothing_to_play(tmp_path: Path) -> None:
    async with desk(tmp_path) as app:
        with pytest.raises(NothingToPlay):
            await app.call("play")

        write_wav(tmp_path / "later.wav")
        await app.call("play")  # looked through again


async def test_a_file_that_is_no_music_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"no music" * 1000)
    (tmp_path / "b.ogg").write_bytes(b"")
    write_wav(tmp_path / "c.wav")
    async with desk(tmp_path) as app:
        await app.call("play")

        assert "c" == (await app.state()).player.track.title
        with pytest.raises(PlayerFailed):
            await app.call("open", uri="b.ogg")


async def test_a_folder_of_files_that_are_no_music_is_nothing_to_play(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"no music" * 1000)
    async with desk(tmp_path) as app:
        with pytest.raises(NothingToPlay):
            await app.call("play")

        assert Status.STOPPED is (await app.state()).player.status


async def test_it_leaves_no_thread_behind(music: MusicFolder) -> None:
    async with desk(music.path) as app:
        await app.call("play")
        assert any(thread.name.startswith("player-engine") for thread in threading.enumerate())

    assert not any(thread.name.startswith("player-engine") for thread in threading.enumerate())


async def test_it_ends_in_the_middle_of_a_track_many_times(short: Path) -> None:
    for _ in range(10):
        async with desk(short) as app:
            await app.call("play")
            await app.call("set_position", position=0.5)


def run(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PULSE", "XDG", "DBUS"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**clean, **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )


def test_nothing_of_the_engine_is_loaded_before_the_first_play() -> None:
    code = """if True:
        import asyncio, sys, threading
        from bridge.apps.player import app
        from bridge.apps.player.settings import PlayerSettings
        async def main():
            async with app.build(PlayerSettings()).run(lambda *_: None):
                print(sorted({"miniaudio", "ctypes", "cffi"} & set(sys.modules)))
                print([thread.name for thread in threading.enumerate() if "engine" in thread.name])
        asyncio.run(main())
    """
    assert "[]\n[]\n" == run(code).stdout


def test_without_miniaudio_there_is_no_engine_and_the_state_says_so() -> None:
    code = """if True:
        import asyncio, sys
        sys.modules["miniaudio"] = None
        from bridge.apps.player import app
        from bridge.apps.player.engine.backend import Engine
        from bridge.apps.player.settings import PlayerSettings
        async def main():
            player = app.build(PlayerSettings(), [Engine(())])
            async with player.run(lambda *_: None):
                state = await player.read_state()
                print(state.players, state.backends[0].is_available, state.backends[0].detail)
        asyncio.run(main())
    """
    assert "() False miniaudio is not installed (pip install 'tollbridge[engine]')\n" == run(code).stdout


PLAY_ONE = """if True:
    import asyncio, sys
    from pathlib import Path
    from bridge.apps.player import app
    from bridge.apps.player.engine.backend import Engine
    from bridge.apps.player.settings import PlayerSettings
    async def main():
        folders = (Path(FOLDER),)
        player = app.build(PlayerSettings(folders), [Engine(folders, device="auto")])
        async with player.run(lambda *_: None):
            from bridge.messages import Caller
            command = player.commands["play"]
            await command.call(command.params(), Caller(client="owner", scopes=frozenset(), owner=True))
            async with asyncio.timeout(10):
                while (state := await player.read_state()).player.position < 0.6:
                    await asyncio.sleep(0.02)
            print(state.player.name)
    asyncio.run(main())
"""


def test_with_a_sound_server_it_is_heard_there(music: MusicFolder) -> None:
    with NullSink() as sound:
        result = run(PLAY_ONE.replace("FOLDER", repr(str(music.path))), **sound.env)

    assert "Tollbridge player\n" == result.stdout


async def test_it_plays_on_when_the_sound_server_has_gone(music: MusicFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk(music.path, "auto") as app:
        with NullSink() as sound:
            for name, value in sound.env.items():
                monkeypatch.setenv(name, value)
            await app.call("play")
            assert "Tollbridge player" == (await app.state()).player.name
            await app.until_state(lambda state: state.player.position > 0.3)
        await app.call("pause")

        await app.call("play")

        state = await app.until_state(lambda state: state.player.position > 1)
        assert Status.PLAYING is state.player.status


def test_without_a_sound_card_it_says_so_and_alsa_says_nothing(music: MusicFolder) -> None:
    result = run(PLAY_ONE.replace("FOLDER", repr(str(music.path))), PULSE_SERVER="unix:/nonexistent/pulse")

    if "no sound card" not in result.stdout:
        pytest.skip("this machine has a sound card")
    assert "" == result.stderr


def test_volume_scales_the_samples() -> None:
    samples = array.array("h", [1000, -1000, 32767, -32768])

    assert [500, -500, 16383, -16384] == list(scaled(samples, 0.5))
    assert samples is scaled(samples, 1.0)
    assert [0, 0, 0, 0] == list(scaled(samples, 0.0))
