"""Which apps a worker hosts, as a function of the settings."""

from bridge.apps import system
from bridge.apps.player import app as player
from bridge.apps.player.settings import PlayerSettings
from bridge.apps.port import App
from bridge.config import Settings


def apps(settings: Settings) -> list[App]:
    """Return the apps, not yet running: a new native program is one line here."""
    return [
        system.build(),
        player.build(PlayerSettings(music_folders=settings.player.folders(), engine=settings.player.engine)),
    ]
