"""Nothing that a request brings is told to anybody else: with canaries everywhere, at DEBUG, with every part broken."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest
from aiohttp import ClientError, web

from bridge.front import app as front_app
from bridge.front.app import Handlers
from bridge.front.route import Route
from tests.bridge.front.client import Answer, Front
from tests.bridge.front.visitor import Visitor
from tests.immunity.canaries import Canaries, Heard, everything_is_heard

pytestmark = pytest.mark.broad

ROUTES = [
    (row["method"], row["path"])
    for row in json.loads((Path(__file__).parents[1] / "vectors/routes.json").read_text(encoding="utf-8"))["routes"]
]

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"

INNER = [
    "bridge.worker.Worker._run",
    "bridge.broker.embedded.EmbeddedBroker.call",
    "bridge.front.dispatch.Dispatch.run",
    "bridge.front.guard.may_speak",
    "bridge.front.guard.may_speak_natively",
    "bridge.front.caller.Callers.verify",
    "bridge.front.sessions.Sessions.open",
    "bridge.front.session.Session.start",
    "bridge.front.poll.Poll._since",
    "bridge.front.frames.read",
    "bridge.front.conversation.Conversation.hear",
    "bridge.front.websocket.Socket._caller",
    "bridge.front.websocket.Socket._redeem",
    "bridge.consent.requests.Requests.open",
    "bridge.consent.requests.Requests.poll",
    "bridge.events.journal.Journal.resume",
    "oauth.server.server.AuthorizationServer.authorization_request",
    "oauth.server.server.AuthorizationServer._grant_token",
    "oauth.server.server.AuthorizationServer._begin_device",
    "oauth.server.server.AuthorizationServer._revoke",
    "oauth.server.flows.Flows.answer",
    "oauth.server.devices.Devices.make",
    "oauth.server.devices.Devices.poll",
    "oauth.server.issuer.Issuer.give_back",
    "bridge.consent.consent.wanted",
    "oauth.server.issuer.Issuer.present",
    "oauth.server.verify.Verifier.verify",
    "oauth.offers.Offers.use",
    "oauth.offers.Offers.verify",
    "oauth.store.Store.access_token",
    "oauth.store.Store.commit",
]
"""Parts that meet what was sent; each is broken in turn."""


def _fail(said: str, body: bytes) -> NoReturn:
    """Raise an error with causes, contexts, members and notes, all of which quote ``said``."""
    try:
        _: str = {}[said]
    except KeyError as error:
        group = ExceptionGroup(said, [OSError(5, said), UnicodeDecodeError("utf-8", body + b"?", 0, 1, said)])
        group.add_note(said)
        try:
            raise group from error
        except ExceptionGroup:
            raise RuntimeError(said)  # noqa: B904  # a context, not a cause


class Broken:
    """Whether every handler fails, and how often one did."""

    def __init__(self) -> None:
        self.is_broken = False
        self.reached: list[tuple[str, str]] = []

    def handler(self, route: Route) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.StreamResponse:
            if not self.is_broken:
                return await route.handler(request)
            self.reached.append((route.method, route.path))
            body = await request.read()
            said = f"{request.raw_path} {request.path_qs} {dict(request.headers)} {dict(request.match_info)} {body!r}"
            _fail(said, body)

        return answer


@pytest.fixture(name="canaries")
def _canaries() -> Canaries:
    return Canaries()


@pytest.fixture(name="broken")
def _broken(monkeypatch: pytest.MonkeyPatch) -> Broken:
    broken, table = Broken(), front_app.table

    def failing(on: Handlers) -> list[Route]:
        # Whatever stands in the query: a canary there is to get as far as the handler.
        return [route._replace(handler=broken.handler(route), query=None) for route in table(on)]

    monkeypatch.setattr(front_app, "table", failing)
    return broken


@pytest.fixture(name="heard")
async def _heard(broken: Broken, front: Front) -> AsyncIterator[Heard]:
    del broken, front  # they come first
    with everything_is_heard() as heard:
        yield heard


class Hunt:
    """What was answered, logged, kept and told, and the search in it."""

    def __init__(self, front: Front, canaries: Canaries, heard: Heard, folder: Path) -> None:
        self.front = front
        self.canaries = canaries
        self.heard = heard
        self.folder = folder
        self.answers: list[Answer] = []

    async def sends(self, method: str, path: str, headers: dict[str, str], body: bytes | None, *, unix: bool) -> None:
        """Send a request that may be closed without an answer."""
        with suppress(ClientError, ConnectionError):
            self.answers.append(await self.front.send(method, path, headers=headers, body=body, unix=unix))

    async def opens(self, path: str, headers: dict[str, str]) -> None:
        """Open a stream, read its head and leave: a stream that works has no end."""
        with suppress(ClientError, ConnectionError):
            async with self.front._tcp.get(self.front.base + path, headers=headers) as answer:
                self.answers.append(Answer(answer.status, answer.headers, b""))
                answer.close()

    async def finds(self) -> dict[str, list[str]]:
        """Return where a canary was found."""
        refusals = await self.front.owner("GET", "/v1/refusals")
        audit = await self.front.owner("GET", "/v1/audit?limit=1000")
        places = {
            "log": self.heard.text,
            "answers": "\n".join(f"{answer.status} {answer.headers} {answer.body!r}" for answer in self.answers),
            "refusals": refusals.body,
            "audit": audit.body,
            **{path.name: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()},
        }
        found = {place: self.canaries.found_in(content) for place, content in places.items()}
        return {place: names for place, names in found.items() if names}


@pytest.fixture(name="hunt")
async def _hunt(heard: Heard, front: Front, canaries: Canaries, tmp_path: Path) -> Hunt:
    return Hunt(front, canaries, heard, tmp_path)


def filled(path: str, canaries: Canaries) -> str:
    """Return a path with canaries in all its variable parts, and in its query."""
    query = "&".join(
        f"{name}={canaries['query']}" for name in ("token", "access_token", "after", "topics", "wait", "code")
    )
    parts = [canaries["path"] if "{" in part else part for part in path.split("/")]
    return f"{'/'.join(parts)}?{query}"


def bodies(canaries: Canaries, path: str) -> tuple[dict[str, str], bytes | None]:
    """Return the media type and a body that the route may read."""
    if path in ("/oauth/token", "/oauth/clean", "/oauth/device_authorization", "/oauth/revoke"):
        text = f"grant_type=refresh_token&client_id={canaries['form']}&refresh_token={canaries['form']}"
        return {"Content-Type": "application/x-www-form-urlencoded"}, text.encode()
    if path == "/v1/keyring":
        return {}, None  # it reads no body
    return {"Content-Type": "application/json"}, json.dumps(
        {"volume": canaries["body"], "query": canaries["body"]}
    ).encode()


@pytest.mark.parametrize("scheme", [None, "Bearer", "DPoP"])
async def test_a_handler_that_fails_tells_nothing_of_its_request(
    hunt: Hunt, broken: Broken, canaries: Canaries, scheme: str | None
) -> None:
    visitor = await Visitor(hunt.front).pairs()
    canaries.told("access token", visitor.tokens["access_token"])
    broken.is_broken = True

    for method, path in ROUTES:
        media, body = bodies(canaries, path) if method == "POST" else ({}, None)
        target, headers = filled(path, canaries), canaries.headers(scheme) | media
        await hunt.sends(method, target, headers, body, unix=True)
        for origin in (
            {},
            {"Origin": visitor.origin},
            {"Origin": hunt.front.base},
            {"Origin": "https://other.example"},
        ):
            await hunt.sends(method, target, headers | origin, body, unix=False)
        signed = {**canaries.headers(None), **media, **visitor.signs(method, target)}
        await hunt.sends(method, target, signed, body, unix=False)
    reached = set(broken.reached)
    broken.is_broken = False

    assert set(ROUTES) == reached, "every handler was reached"
    assert hunt.heard.text.count("Traceback") >= len(reached)
    assert {} == await hunt.finds()


@pytest.mark.parametrize("target", INNER)
async def test_a_part_that_fails_tells_nothing_of_what_it_was_given(
    hunt: Hunt, canaries: Canaries, target: str
) -> None:
    visitor = await Visitor(hunt.front).pairs()
    for name in ("access_token", "refresh_token"):
        canaries.told(name, visitor.tokens[name])
    canaries.told("a ticket", await visitor.ticket())
    canaries.told("an offer", (await hunt.front.owner("POST", "/v1/offers", json={"command": "amp.who"})).json["offer"])
    with pytest.MonkeyPatch.context() as patch:
        calls = breaks(patch, target)
        await every_way(hunt, visitor)

    assert calls, "it was reached"
    assert {} == await hunt.finds()


def breaks(patch: pytest.MonkeyPatch, target: str) -> list[int]:
    """Have a part raise an error that quotes what it was given; return a list that counts the calls."""
    calls: list[int] = []

    def fail(*given: object, **named: object) -> None:
        calls.append(1)
        said = " ".join(_quoted(one) for one in (*given, *named.values()))
        raise ValueError(said) from LookupError(said)

    patch.setattr(target, fail)
    return calls


def _quoted(value: object) -> str:
    if isinstance(value, web.Request):
        return f"{value.raw_path} {dict(value.headers)}"
    params = getattr(value, "params", None)
    return f"{value!r} {getattr(value, 'query', '')} {bytes(params) if params is not None else ''!r}"


async def every_way(hunt: Hunt, visitor: Visitor) -> None:
    """Go through everything that a page, a program and the owner do, with canaries on the way."""
    canaries, front = hunt.canaries, hunt.front
    words = canaries.headers(None)
    call = json.dumps({"volume": canaries["body"]}).encode()
    query = f"token={canaries['query']}&access_token={canaries['query']}"
    ways = [
        ("POST", "/v1/apps/amp/set_volume", call),
        ("POST", "/v1/apps/amp/who", None),
        ("GET", f"/v1/apps/amp/state?{query}", None),
        ("GET", f"/v1/events?{query}&after={canaries['query']}", None),
        ("GET", "/v1/events?after=AAAAAAAA.0&topics=amp", None),
        ("POST", "/v1/tickets", None),
    ]
    for method, path, body in ways:
        media = {} if body is None else {"Content-Type": "application/json"}
        headers = words | media
        await hunt.sends(method, path, headers | visitor.signs(method, path), body, unix=False)
        await hunt.sends(method, path, headers | canaries.headers("Bearer"), body, unix=False)
        await hunt.sends(method, path, headers, body, unix=True)
        if "/events" in path:
            await hunt.opens(path, {**visitor.signs(method, path), "Accept": "text/event-stream"})
            await hunt.opens(path, {**headers, **visitor.signs(method, path), "Accept": "text/event-stream"})
    for offer in (canaries["an offer"], f"{canaries['an offer']}x", canaries["body"]):
        body, media = json.dumps({"offer": offer}).encode(), {"Content-Type": "application/json"}
        await hunt.sends("POST", "/v1/offers/redeem", media | {"Origin": visitor.origin}, body, unix=False)
        await hunt.sends("POST", "/v1/offers/redeem", words | media, body, unix=True)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    proof = {"Origin": visitor.origin, "DPoP": visitor.proof("POST", f"{front.base}/oauth/token")}
    for sent in (
        visitor.code_form(canaries["form"], code_verifier=canaries["form"]),
        visitor.refresh_form(visitor.tokens["refresh_token"]),
        visitor.refresh_form(canaries["form"]),
    ):
        await hunt.sends("POST", "/oauth/token", words | form | proof, sent, unix=False)
    stranger = Visitor(front, visitor.origin)  # a key that is asked about
    for path, sent in (
        ("/oauth/device_authorization", stranger.token_form(scope="amp:read", state=canaries["form"])),
        ("/oauth/device_authorization", stranger.token_form(scope=canaries["form"])),
        ("/oauth/revoke", stranger.token_form(token=canaries["form"], token_type_hint=canaries["form"])),
        ("/oauth/token", stranger.token_form(grant_type=DEVICE_CODE, device_code=canaries["form"])),
    ):
        signs = {"Origin": stranger.origin, "DPoP": stranger.proof("POST", front.base + path)}
        await hunt.sends("POST", path, words | form | signs, sent, unix=False)
    charge = json.dumps({"volume": 1, "where": canaries["body"]}).encode()
    detonate = "/v1/apps/amp/detonate"
    json_media = {"Content-Type": "application/json"}
    await hunt.sends("POST", detonate, json_media | visitor.signs("POST", detonate), charge, unix=False)
    asked = json.dumps({"query": stranger.authorize_query(scope="amp:read", state=canaries["query"])}).encode()
    own = {"Content-Type": "application/json", "Origin": front.base}
    # Its answer has the state, which goes back to the page that asked; the answer is not looked at here.
    await front.send("POST", "/oauth/requests", headers=words | own, body=asked)
    await hunt.sends(
        "GET", f"/oauth/requests/{canaries['path']}", {**words, "Sec-Fetch-Site": "same-origin"}, None, unix=False
    )
    for unix, protocols in (
        (False, ("tollbridge.v1", f"ticket.{canaries.words['a ticket']}")),
        (True, ("tollbridge.v1",)),
    ):
        await converses(front, canaries, {} if unix else {"Origin": visitor.origin}, protocols, unix=unix)
    await converses(front, canaries, {"Origin": visitor.origin}, ("tollbridge.v1", f"ticket.{canaries['ticket']}"))
    await converses(front, canaries, {"Origin": visitor.origin}, (f"ticket.{canaries['ticket']}",))


async def converses(
    front: Front, canaries: Canaries, headers: dict[str, str], protocols: tuple[str, ...], *, unix: bool = False
) -> None:
    """Say hello and call over a WebSocket, with canaries in every frame, until it is closed or has answered."""
    word = canaries["frame"]
    try:
        socket = await front.socket(headers=canaries.headers(None) | headers, protocols=protocols, unix=unix)
    except ClientError:
        return
    frames = [
        {"type": "hello", "after": "AAAAAAAA.0", "topics": ["amp", word]},
        {"type": "call", "id": 1, "command": "amp.set_volume", "params": {"volume": word}},
        {"type": "call", "id": word, "command": f"amp.{word}", "params": {word: word}, "key": word},
        {"type": word, "token": word},
    ]
    try:
        for frame in frames:
            await socket.send_str(json.dumps(frame))
        async with asyncio.timeout(5):
            await socket.send_str(f"{word}")
            await socket.close()
    except ConnectionError:
        pass


async def test_a_token_in_a_url_authenticates_nobody_and_is_told_nowhere(hunt: Hunt) -> None:
    token = hunt.canaries.told("token", await hunt.front.token("amp:read"))
    right = {"Authorization": f"Bearer {token}"}
    assert 200 == (await hunt.front.send("GET", "/v1/apps/amp/state", headers=right)).status

    for name in ("token", "access_token", "bearer_token", "authorization"):
        for path in ("/v1/apps/amp/state", "/v1/apps", "/v1/events", "/v1/status", "/v1/socket"):
            answer = await hunt.front.send("GET", f"{path}?{name}={token}")
            hunt.answers.append(answer)
            assert answer.status in (400, 401), path
        await hunt.sends("GET", f"/nothing/{token}?{name}={token}", {"Origin": "null"}, None, unix=False)

    assert {} == await hunt.finds()
