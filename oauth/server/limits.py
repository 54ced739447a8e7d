"""How ends of scopes are put together: for a key, and for what people see of all keys of a client. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from oauth.models import Grant

NO_LIMITS: Mapping[str, float] = MappingProxyType({})


def merged(old: Mapping[str, float], kept: frozenset[str], new: Mapping[str, float]) -> dict[str, float]:
    """Return the ends of what is ``kept``, as they were, and those in ``new``."""
    return {scope: end for scope, end in old.items() if scope in kept} | dict(new)


def with_scopes(grant: Grant, scopes: frozenset[str], limits: Mapping[str, float]) -> Grant:
    """Return ``grant`` with ``scopes`` among what its keys may do: the later end of each counts.

    It ends with the last of them; one scope without an end keeps it.
    """
    ends = {scope: grant.limits.get(scope, grant.ends_at) for scope in grant.scopes}
    for scope in scopes:
        new, known = limits.get(scope), ends.get(scope, 0.0)
        ends[scope] = None if new is None or known is None else max(new, known)
    limited = {scope: end for scope, end in ends.items() if end is not None}
    ends_at = max(limited.values()) if len(limited) == len(ends) and limited else None
    return msgspec.structs.replace(grant, is_allowed=True, scopes=frozenset(ends), limits=limited, ends_at=ends_at)
