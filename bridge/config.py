"""The settings file, read once at start into frozen values; a setting is a size or a place, never a check.

docs/settings.md lists each one with its range and default (held by tests/project/test_settings.py).

[daemon]
ports = [4380, 4381, 4382]      # tried at the first start; the port is then this user's for good

[limits]
commands_per_second = 100       # per grant, in the long run; after a pause `burst` of them may come at once

[player]
music_folders = ["~/Music"]
engine = "auto"                 # "null": never touch a sound card

[vault]
key_file = false                # true: where no keyring can be had, keep the master key in a file (0600)
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from bridge import paths
from bridge.errors import BridgeFault

DEFAULT_PORTS = (4380, 4381, 4382)
"""The ports that the SDK knows. Other ones need `new Tollbridge({ports})` in every page."""


class ConfigInvalid(BridgeFault):
    """The settings file cannot be read as settings; the detail names the place."""

    code = "config_invalid"
    title = "The settings file is not valid"


def _count(most: int) -> msgspec.Meta:
    return msgspec.Meta(ge=1, le=most)


LOWEST_PORT = 1024
"""Those below belong to the system (RFC 6335 section 6); what `ports` or the system chooses for us is never one."""


class DaemonSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the daemon listens on 127.0.0.1; port 0 lets the system choose at the first start."""

    ports: Annotated[tuple[Annotated[int, msgspec.Meta(ge=0, le=65535)], ...], msgspec.Meta(min_length=1)] = (
        DEFAULT_PORTS
    )

    def __post_init__(self) -> None:
        if any(0 < port < LOWEST_PORT for port in self.ports):
            raise ValueError(f"a port is 0, or {LOWEST_PORT} to 65535; those below are the system's")


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sizes (protocol section 1, Limits): of all connections, the others per grant; each has an upper bound."""

    connections: Annotated[int, _count(65_536)] = 8192
    silent_connections: Annotated[int, _count(1024)] = 64
    streams: Annotated[int, _count(1024)] = 8
    sockets: Annotated[int, _count(1024)] = 8
    requests_in_flight: Annotated[int, _count(4096)] = 64
    commands_per_second: Annotated[int, _count(100_000)] = 100
    burst: Annotated[int, _count(200_000)] = 200


class PlayerSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The media player app: folders that `open` may reach, and which device the embedded engine uses."""

    music_folders: tuple[str, ...] | None = None
    engine: Literal["auto", "null"] = "auto"

    def __post_init__(self) -> None:
        for folder in self.music_folders or ():
            if "\0" in folder or not (folder == "~" or folder.startswith(("/", "~/"))):
                raise ValueError("a music folder is written from the top (/srv/music) or from your home (~/Music)")

    def folders(self) -> tuple[Path, ...]:
        """Return the music folders; by default the one that the desktop names."""
        if self.music_folders is None:
            return (paths.music_folder(),)
        return tuple(Path(folder).expanduser() for folder in self.music_folders)


class VaultSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the master key is kept: in the desktop's keyring, or in a file (0600) of the state folder.

    Any program of this user, and any backup of the state folder, can read the file; never chosen but by this setting.
    """

    key_file: bool = False


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings; what the file leaves out has its default."""

    daemon: DaemonSettings = DaemonSettings()
    limits: Limits = Limits()
    player: PlayerSection = PlayerSection()
    vault: VaultSection = VaultSection()


def read(file: Path) -> Settings:
    """Read ``file``; a missing file means all defaults.

    Raises:
        ConfigInvalid: it is not TOML, or a setting is unknown or out of bounds.
        UnsafeFile: others may change it; it names the folders that pages can reach.
    """
    try:
        content = paths.read_trusted(file).decode()
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigInvalid(f"{file} cannot be read: {reason}; put that right and start again") from error
    try:
        return msgspec.convert(tomllib.loads(content), Settings)
    except tomllib.TOMLDecodeError as error:
        raise ConfigInvalid(f"{file} is not TOML: {error}; correct it and start again") from error
    except msgspec.ValidationError as error:
        raise ConfigInvalid(f"{file}: {error}; correct it, or leave it out for its default") from error
