"""Device codes (RFC 8628): 256 bits, in memory, polled by their client until the owner has answered, good once."""

import secrets

import msgspec

from oauth.errors import AccessDenied, AuthorizationPending, ExpiredToken, InvalidGrant, SlowDown
from oauth.models import Asked, Clock, DeviceRequest, token_id
from oauth.server.codes import Yes

DEVICE_SECONDS = 600
"""How long the owner may take."""
INTERVAL_SECONDS = 5
"""How long a client waits between two polls; each poll that comes too early makes it longer by this, for good."""
UNPOLLED_SECONDS = 60.0
"""A client that has not polled for this long, or for twice its interval, has given up."""
MAX_DEVICES = 64
"""Codes at once; one more ends the oldest whose request is over, so that nobody who asks often ends another's."""


class _Device(msgspec.Struct):
    request: DeviceRequest
    ends_at: float
    heard_at: float
    """When its client asked last, or first, to begin."""
    interval: float = INTERVAL_SECONDS
    is_polled: bool = False
    yes: Yes | None = None
    is_denied: bool = False
    is_dropped: bool = False


class Devices:
    """All device codes of this process; they die with it. ``id`` is the hash of a code."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._live: dict[str, _Device] = {}

    def make(self, asked: Asked) -> tuple[str, DeviceRequest]:
        """Return a new code, and the request that the owner is to be asked."""
        now = self._clock()
        for name in [name for name, device in self._live.items() if device.ends_at <= now]:
            del self._live[name]
        if len(self._live) >= MAX_DEVICES:
            over = (name for name, device in self._live.items() if device.is_dropped)
            del self._live[next(over, next(iter(self._live)))]
        code = secrets.token_urlsafe(32)
        request = DeviceRequest(
            id=token_id(code),
            client_id=asked.client_id,
            scopes=asked.scopes,
            is_development=asked.is_development,
            dpop_jkt=asked.dpop_jkt,
        )
        self._live[request.id] = _Device(request, ends_at=now + DEVICE_SECONDS, heard_at=now)
        return code, request

    def is_waited_for(self, name: str) -> bool:
        """Say whether the client of this code still polls for an answer."""
        device = self._live.get(name)
        now = self._clock()
        return (
            device is not None
            and now < device.ends_at
            and now - device.heard_at < max(UNPOLLED_SECONDS, 2 * device.interval)
        )

    def allow(self, name: str, yes: Yes) -> None:
        """Let the next poll have tokens; without effect where the code is over."""
        if name in self._live:
            self._live[name].yes = yes

    def deny(self, name: str) -> None:
        """Let the next poll be told no."""
        if name in self._live:
            self._live[name].is_denied = True

    def drop(self, name: str) -> None:
        """Let the next poll be told that nobody is asked any more."""
        if name in self._live:
            self._live[name].is_dropped = True

    def poll(self, code: str, client_id: str, jkt: str | None) -> Yes:
        """Return the owner's yes and end the code, in one step (RFC 8628 3.5).

        Client and key are looked at first: in a stranger's hands a code tells nothing, and lives.

        Raises:
            InvalidGrant: it is unknown, used, or another client's or key's.
            AuthorizationPending: the owner has not answered.
            SlowDown: that, and the client asks too often.
            AccessDenied: the owner said no.
            ExpiredToken: it is out of time, or another request has taken its place.
        """
        name = token_id(code)
        device = self._live.get(name)
        if device is None or device.request.client_id != client_id or device.request.dpop_jkt not in (None, jkt):
            raise InvalidGrant("the device code is unknown, used, or bound to another client or key")
        now = self._clock()
        if device.yes is None and not device.is_denied and not device.is_dropped and now < device.ends_at:
            raise self._wait(device, now)
        del self._live[name]
        if device.is_denied:
            raise AccessDenied("the owner said no")
        if device.yes is None or now >= device.ends_at:
            raise ExpiredToken("the device code is out of time, or a newer request took its place; ask anew")
        return device.yes

    def _wait(self, device: _Device, now: float) -> SlowDown | AuthorizationPending:
        is_early = device.is_polled and now - device.heard_at < device.interval
        device.heard_at, device.is_polled = now, True
        if is_early:
            device.interval += INTERVAL_SECONDS
            return SlowDown(f"ask every {device.interval:g} seconds at most")
        return AuthorizationPending("the owner has not answered yet; go on asking")
