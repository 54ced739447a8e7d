"""Questions of each kind, as values, and a clock that is moved by hand."""

import msgspec

from bridge.consent.approvals import digest
from bridge.consent.requests import CommandRequest
from oauth.models import AuthorizationRequest, DeviceRequest

SCOPES = frozenset({"amp:read", "amp:control"})


class Hand:
    """A clock that is moved by hand, in seconds."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def page(origin: str = "https://a.example", **changes: object) -> AuthorizationRequest:
    asked = AuthorizationRequest(
        client_id=origin, redirect_uri=f"{origin}/", scopes=SCOPES, challenge="c", dpop_jkt="k" * 43
    )
    return msgspec.structs.replace(asked, **changes)


def device(origin: str = "https://tv.example", **changes: object) -> DeviceRequest:
    asked = DeviceRequest(id="id", client_id=origin, scopes=SCOPES, dpop_jkt="k" * 43)
    return msgspec.structs.replace(asked, **changes)


def command(origin: str = "https://a.example", params: bytes = b"{}", **changes: object) -> CommandRequest:
    raw = msgspec.Raw(params)
    asked = CommandRequest(
        client_id=origin,
        scopes=frozenset({"amp:control"}),
        pairing="p1",
        app="amp",
        command="explode",
        summary="Be dangerous.",
        params=raw,
        digest=digest(raw),
    )
    return msgspec.structs.replace(asked, **changes)
