"""The daemon's answers as the command line reads them: only the members that it shows, unknown ones skipped."""

import msgspec

from bridge.messages import Schema


class Client(msgspec.Struct, frozen=True):
    """``kind`` "page", "native" or "owner"; ``origin`` of a page, and its registrable ``domain``.

    ``development``: it is served by this computer.
    """

    id: str
    kind: str
    origin: str | None = None
    domain: str | None = None
    development: bool = False


class AskedScope(msgspec.Struct, frozen=True):
    """A scope that is asked for, in plain words."""

    scope: str
    sentence: str
    granted: bool = False


class AskedCommand(msgspec.Struct, frozen=True):
    """A dangerous command that waits for its yes; ``params`` is JSON."""

    app: str
    name: str
    summary: str
    params: msgspec.Raw


class PendingRequest(msgspec.Struct, frozen=True):
    """A client that waits for the owner's answer; ``code`` as its page shows it, ``age`` in seconds.

    ``kind`` is "authorize", "device" or "command"; ``untils`` says for how long it may be allowed, ``until`` what is
    usual.
    """

    code: str
    client: Client
    scopes: tuple[AskedScope, ...]
    age: float
    kind: str = "authorize"
    untils: tuple[str, ...] = ()
    until: str = ""
    denied_before: bool = False
    command: AskedCommand | None = None


class PendingRequests(msgspec.Struct, frozen=True):
    """``GET /oauth/requests``."""

    requests: tuple[PendingRequest, ...]


class Answered(msgspec.Struct, frozen=True):
    """``POST /oauth/requests/{code}``."""

    status: str


class GrantRow(msgspec.Struct, frozen=True):
    """The owner's remembered answer for one client; ``answer`` "allowed" or "denied"; times RFC 3339."""

    id: str
    client: Client
    answer: str
    scopes: tuple[str, ...]
    created: str
    until: str | None
    pairings: int
    sentences: tuple[str, ...] = ()
    limits: dict[str, str] = {}
    denied_keys: int = 0
    sessions: int = 0
    commands_today: int = 0


class KeyRow(msgspec.Struct, frozen=True):
    """One key, or without ``thumbprint`` one program, that uses a grant; times RFC 3339."""

    id: str
    thumbprint: str | None
    scopes: tuple[str, ...]
    created: str
    consented: str
    until: str | None
    sessions: int


class GrantDetails(GrantRow, frozen=True):
    """``GET /v1/grants/{id}``."""

    keys: tuple[KeyRow, ...] = ()


class GrantRows(msgspec.Struct, frozen=True):
    """``GET /v1/grants``."""

    grants: tuple[GrantRow, ...]


class OfferMade(msgspec.Struct, frozen=True):
    """``POST /v1/offers``; ``expires_in`` in seconds."""

    id: str
    link: str
    expires_in: float


class OfferRow(msgspec.Struct, frozen=True):
    """An offer of the owner's: ``command`` with ``params``, ``used`` of ``uses`` times; times RFC 3339."""

    id: str
    command: str
    params: dict[str, object]
    uses: int
    used: int
    created: str
    until: str


class OfferRows(msgspec.Struct, frozen=True):
    """``GET /v1/offers``."""

    offers: tuple[OfferRow, ...]


class RefusalRow(msgspec.Struct, frozen=True):
    """What the daemon did not let speak, ``count`` times, last at ``time`` (RFC 3339), and what would change that."""

    time: str
    reason: str
    remedy: str
    method: str
    path: str
    origin: str | None
    count: int = 1


class RefusalRows(msgspec.Struct, frozen=True):
    """``GET /v1/refusals``, newest last."""

    refusals: tuple[RefusalRow, ...]


class AuditRow(msgspec.Struct, frozen=True):
    """One record of the audit; ``time`` RFC 3339; a sum of ``count`` equal facts."""

    index: int
    time: str
    kind: str
    outcome: str
    client: str | None = None
    origin: str | None = None
    subject: str | None = None
    by: str | None = None
    count: int = 1


class AuditRows(msgspec.Struct, frozen=True):
    """``GET /v1/audit``, newest last."""

    records: tuple[AuditRow, ...]


class CommandRow(msgspec.Struct, frozen=True):
    """A command that may be called; ``deadline`` in seconds."""

    name: str
    summary: str
    params: Schema
    deadline: float


class AppRow(msgspec.Struct, frozen=True):
    """An app and its commands, by name."""

    name: str
    commands: dict[str, CommandRow]


class AppRows(msgspec.Struct, frozen=True):
    """``GET /v1/apps``."""

    apps: tuple[AppRow, ...]

    def command(self, app: str, command: str) -> CommandRow | None:
        """Return the command ``app.command``, or None."""
        return next((row.commands.get(command) for row in self.apps if row.name == app), None)


class HostedApp(msgspec.Struct, frozen=True):
    """An app that the daemon hosts."""

    name: str
    title: str


class StatusAnswer(msgspec.Struct, frozen=True):
    """``GET /v1/status``; ``started`` RFC 3339, ``uptime`` in seconds."""

    version: str
    pid: int
    base: str
    socket: str
    started: str
    uptime: float
    connections: int
    sessions: int
    apps: tuple[HostedApp, ...]


class KeyringReport(msgspec.Struct, frozen=True):
    """``POST /v1/keyring``; ``place`` "keyring" or "key_file", ``result`` "works" or an error's code."""

    place: str
    where: str
    backend: str | None
    result: str
    remedy: str
    notes: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


class TokenAnswer(msgspec.Struct, frozen=True):
    """``POST /v1/tokens``; ``expires_in`` in seconds."""

    access_token: str
    expires_in: float
    scope: str


class ActivationLink(msgspec.Struct, frozen=True):
    """``POST /v1/activation-links``; ``expires_in`` in seconds."""

    link: str
    expires_in: float


class Place(msgspec.Struct, frozen=True):
    """``GET /v1/events`` by long poll, of which only the cursor is read."""

    cursor: str


class EventRow(msgspec.Struct, frozen=True):
    """An event as it travels; ``time`` RFC 3339."""

    topic: str
    name: str
    time: str
    data: msgspec.Raw
