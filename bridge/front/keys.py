"""Typed keys of what a request carries from one middleware to the next."""

from aiohttp import web

from bridge.front.policy import Speaker
from bridge.messages import Caller

SPEAKER: web.RequestKey[Speaker] = web.RequestKey("speaker", Speaker)
CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)
KEY: web.RequestKey[str] = web.RequestKey("key", str)
"""The thumbprint of the key that the request proved."""
NONCE: web.RequestKey[str] = web.RequestKey("nonce", str)
"""The DPoP-Nonce that the answer carries."""
CHALLENGE: web.RequestKey[str] = web.RequestKey("challenge", str)
"""What a 401 answers as WWW-Authenticate."""
