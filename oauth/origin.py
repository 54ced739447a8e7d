"""The grammar of web origins that may be clients: as browsers write them in ``Origin``, compared byte for byte.

The same function decides what a client is called and who may speak at all, so the two can never disagree.
"""

import re
from ipaddress import AddressValueError, IPv4Address

from oauth.errors import MalformedOrigin

MAX_HOST_CHARS = 253
"""RFC 1035 2.3.4, without the root dot."""

_DEFAULT_PORTS = {"https": 443, "http": 80}
_LOOPBACK_HOSTS = frozenset(("localhost", "127.0.0.1"))

# Underscores are no LDH, but such hosts exist and browsers send them.
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_ORIGIN = re.compile(rf"(https|http)://({_LABEL}(?:\.{_LABEL})*)(?::([1-9][0-9]{{0,4}}))?", re.ASCII)

# WHATWG URL, "ends in a number": such a host is an IPv4 address or nothing.
_NUMERIC_END = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)", re.ASCII)


def parse_origin(text: str) -> str:
    """Return ``text`` if it is ``https://HOST[:PORT]``, ``http://localhost[:PORT]`` or ``http://127.0.0.1[:PORT]``.

    Lower case, no default port, no path, no user; IPv6 and ``null`` are not origins that may be clients.

    Raises:
        MalformedOrigin: it is anything else.
    """
    match = _ORIGIN.fullmatch(text)
    if match is None:
        raise MalformedOrigin("an origin is https://host, http://localhost:port or http://127.0.0.1:port")
    scheme, host, port = match.groups()
    if scheme == "http" and host not in _LOOPBACK_HOSTS:
        raise MalformedOrigin("http is for localhost and 127.0.0.1; other hosts need https")
    if port is not None and (int(port) > 65535 or int(port) == _DEFAULT_PORTS[scheme]):
        raise MalformedOrigin("leave the default port out; other ports are 1 to 65535")
    if len(host) > MAX_HOST_CHARS or not _is_canonical_host(host):
        raise MalformedOrigin("the host is not written as browsers write it")
    return text


def is_development(origin: str) -> bool:
    """Say whether ``origin`` (parsed before) is a page on this computer, whose grants are short."""
    return origin.startswith("http://")


def _is_canonical_host(host: str) -> bool:
    if _NUMERIC_END.fullmatch(host.rpartition(".")[2]) is None:
        return True
    try:
        return str(IPv4Address(host)) == host
    except AddressValueError:
        return False
