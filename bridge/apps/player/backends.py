"""Which backends can be had here: the one place that knows them all."""

import sys
from collections.abc import Sequence

from bridge.apps.player.engine.backend import Engine
from bridge.apps.player.port import Backend
from bridge.apps.player.settings import PlayerSettings


def backends(settings: PlayerSettings) -> Sequence[Backend]:
    """Return the backends, those of the desktop's players first."""
    engine = Engine(settings.music_folders, device=settings.engine)
    if sys.platform != "linux":
        return (engine,)
    from bridge.apps.player.mpris.backend import Mpris  # dbus-fast is a dependency on Linux only

    return Mpris(settings.music_folders), engine
