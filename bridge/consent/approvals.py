"""A yes to one dangerous command: bound to who asked, to the command and to its parameters; good once, for 60 s."""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from bridge.consent.requests import COMMAND_SECONDS, CommandRequest
from bridge.messages import Caller

DENIED_SECONDS = 60.0
"""After a no the same command is not asked about again for so long."""
MAX_ANSWERS = 256
"""Answers kept at once; the oldest goes first, and is asked about again."""


class Wanted(NamedTuple):
    """What a yes is for."""

    client: str
    pairing: str
    command: str
    digest: bytes


QUIET_SECONDS = 24 * 3600.0
"""After a no to any command, what its client asks raises no notification for so long, until a yes to one of them."""


class _Answer(NamedTuple):
    is_allowed: bool
    ends_at: float


class Approvals:
    """The answers; ``clock`` is monotonic, in seconds. They die with the process."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._answers: dict[Wanted, _Answer] = {}
        self._denied_at: dict[str, float] = {}  # by client, of which as many have grants as the owner allowed

    def take(self, wanted: Wanted) -> bool | None:
        """Return the owner's answer: a yes is used up by it; None: there is none that still holds."""
        answer = self._answers.get(wanted)
        if answer is None:
            return None
        if self._clock() >= answer.ends_at:
            del self._answers[wanted]
            return None
        if answer.is_allowed:
            del self._answers[wanted]
        return answer.is_allowed

    def was_denied(self, client_id: str) -> bool:
        """Say whether the last command of this client that was answered got a no, within a day."""
        denied_at = self._denied_at.get(client_id)
        return denied_at is not None and self._clock() - denied_at < QUIET_SECONDS

    def answer(self, request: CommandRequest, *, is_allowed: bool) -> None:
        """Keep the owner's answer."""
        life = COMMAND_SECONDS if is_allowed else DENIED_SECONDS
        self._answers.pop(wanted_of(request), None)
        self._denied_at.pop(request.client_id, None)
        if not is_allowed:
            self._denied_at[request.client_id] = self._clock()
        self._answers[wanted_of(request)] = _Answer(is_allowed, self._clock() + life)
        if len(self._answers) > MAX_ANSWERS:
            del self._answers[next(iter(self._answers))]


def wanted(caller: Caller, command: str, params: msgspec.Raw) -> Wanted:
    """Return what a caller wants to run: ``command`` is ``APP.NAME``."""
    return Wanted(caller.client, caller.pairing or "", command, digest(params))


def wanted_of(request: CommandRequest) -> Wanted:
    """Return what a request asks for."""
    return Wanted(request.client_id, request.pairing, f"{request.app}.{request.command}", request.digest)


def digest(params: msgspec.Raw) -> bytes:
    """Return the SHA-256 of parameters: the same for the same values, however they are spaced or ordered."""
    return hashlib.sha256(msgspec.json.encode(msgspec.json.decode(params), order="sorted")).digest()
