"""Whether the keyring can be used, tried where it matters: in the daemon, whose session and environment count."""

import msgspec
from aiohttp import web

from oauth.vault import Vault


class Keyring:
    """The keyring's route."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def check(self, request: web.Request) -> web.Response:
        """``POST /v1/keyring``: try the place of the master key; takes as long as the vault's deadline at most."""
        del request
        report = await self._vault.probe()
        return web.Response(body=msgspec.json.encode(report), content_type="application/json")
