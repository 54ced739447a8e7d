"""requests_oauth2client as a program on this computer, with a bearer token and no browser of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from requests_oauth2client import OAuth2Client
from requests_oauth2client.discovery import oauth2_discovery_document_url

from tests.interop.owner import Owner


@contextmanager
def program(owner: Owner, name: str) -> Iterator[OAuth2Client]:
    """Yield the library as ``native:NAME``, with what the daemon's metadata says."""
    base = owner.daemon.base
    with requests.Session() as session:
        session.trust_env = False
        url = oauth2_discovery_document_url(base)
        yield OAuth2Client.from_discovery_endpoint(
            url,
            issuer=base,
            client_id=f"native:{name}",
            session=session,
            testing=True,  # plain http
            # The one endpoint that the library does not look for in the metadata.
            device_authorization_endpoint=session.get(url).json()["device_authorization_endpoint"],
        )
