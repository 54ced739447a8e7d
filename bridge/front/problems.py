"""One place turns exceptions into answers, and stamps every answer with the headers that all of them carry."""

import logging

import msgspec
from aiohttp import web

from bridge.errors import BridgeError, Internal, Problem
from bridge.front.keys import CHALLENGE, NONCE, SPEAKER
from bridge.front.route import pattern

logger = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"
_EXPOSED = "DPoP-Nonce, ETag, Location, Retry-After, WWW-Authenticate, Idempotent-Replayed"


def answer_error(request: web.Request, error: Exception) -> web.Response:
    """Return ``error`` as ``application/problem+json``; an unforeseen one keeps its trace in the log."""
    if isinstance(error, BridgeError):
        return problem_response(error.problem(), challenge=request.get(CHALLENGE))
    logger.error("a request failed", exc_info=error, extra={"method": request.method, "path": pattern(request)})
    return problem_response(Internal("the daemon's log has the trace").problem())


def problem_response(problem: Problem, *, challenge: str | None = None) -> web.Response:
    """Return ``problem`` as an answer (RFC 9457); 401 carries ``challenge`` as WWW-Authenticate (RFC 9110 11.6.1)."""
    response = web.Response(status=problem.status, body=msgspec.json.encode(problem), content_type=PROBLEM_TYPE)
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(max(1, round(problem.retry_after)))
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = challenge or "DPoP"
    return response


def stamp(request: web.Request, response: web.StreamResponse) -> None:
    """Add what every answer carries; runs just before the head is written."""
    headers = response.headers
    del headers["Server"]
    headers["Cache-Control"] = "no-store"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"  # what another site's page embeds without CORS stays shut
    headers["Vary"] = "Origin"
    nonce = request.get(NONCE)
    if nonce is not None:
        headers["DPoP-Nonce"] = nonce
    speaker = request.get(SPEAKER)
    if speaker is not None and speaker.sent:
        headers["Access-Control-Allow-Origin"] = speaker.origin
        headers["Access-Control-Expose-Headers"] = _EXPOSED
