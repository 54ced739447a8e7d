"""The door to `keyring`: which backends may hold a secret, and what one call into them can end with.

A backend is made by us, of a class on the list below, and is never looked for: `keyring.get_keyring()` would obey
``PYTHON_KEYRING_BACKEND``, load Python code from where ``keyringrc.cfg`` says, and run every entry point of the
environment; and it would settle for one that writes plain text, or nothing. Importing `keyring.backends.X` does none of
this (keyring 25.7; a test holds it), but takes 20 to 140 ms, so it happens in the vault's thread at the first use.

Not on the list: libsecret (needs PyGObject, and is the same service as SecretService); kwallet (needs dbus-python, and
KWallet is a Secret Service itself since KDE Frameworks 5.97); chainer, null, fail and everything of `keyrings.alt`.
"""

import os
import secrets
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, cast

from oauth.errors import (
    KeyringFailed,
    KeyringForgetful,
    KeyringLocked,
    KeyringMissing,
    KeyringUnsafe,
    VaultError,
)

PROBE_SERVICE = "tollbridge probe"
_ENVIRONMENT = ("PYTHON_KEYRING_BACKEND", "KEYRING_PROPERTY_", "KEYCHAIN_PATH")

_MISSING = (
    "no keyring can be reached: start one (gnome-keyring, KeePassXC or KWallet, with a session bus), or set "
    "`key_file = true` under [vault] in the settings file to keep the key in a file"
)
_LOCKED = "the keyring is locked: unlock it (its own program, or log in to the desktop again), then try again"


class Backend(Protocol):
    """What we use of `keyring.backend.KeyringBackend`; every call blocks, and may hang."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return the secret, None where there is none."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep ``password``, instead of what was there."""

    def delete_password(self, service: str, username: str) -> None:
        """Forget the secret."""


class Candidate(NamedTuple):
    """A backend that may be used: how its class is imported, and the state that its constructor would give it.

    The constructor itself is not called, as it sets whatever attributes ``KEYRING_PROPERTY_*`` names.
    """

    name: str
    place: str
    load: Callable[[], type[Any]]
    state: Mapping[str, object]


def _secret_service() -> type[Any]:
    from keyring.backends.SecretService import Keyring

    return Keyring


def _macos() -> type[Any]:
    from keyring.backends.macOS import Keyring

    return Keyring


def _windows() -> type[Any]:
    from keyring.backends.Windows import WinVaultKeyring

    return WinVaultKeyring


_SECRET_SERVICE = Candidate(
    "keyring.backends.SecretService.Keyring", "the Secret Service of the session bus", _secret_service, {}
)
_MACOS = Candidate("keyring.backends.macOS.Keyring", "the login keychain", _macos, {"keychain": None})
# This machine's alone: by default the secret would roam with the account.
_WINDOWS = Candidate(
    "keyring.backends.Windows.WinVaultKeyring", "Credential Manager", _windows, {"persist": "local machine"}
)
ALLOWED: Sequence[Candidate] = (_SECRET_SERVICE, _MACOS, _WINDOWS)
"""Every backend that may hold a secret."""


def candidates(platform: str = sys.platform) -> Sequence[Candidate]:
    """Return the backends of ``platform``, the preferred one first."""
    if platform == "darwin":
        return (_MACOS,)
    if platform == "win32":
        return (_WINDOWS,)
    return (_SECRET_SERVICE,)


def open_backend(among: Sequence[Candidate]) -> tuple[Candidate, Backend]:
    """Return the first backend that works here. Blocks.

    Raises:
        KeyringMissing: none does; the detail says why.
        KeyringUnsafe: an import gave another class than the one on the list.
    """
    reasons = []
    for candidate in among:
        try:
            made = _load(candidate)
            _ = made.priority  # raises where the backend cannot work here
        except KeyringUnsafe:
            raise
        except Exception as error:  # noqa: BLE001  # whatever its libraries raise means that it cannot be had
            reasons.append(f"{candidate.place}: {_one_line(error)}")
            continue
        backend = object.__new__(made)
        for name, value in candidate.state.items():
            setattr(backend, name, value)
        return candidate, cast(Backend, backend)
    raise KeyringMissing(f"{_MISSING} ({'; '.join(reasons)})")


def read(backend: Backend, service: str, username: str) -> str | None:
    """Return the secret, None where there is none.

    Raises:
        VaultError: as `failure` sorts it.
    """
    try:
        return backend.get_password(service, username)
    except Exception as error:
        raise failure(error) from error


def write(backend: Backend, service: str, username: str, value: str) -> None:
    """Keep ``value``, and make sure that it is kept.

    Raises:
        KeyringForgetful: what is read back is another.
        VaultError: as `failure` sorts it.
    """
    try:
        backend.set_password(service, username, value)
        kept = backend.get_password(service, username)
    except Exception as error:
        raise failure(error) from error
    if kept is None or not secrets.compare_digest(kept.encode(), value.encode()):
        raise KeyringForgetful(
            "the keyring took a secret and did not give it back; use another keyring, or set `key_file = true` under "
            "[vault] in the settings file"
        )


def forget(backend: Backend, service: str, username: str) -> None:
    """Delete the secret.

    Raises:
        VaultError: as `failure` sorts it.
    """
    try:
        backend.delete_password(service, username)
    except Exception as error:
        raise failure(error) from error


def probe(backend: Backend) -> None:
    """Write, read, compare and delete a random value of one line. Blocks.

    Raises:
        VaultError: one of these does not work.
    """
    username, value = secrets.token_hex(8), secrets.token_urlsafe(32)
    try:
        write(backend, PROBE_SERVICE, username, value)
    except KeyringForgetful:
        _forget_quietly(backend, username)
        raise
    forget(backend, PROBE_SERVICE, username)


def failure(error: Exception) -> VaultError:
    """Return what ``error`` of a backend means to a person; the libraries beneath raise whatever they like."""
    if isinstance(error, VaultError):
        return error
    # The frames of the failed call hold the secret, and a connection to the bus that only the collector would close.
    traceback.clear_frames(error.__traceback__)
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"KeyringLocked", "LockedException", "PromptDismissedException"}:
        return KeyringLocked(_LOCKED)
    if "InitError" in names:  # the prompt to make or open the collection was dismissed, or could not be shown
        return KeyringLocked(f"{_LOCKED} ({_one_line(error)})")
    if names & {"SecretServiceNotAvailableException", "NoKeyringError"} or isinstance(error, OSError | EOFError):
        return KeyringMissing(f"{_MISSING} ({_one_line(error)})")
    return KeyringFailed(
        f"the keyring failed ({_one_line(error)}); restart it, or set `key_file = true` under [vault] in the settings "
        "file"
    )


def ignored_settings(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the variables that steer `keyring` elsewhere and are not obeyed here."""
    return sorted(name for name in environment if name.startswith(_ENVIRONMENT))


def _load(candidate: Candidate) -> type[Any]:
    made = candidate.load()
    name = f"{made.__module__}.{made.__qualname__}"
    if name != candidate.name:
        raise KeyringUnsafe(f"{candidate.name} is not what it says but {name}; reinstall tollbridge and keyring")
    return made


def _forget_quietly(backend: Backend, username: str) -> None:
    try:
        backend.delete_password(PROBE_SERVICE, username)
    except Exception:  # noqa: BLE001  # it forgot by itself: that is what is told
        return


def _one_line(error: Exception) -> str:
    """Return what ``error`` says, short and on one line; a keyring's errors do not carry secrets."""
    return (" ".join(str(error).split()) or type(error).__name__)[:200]
