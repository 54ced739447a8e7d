"""The two places of the master key: one item of the desktop's keyring, or one private file of the state folder."""

from pathlib import Path
from typing import Protocol

from oauth import keyrings
from oauth.errors import KeyDamaged, KeyringForgetful
from oauth.keyrings import Backend

SERVICE = "tollbridge"
KEY_FILE = "master-key"
PROBE_FILE = "master-key.probe"


class PrivateFiles(Protocol):
    """How the owner's private files are read and written (`bridge.paths`); what is unsafe raises errors of its own."""

    def read_private(self, path: Path, /) -> bytes:
        """Return what the file holds; FileNotFoundError where there is none."""

    def write_private(self, path: Path, content: bytes, /) -> None:
        """Replace the file in one step (0600)."""

    def open_private(self, path: Path, flags: int = ..., /, *, repair: bool = ...) -> int:
        """Return a descriptor of the file."""


class Place(Protocol):
    """A place for keys, each one line of text; every call blocks."""

    def read(self, name: str) -> str | None:
        """Return the line kept under ``name``, None where there is none."""

    def write(self, name: str, line: str) -> None:
        """Keep ``line``, and make sure that it is kept."""

    def probe(self) -> None:
        """Write, read, compare and delete a line that is no key."""


class KeyringPlace:
    """One item for each name, under a service of its own: Windows shuffles items of one service in two steps."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def read(self, name: str) -> str | None:
        """Return the line; raises VaultError as `keyrings.read`."""
        return keyrings.read(self._backend, f"{SERVICE} {name}", "master key")

    def write(self, name: str, line: str) -> None:
        """Keep the line; raises VaultError as `keyrings.write`."""
        keyrings.write(self._backend, f"{SERVICE} {name}", "master key", line)

    def probe(self) -> None:
        """Try the keyring; raises VaultError as `keyrings.probe`."""
        keyrings.probe(self._backend)


class FilePlace:
    """One file, whatever the name: there is one key to a state folder."""

    def __init__(self, folder: Path, files: PrivateFiles) -> None:
        self._folder = folder
        self._files = files

    def read(self, name: str) -> str | None:
        """Return the line.

        Raises:
            KeyDamaged: the file is not text.
        """
        del name
        return self._read(self._folder / KEY_FILE)

    def write(self, name: str, line: str) -> None:
        """Replace the file.

        Raises:
            KeyringForgetful: what is read back is another (a full or failing disk).
        """
        del name
        self._write(self._folder / KEY_FILE, line)

    def probe(self) -> None:
        """Look at the key file, and try the folder with another one; raises as `read` and `write`."""
        self._read(self._folder / KEY_FILE)
        file = self._folder / PROBE_FILE
        try:
            self._write(file, "probe")
        finally:
            file.unlink(missing_ok=True)

    def _read(self, file: Path) -> str | None:
        try:
            return self._files.read_private(file).decode("ascii").rstrip("\n")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise KeyDamaged(
                f"{file} is damaged, it does not hold a key; put the right one back, or remove it and log in again to "
                "each remote service"
            ) from error

    def _write(self, file: Path, line: str) -> None:
        self._files.write_private(file, line.encode("ascii") + b"\n")
        if self._read(file) != line:
            raise KeyringForgetful(f"{file} does not hold what was just written to it; look at the disk")
