"""Token exchange (RFC 8693), for one purpose: an activation link becomes the owner's tokens in this browser."""

from collections.abc import Mapping

from oauth.errors import InvalidRequest, InvalidScope, InvalidTarget
from oauth.models import Clock
from oauth.scopes import OWNER
from oauth.tickets import Tickets

ACTIVATION_LINK = "urn:tollbridge:token-type:activation-link"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105  # RFC 8693 3, a name

ACTIVATION_SECONDS = 120
MAX_ACTIVATIONS = 8
"""Unused links at once; one more ends the oldest."""


def activation_links(clock: Clock) -> Tickets[None]:
    """Return the place of the links that have not been exchanged yet."""
    return Tickets[None]("activation link", life=ACTIVATION_SECONDS, bound=MAX_ACTIVATIONS, clock=clock)


def read_exchange(fields: Mapping[str, str], base: str) -> str:
    """Return the secret that is to be exchanged; it is not looked at yet.

    Raises:
        InvalidRequest: another kind of token is offered or asked for, or an actor is named.
        InvalidScope: another scope than ``owner`` is asked for.
        InvalidTarget: the token is to be for another resource.
    """
    secret = fields.get("subject_token")
    if secret is None or fields.get("subject_token_type") != ACTIVATION_LINK:
        raise InvalidRequest(f"subject_token is an activation link secret, subject_token_type {ACTIVATION_LINK}")
    if "actor_token" in fields or "actor_token_type" in fields:
        raise InvalidRequest("nobody acts for the owner here; leave actor_token out")
    if fields.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
        raise InvalidRequest("requested_token_type is an access token")
    if fields.get("scope", OWNER) != OWNER:
        raise InvalidScope("an activation link gives the scope owner")
    if {fields.get("resource", base), fields.get("audience", base)} != {base}:
        raise InvalidTarget("the token is for this daemon alone")
    return secret
