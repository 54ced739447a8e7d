"""Where the one master key lives (32 bytes): in the desktop's keyring, or, if the owner said so, in a private file.

The key is made once, at its first use and never on the way to ready, and is never replaced while something is sealed
with it. A small record in the state folder (``vault.json``) says where it lies, under which name, and by a check value
whether what is found there is still the same key. A keyring that fails is never replaced by the file: only the setting
``[vault] key_file`` does that.
"""

import hmac
import logging
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec

from oauth import base64url, keyrings
from oauth.errors import KeyDamaged, KeyElsewhere, KeyMissing, KeyringSilent, VaultError
from oauth.keyrings import Candidate
from oauth.lane import Lane
from oauth.places import KEY_FILE, FilePlace, KeyringPlace, Place, PrivateFiles
from oauth.secret import Secret

KEY_BYTES = 32
DEADLINE_SECONDS = 5.0
"""How long anybody waits for the keyring. A person who is asked for a password may take longer: the next try has it."""

RECORD = "vault.json"
_LOCK = "vault.lock"
_POLL_SECONDS = 0.02
_NAMES = {"keyring": "the keyring", "key_file": "the key file"}

PlaceName = Literal["keyring", "key_file"]

_logger = logging.getLogger(__name__)


class Record(msgspec.Struct, frozen=True):
    """What is known about the key: its place, its name there (one to each installation), and its check value."""

    place: PlaceName
    id: str
    check: str


class Report(msgspec.Struct, frozen=True):
    """What a probe found.

    ``result`` is "works" or an error's code, ``remedy`` what to do about it (empty where it works); ``backend`` the
    class in use, None where there is none; ``ignored`` the environment variables that would have steered `keyring`.
    """

    place: PlaceName
    where: str
    backend: str | None
    result: str
    remedy: str
    notes: tuple[str, ...]
    ignored: tuple[str, ...]


class Vault:
    """Holds the master key. Made at start, which touches nothing; used on the event loop's thread.

    ``folder`` is the state folder; ``among`` are the backends that may be used, the preferred one first.
    """

    def __init__(
        self,
        folder: Path,
        files: PrivateFiles,
        *,
        key_file: bool,
        among: Sequence[Candidate] | None = None,
        seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._folder = folder
        self._files = files
        self._place: PlaceName = "key_file" if key_file else "keyring"
        self._among = keyrings.candidates() if among is None else among
        self._seconds = seconds
        self._lane = Lane("vault")
        self._key: Secret[bytes] | None = None

    async def master_key(self, *, has_rows: bool) -> Secret[bytes]:
        """Return the key (32 bytes), made now if it was never needed before; ``has_rows``: something is sealed with it.

        Any number of first uses at a time, in this process or another one, get the same key.

        Raises:
            KeyMissing, KeyDamaged, KeyElsewhere: there are rows that no key at hand opens: the person logs in again.
            VaultError: the keyring cannot be used now; the message says what to do.
        """
        if self._key is None:
            await self._lane.run(partial(self._settle, has_rows=has_rows), self._seconds)
        assert self._key is not None  # noqa: S101  # `_settle` sets it or raises
        return self._key

    async def probe(self) -> Report:
        """Try the place of the key with a random value, and tell how that went.

        A key file is looked at, too, and a record; nothing that is there is changed.
        """
        found: list[Candidate] = []
        try:
            await self._lane.run(partial(self._try, found), self._seconds)
        except VaultError as error:
            return self._report(found, error.code, str(error))
        return self._report(found, "works", "")

    def _report(self, found: Sequence[Candidate], result: str, remedy: str) -> Report:
        where = str(self._folder / KEY_FILE)
        if self._place == "keyring":
            where = found[0].place if found else "no keyring"
        return Report(
            place=self._place,
            where=where,
            backend=found[0].name if found else None,
            result=result,
            remedy=remedy,
            notes=tuple(note for note in self._notes() if note != remedy),
            ignored=tuple(keyrings.ignored_settings()),
        )

    def _notes(self) -> Iterator[str]:
        try:
            record = self._record()
        except KeyDamaged as error:
            yield str(error)
            return
        file = self._folder / KEY_FILE
        is_file_there = os.path.lexists(file)
        if record is None and not (self._place == "key_file" and is_file_there):
            yield "no key has been made yet; it is made at the first log-in to a remote service"
        if record is not None and record.place != self._place:
            yield f"the key lies in {_NAMES[record.place]}, which is not the place that the settings name"
        if self._place == "keyring" and is_file_there:
            yield f"{file} is not used; remove it, or set `key_file = true` under [vault]"

    # --- in the vault's thread ---------------------------------------------------------------------------------------

    def _open(self, found: list[Candidate]) -> Place:
        """Return the place that the settings name; the backend that was chosen is added to ``found``."""
        if self._place == "key_file":
            return FilePlace(self._folder, self._files)
        candidate, backend = keyrings.open_backend(self._among)
        found.append(candidate)
        return KeyringPlace(backend)

    def _try(self, found: list[Candidate]) -> None:
        place = self._open(found)
        place.probe()
        record = self._record()
        if self._place == "key_file" and (line := place.read("")) is not None:
            is_recorded = record is not None and record.place == self._place
            self._key_in(line, record if is_recorded else None)

    def _settle(self, *, has_rows: bool) -> None:
        """Read or make the key. An earlier call in this thread may have done so after its caller gave up."""
        if self._key is None:
            place = self._open([])
            with self._locked():
                self._key = Secret(self._find(place, has_rows=has_rows) or self._make(place))

    def _find(self, place: Place, *, has_rows: bool) -> bytes | None:
        """Return the key that is there; None where one may be made, because there is none or nothing is sealed."""
        record = self._record()
        if record is None:
            return self._adopt(place, has_rows=has_rows)
        try:
            return self._read(place, record)
        except (KeyMissing, KeyDamaged, KeyElsewhere) as error:
            if has_rows:
                raise
            _logger.warning("a new master key is made, as nothing is sealed with the old one", extra={"error": error})
        return None

    def _adopt(self, place: Place, *, has_rows: bool) -> bytes | None:
        """Return a key whose record was lost: in the file it can be found, in the keyring its name is not known."""
        line = place.read("") if self._place == "key_file" else None
        key = None if line is None else self._key_in(line, None)
        if key is not None:
            self._remember(Record(self._place, secrets.token_urlsafe(12), _check_value(key)))
        elif has_rows:
            raise KeyMissing(f"{self._folder / RECORD} is gone, and with it the key; log in again to each service")
        return key

    def _read(self, place: Place, record: Record) -> bytes:
        if record.place != self._place:
            wanted = "true" if record.place == "key_file" else "false"
            raise KeyElsewhere(
                f"the key lies in {_NAMES[record.place]}, but the settings name {_NAMES[self._place]}: set "
                f"`key_file = {wanted}` under [vault], or log in again to each remote service"
            )
        line = place.read(record.id)
        if line is None:
            raise KeyMissing(f"{_NAMES[record.place]} no longer has the key; log in again to each remote service")
        return self._key_in(line, record)

    def _key_in(self, line: str, record: Record | None) -> bytes:
        """Return the key that ``line`` holds; with a record, it must be the recorded one."""
        where = self._folder / KEY_FILE if self._place == "key_file" else _NAMES[self._place]
        remedy = "put the right one back, or remove it and log in again to each remote service"
        key = _parsed(line)
        if key is None:
            raise KeyDamaged(f"{where} is damaged, it does not hold a key; {remedy}")
        if record is not None and not hmac.compare_digest(_check_value(key), record.check):
            raise KeyDamaged(f"{where} has another key than the one that was put there; {remedy}")
        return key

    def _make(self, place: Place) -> bytes:
        """Make a key under a name of its own, so that none is overwritten; it is recorded once it is safely kept."""
        key = secrets.token_bytes(KEY_BYTES)
        record = Record(self._place, secrets.token_urlsafe(12), _check_value(key))
        place.write(record.id, base64url.encode(key))
        self._remember(record)
        return key

    def _record(self) -> Record | None:
        file = self._folder / RECORD
        try:
            return msgspec.json.decode(self._files.read_private(file), type=Record)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise KeyDamaged(f"{file} is damaged; remove it, and log in again to each remote service") from error

    def _remember(self, record: Record) -> None:
        self._files.write_private(self._folder / RECORD, msgspec.json.encode(record) + b"\n")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the vault's lock, so that no two processes both make a key; the kernel releases it however we end."""
        descriptor = self._files.open_private(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, repair=True)
        try:
            deadline = time.monotonic() + self._seconds
            while not _try_lock(descriptor):
                if time.monotonic() > deadline:
                    raise KeyringSilent("another process of yours is at the key; wait for it, or end it")
                time.sleep(_POLL_SECONDS)
            yield
        finally:
            os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    if os.name != "posix":
        return True  # the daemon's own lock keeps it to one process a state folder
    import fcntl  # exists on POSIX alone

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _check_value(key: bytes) -> str:
    """Return what tells this key from another one, and nothing else about it (HMAC-SHA256, cut to 128 bits)."""
    return base64url.encode(hmac.digest(key, b"tollbridge master key check", "sha256")[:16])


def _parsed(line: str) -> bytes | None:
    try:
        key = base64url.decode(line)
    except ValueError:
        return None
    return key if len(key) == KEY_BYTES else None
