"""What has come to its end, what is left of it, and which token goes where there are too many: pure."""

from collections.abc import Iterable, Iterator

import msgspec

from oauth.models import AccessToken, Grant, Pairing, RefreshToken
from oauth.state import Record, State

Tokens = Iterable[AccessToken] | Iterable[RefreshToken]


def is_live(state: State, pairing: Pairing, now: float) -> bool:
    """Say whether a pairing still has a token which lives."""
    # Asked at each call and event of a session: the first token that is looked at mostly lives.
    refresh, access = state.refresh_of.get(pairing.id, ()), state.access_of.get(pairing.id, ())
    return any(state.refresh_tokens[name].ends_at > now for name in refresh) or any(
        state.access_tokens[name].expires_at > now for name in access
    )


def dead_pairings(state: State, now: float) -> Iterator[Pairing]:
    """Yield the pairings without a token that lives, or without a grant."""
    for pairing in tuple(state.pairings.values()):
        if pairing.grant_id not in state.grants or not is_live(state, pairing, now):
            yield pairing


def dead_tokens(state: State, now: float) -> Iterator[Record]:
    """Yield the tokens that are out of time."""
    yield from [token for token in state.access_tokens.values() if token.expires_at <= now]
    yield from [token for token in state.refresh_tokens.values() if token.ends_at <= now]


def remembered_no(grant: Grant) -> Grant | None:
    """Return what is left of a yes that has come to its end: the keys that were told no; None: nothing is."""
    if not grant.denied_keys or not grant.is_allowed or grant.is_development:
        return None
    return msgspec.structs.replace(grant, is_allowed=False, scopes=frozenset(), limits={}, salt=None, ends_at=None)


def surplus(tokens: Tokens, bound: int) -> list[AccessToken | RefreshToken]:
    """Return those beyond ``bound``: used refresh tokens first, then by age."""
    oldest: list[AccessToken | RefreshToken] = sorted(tokens, key=_order)
    return oldest[: max(0, len(oldest) - bound)]


def _order(token: AccessToken | RefreshToken) -> tuple[bool, float]:
    if isinstance(token, AccessToken):
        return False, token.expires_at
    return token.rotated_at is None, token.ends_at
