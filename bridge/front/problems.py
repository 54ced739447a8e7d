"""One place turns exceptions into answers, and stamps every answer with the headers that all of them carry."""

import logging

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from bridge.errors import BridgeError, Internal, MethodNotAllowed, NotFound, Problem
from bridge.front.keys import CHALLENGE, SPEAKER

logger = logging.getLogger(__name__)

_EXPOSED = "DPoP-Nonce, ETag, Location, Retry-After, WWW-Authenticate, Idempotent-Replayed"


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what a handler raises into ``application/problem+json``; an unforeseen error keeps its trace in the log."""
    try:
        return await handler(request)
    except BridgeError as error:
        return problem_response(error.problem(), challenge=request.get(CHALLENGE))
    except web.HTTPNotFound:
        return problem_response(NotFound("there is nothing at this path; GET /v1/apps lists the commands").problem())
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        response = problem_response(MethodNotAllowed(f"this path takes {allowed}").problem())
        response.headers["Allow"] = allowed
        return response
    except (web.HTTPException, ConnectionError):
        raise
    except Exception:
        logger.exception("%s %s failed", request.method, request.path)
        return problem_response(Internal("the daemon's log has the trace").problem())


def problem_response(problem: Problem, *, challenge: str | None = None) -> web.Response:
    """Return ``problem`` as an answer (RFC 9457); 401 carries ``challenge`` as WWW-Authenticate (RFC 9110 11.6.1)."""
    response = web.Response(
        status=problem.status, body=msgspec.json.encode(problem), content_type="application/problem+json"
    )
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(max(1, round(problem.retry_after)))
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = challenge or "DPoP"
    return response


async def stamp(request: web.Request, response: web.StreamResponse) -> None:
    """Add what every answer carries; runs just before the head is written."""
    headers = response.headers
    del headers["Server"]
    headers["Cache-Control"] = "no-store"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Vary"] = "Origin"
    speaker = request.get(SPEAKER)
    if speaker is not None and speaker.sent:
        headers["Access-Control-Allow-Origin"] = speaker.origin
        headers["Access-Control-Expose-Headers"] = _EXPOSED
