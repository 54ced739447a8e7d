"""The settings of the player app."""

from pathlib import Path
from typing import Literal

import msgspec


class PlayerSettings(msgspec.Struct, frozen=True):
    """``music_folders``: all that ``open`` may reach; ``engine`` "null" never touches a sound card."""

    music_folders: tuple[Path, ...] = ()
    engine: Literal["auto", "null"] = "auto"
