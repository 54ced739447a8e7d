"""The player app: declares commands, state and topic, and hands each command to the player that is meant."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated

import msgspec

from bridge.apps.player import uris
from bridge.apps.player.backends import backends as all_backends
from bridge.apps.player.port import Action, Backend
from bridge.apps.player.roster import Clocks, Roster
from bridge.apps.player.settings import PlayerSettings
from bridge.apps.player.state import EVENTS, Accepted, State
from bridge.apps.port import App, Params
from bridge.messages import Effect

READ = "player:read"
CONTROL = "player:control"
SCOPES = {
    READ: "See what is playing on this computer",
    CONTROL: "Play, pause and skip music on this computer",
}

LONGEST_SECONDS = 10_000_000
"""About four months: more than any track, less than what MPRIS can carry in microseconds."""

PlayerId = Annotated[str, msgspec.Meta(min_length=1, max_length=255, description="default: the chosen player")]
"""The longest bus name has 255 bytes (D-Bus specification, Valid Names)."""


class Target(Params, frozen=True, kw_only=True):
    """Which player is meant; without it the chosen one."""

    player: PlayerId | None = None


class Seek(Target, frozen=True, kw_only=True):
    """``offset`` in seconds from here, backwards if negative."""

    offset: Annotated[float, msgspec.Meta(ge=-LONGEST_SECONDS, le=LONGEST_SECONDS)]


class SetPosition(Target, frozen=True, kw_only=True):
    """``position`` in seconds from the track's start."""

    position: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_SECONDS)]


class SetVolume(Target, frozen=True, kw_only=True):
    """``volume`` from 0 (silent) to 1."""

    volume: Annotated[float, msgspec.Meta(ge=0, le=1)]


class Open(Target, frozen=True, kw_only=True):
    """``uri``: http(s), a file: URI below a music folder, or a path relative to a music folder.

    Without ``player``, the chosen one of those that open such URIs.
    """

    uri: Annotated[str, msgspec.Meta(min_length=1, max_length=2048)]


def build(settings: PlayerSettings, backends: Sequence[Backend] | None = None) -> App:
    """Return the app over ``backends``; by default those that can be had here."""
    app = App("player", title="Media player", scopes=SCOPES)
    topic = app.topic("player", scope=READ, events=EVENTS)
    used = all_backends(settings) if backends is None else backends
    roster = Roster(used, topic.publish, Clocks(time.monotonic, time.time))
    _declare_reading(app, roster)
    _declare_actions(app, roster)
    _declare_setting(app, roster, settings)

    @app.lifespan
    @asynccontextmanager
    async def live() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(roster.close)
            for backend in used:
                await stack.enter_async_context(backend.run(roster))
            yield

    return app


def _declare_reading(app: App, roster: Roster) -> None:
    @app.state(scope=READ)
    async def state() -> State:
        return await roster.refreshed()

    @app.command(scope=READ, effect=Effect.READ)
    async def players() -> State:
        """List the players and say which one is chosen; the same as the state."""
        return await roster.refreshed()


def _declare_actions(app: App, roster: Roster) -> None:
    async def act(target: Target, action: Action) -> Accepted:
        backend, player = roster.target(target.player)
        await backend.act(player, action)
        return Accepted(player)

    @app.command(scope=CONTROL, effect=Effect.ACT)
    async def play(params: Target) -> Accepted:
        """Begin or resume."""
        return await act(params, Action.PLAY)

    @app.command(scope=CONTROL, effect=Effect.ACT)
    async def pause(params: Target) -> Accepted:
        """Pause; nothing happens if it is paused already."""
        return await act(params, Action.PAUSE)

    @app.command(scope=CONTROL, effect=Effect.ACT)
    async def play_pause(params: Target) -> Accepted:
        """Pause if playing, else play."""
        return await act(params, Action.PLAY_PAUSE)

    @app.command(scope=CONTROL, effect=Effect.ACT)
    async def stop(params: Target) -> Accepted:
        """Stop."""
        return await act(params, Action.STOP)

    @app.command(scope=CONTROL, effect=Effect.ACT, name="next")
    async def next_track(params: Target) -> Accepted:
        """Go to the next track."""
        return await act(params, Action.NEXT)

    @app.command(scope=CONTROL, effect=Effect.ACT)
    async def previous(params: Target) -> Accepted:
        """Go to the previous track."""
        return await act(params, Action.PREVIOUS)


def _declare_setting(app: App, roster: Roster, settings: PlayerSettings) -> None:
    @app.command(scope=CONTROL, effect=Effect.ACT)
    async def seek(params: Seek) -> Accepted:
        """Move by so many seconds, backwards if negative."""
        backend, player = roster.target(params.player)
        await backend.seek(player, params.offset)
        return Accepted(player)

    @app.command(scope=CONTROL, effect=Effect.ACT)
    async def set_position(params: SetPosition) -> Accepted:
        """Go to a position of the track, in seconds."""
        backend, player = roster.target(params.player)
        await backend.set_position(player, params.position)
        return Accepted(player)

    @app.command(scope=CONTROL, effect=Effect.ACT)
    async def set_volume(params: SetVolume) -> Accepted:
        """Set the volume, from 0 to 1."""
        backend, player = roster.target(params.player)
        await backend.set_volume(player, params.volume)
        return Accepted(player)

    @app.command(scope=CONTROL, effect=Effect.ACT, name="open")
    async def open_uri(params: Open) -> Accepted:
        """Play an http(s) URI, or a file below the music folders."""
        source = await asyncio.to_thread(uris.source, params.uri, settings.music_folders)
        backend, player = roster.target(params.player, scheme=uris.scheme(params.uri))
        await backend.open(player, source)
        return Accepted(player)
