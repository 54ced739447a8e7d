"""The authorization request, and the URLs that answer it: pure (RFC 6749 4.1, RFC 7636, RFC 9207, RFC 9449 10)."""

import re
from typing import NoReturn
from urllib.parse import urlencode, urlsplit

from oauth import pkce
from oauth.errors import EndpointError, InvalidRequest, InvalidScope, RequestRefused, UnsupportedResponseType
from oauth.models import AuthorizationRequest
from oauth.scopes import parse_scopes
from oauth.server.clients import Client, parse_client
from oauth.server.forms import Form, read_form

MAX_QUERY_CHARS = 8192
MAX_STATE_CHARS = 1024

_STATE = re.compile(r"[\x20-\x7e]+", re.ASCII)  # RFC 6749 appendix A.5
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def read_request(query: str, base: str, askable: frozenset[str]) -> AuthorizationRequest:
    """Return the request in ``query``; ``base`` is the daemon's own, ``askable`` the scopes that exist.

    Client and redirect URI come first: until both are trusted, nobody but the person may be told of an error.

    Raises:
        RequestRefused: the request is not valid; ``redirect`` tells the client, where it may be told.
    """
    try:
        if len(query) > MAX_QUERY_CHARS:
            _refuse("the request is longer than 8192 characters")
        form = read_form(query)
        client = parse_client(_needed(form, "client_id"), base)
        redirect_uri = _needed(form, "redirect_uri")
    except EndpointError as error:
        raise RequestRefused(error.code, str(error)) from error
    if not client.may_redirect_to(redirect_uri):
        raise RequestRefused(
            "invalid_redirect_uri",
            "redirect_uri is a URL on the page's own origin, or http://127.0.0.1 with a port for a program",
        )
    try:
        return _request(form.single(), client, askable)
    except EndpointError as error:
        answer = {"error": error.code, "error_description": str(error)}
        # A program's address can be any port of this computer, and any page can name it: nobody is sent there unasked.
        redirect = None if client.origin is None else answer_url(base, redirect_uri, _state(form), answer)
        raise RequestRefused(error.code, str(error), redirect=redirect) from error


def answer_url(base: str, redirect_uri: str, state: str | None, answer: dict[str, str]) -> str:
    """Return ``redirect_uri`` with ``answer``, the request's ``state`` and our ``iss`` (RFC 9207) in its query."""
    parameters = {**answer, **({} if state is None else {"state": state}), "iss": base}
    separator = "&" if urlsplit(redirect_uri).query else "?"
    return f"{redirect_uri.removesuffix('?')}{separator}{urlencode(parameters)}"


def askable_scopes(scope: str, askable: frozenset[str]) -> frozenset[str]:
    """Return the scopes in ``scope``.

    Raises:
        InvalidScope: it is malformed, or names one that is not in ``askable``.
    """
    scopes = parse_scopes(scope)
    if not scopes <= askable:
        raise InvalidScope("ask for scopes that an app here has declared")
    return scopes


def _request(fields: dict[str, str], client: Client, askable: frozenset[str]) -> AuthorizationRequest:
    if "response_type" not in fields:
        _refuse("response_type is missing")
    if fields["response_type"] != "code":
        raise UnsupportedResponseType("response_type is code")
    if fields.get("response_mode", "query") != "query":
        _refuse("response_mode is query")
    state = fields.get("state")
    if state is not None and not _is_state(state):
        _refuse("state is at most 1024 printable ASCII characters")
    return AuthorizationRequest(
        client_id=client.id,
        is_development=client.is_development,
        redirect_uri=fields["redirect_uri"],
        scopes=askable_scopes(fields.get("scope", ""), askable),
        challenge=pkce.check_challenge(fields.get("code_challenge"), fields.get("code_challenge_method")),
        state=state,
        dpop_jkt=named_key(fields.get("dpop_jkt"), client),
    )


def named_key(jkt: str | None, client: Client) -> str | None:
    """Return the thumbprint ``jkt`` of the key that the tokens are to be bound to; None: a program need not have one.

    Raises:
        InvalidRequest: it is malformed, or missing where a page asks.
    """
    if jkt is None and client.needs_proof:
        _refuse("a page sends dpop_jkt, the thumbprint of its key (RFC 9449 10)")
    if jkt is not None and _THUMBPRINT.fullmatch(jkt) is None:
        _refuse("dpop_jkt is a SHA-256 thumbprint, 43 base64url characters")
    return jkt


def _needed(form: Form, name: str) -> str:
    if name not in form.fields:
        _refuse(f"{name} is missing, empty or sent more than once")
    return form.fields[name]


def _state(form: Form) -> str | None:
    """Return the state that an error may carry back."""
    state = form.fields.get("state")
    return state if state is not None and _is_state(state) else None


def _is_state(state: str) -> bool:
    return len(state) <= MAX_STATE_CHARS and _STATE.fullmatch(state) is not None


def _refuse(what: str) -> NoReturn:
    raise InvalidRequest(what)
