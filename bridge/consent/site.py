"""Which site a client belongs to, as people tell sites apart: by the registrable domain (publicsuffix.org)."""

from functools import cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList


def registrable_domain(client_id: str) -> str | None:
    """Return the domain that somebody has registered, in ASCII: ``example.co.uk`` of ``https://a.example.co.uk``.

    None for programs, addresses, ``localhost`` and names that are a public suffix themselves.
    """
    host = urlsplit(client_id).hostname if client_id.startswith(("https://", "http://")) else None
    if host is None or _is_address(host):
        return None
    found: str | None = _suffixes().privatesuffix(host)
    return found


def site_of(client_id: str) -> str:
    """Return what counts as one asker: the registrable domain, else the client itself."""
    return registrable_domain(client_id) or client_id


def _is_address(host: str) -> bool:
    for kind in (IPv4Address, IPv6Address):
        try:
            kind(host)
        except AddressValueError:
            continue
        return True
    return False


@cache
def _suffixes() -> PublicSuffixList:
    # 40 ms and some MB, at the first request of a page: most starts of the daemon never come to it.
    return PublicSuffixList()
