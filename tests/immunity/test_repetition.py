"""No answer to a fault repeats what was sent: a word in every place of every route, command, form and frame."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import msgspec
import pytest

from bridge.apps.registry import apps
from bridge.config import PlayerSection, Settings
from bridge.front.consent import AnswerRequest, OpenRequest
from bridge.front.offers import OfferRequest, Redeemed
from bridge.front.owner import TokenRequest
from bridge.front.policy import Body
from bridge.front.route import Route
from bridge.messages import Caller, Command
from bridge.worker import Worker
from tests.bridge.front.client import Answer, Front
from tests.bridge.front.visitor import FORM, Visitor
from tests.immunity.canaries import forms

pytestmark = pytest.mark.broad

WORD = "canarySECRET42"
FORMS = {form.lower() for form in forms(WORD)} | {b"secret42"}
"""A part counts as well, and in any case: a scheme is shown in lower case, a cut text without its beginning."""

BODIES: dict[str, tuple[type[msgspec.Struct], dict[str, Any]]] = {
    "/oauth/requests": (OpenRequest, {"query": "x"}),
    "/oauth/requests/{code}": (AnswerRequest, {"answer": "allow"}),
    "/v1/tokens": (TokenRequest, {"scope": "amp:read"}),
    "/v1/offers": (OfferRequest, {"command": "amp.set_volume", "params": {"volume": 0.5}}),
    "/v1/offers/redeem": (Redeemed, {"offer": "x"}),
}
"""The Struct that a route reads, and what it takes."""

HEADERS = {
    "Cookie": f"a={WORD}",
    "Last-Event-ID": WORD,
    "Idempotency-Key": WORD,
    "If-None-Match": f'"{WORD}"',
    "Accept": f"application/{WORD}",
    "Accept-Language": WORD,
    "User-Agent": WORD,
    "Referer": f"http://{WORD}.example/",
    "Prefer": WORD,
    f"X-{WORD}": WORD,
}


def repeats(answer: Answer) -> bool:
    told = b"\n".join((*(f"{name}: {value}".encode() for name, value in answer.headers.items()), answer.body))
    return is_in(told)


def is_in(told: bytes) -> bool:
    return any(form in told.lower() for form in FORMS)


def spoilt(value: object) -> Iterator[object]:
    """Yield values with the word in them, one of which is of every type."""
    yield from (
        WORD,
        f"{WORD}:x",
        f"x.{WORD}",
        [WORD],
        {WORD: WORD},
        [{WORD: [WORD]}],
        f"{value}{WORD}",
        f"{value} {WORD}",
    )
    yield from (f"http://a:{WORD}/", f"http://[{WORD}/", f"file://{WORD}/x", f"a\u2100{WORD}", f"{WORD}\x00")


def objects(valid: dict[str, Any], names: list[str]) -> Iterator[bytes]:
    """Yield JSON with the word in each field, as a name, in the middle of what is no JSON."""
    for name in names:
        for value in spoilt(valid.get(name, "")):
            yield json.dumps({**valid, name: value}).encode()
    good = json.dumps(valid)[1:-1] or '"a":1'
    word = WORD.encode()
    yield from (json.dumps({**valid, WORD: 1}).encode(), json.dumps({**valid, f"{WORD}`": {WORD: WORD}}).encode())
    yield from (word, b'"%b"' % word, b'["%b"]' % word, b'{"%b' % word, b'{"%b":1,"%b":2}' % (word, word))
    yield from (f'{{{good},"{WORD}":NaN}}'.encode(), f'{{{good},"a":"\\ud800{WORD}"}}'.encode())
    yield from (f"{{{good}}}{WORD}".encode(), b'{"a":"\xff%b"}' % word, b'{"a":1e999%b}' % word)


def queries(route: Route) -> Iterator[str]:
    yield from ("", f"?{WORD}", f"?{WORD}=1", f"?x={WORD}", f"?{WORD}%ff", f"?{WORD}=%0d%0aX-{WORD}:%201", "?&&")
    for name in (*(route.query or ()), "token"):
        yield from (f"?{name}={WORD}", f"?{name}={WORD}&{name}={WORD}", f"?{name}=1{WORD}", f"?{name}=,{WORD},,amp")


def paths(route: Route) -> Iterator[str]:
    """Yield the route's path with a name that exists in some of its parts and the word in the others."""
    known = {"app": "amp", "command": "set_volume"}
    parts = [part.strip("{}").partition(":")[0] for part in route.path.split("/") if "{" in part]
    for given in range(2 ** len(parts)):
        path = route.path.replace(":.+", "")
        for bit, part in enumerate(parts):
            path = path.replace(f"{{{part}}}", known.get(part, "x") if given >> bit & 1 else WORD)
        yield path


def asked(route: Route) -> Iterator[tuple[str, dict[str, str], bytes | None]]:
    """Yield path, headers and body of every request that is made of a route."""
    for path in paths(route):
        for query in queries(route):
            yield path + query, HEADERS, None
            if path.endswith("/events") and query.startswith("?topics="):
                yield path + query, {"Accept": "text/event-stream", "Last-Event-ID": WORD}, None
        if route.body is Body.JSON:
            kind, valid = BODIES.get(route.path, (None, {"volume": 0.5} if "{command}" in route.path else {}))
            names = [field.name for field in msgspec.structs.fields(kind)] if kind is not None else list(valid)
            for body in objects(valid, names):
                yield path, {"Content-Type": "application/json"}, body
        if route.body in (Body.JSON, Body.FORM):
            for media in (WORD, f"application/json; charset={WORD}", f"application/{WORD}"):
                yield path, {"Content-Type": media}, WORD.encode()
            yield path, {"Content-Type": route.body.value, "Content-Encoding": WORD}, WORD.encode()


@pytest.mark.parametrize("caller", ["owner", "program", "page", "own page", "nobody", "forger"])
async def test_no_route_repeats_what_it_was_sent(front: Front, caller: str) -> None:
    page = await Visitor(front).pairs()
    bearer = await front.bearer("amp:read amp:control")
    forged = {"Authorization": f"Bearer {WORD}", "DPoP": f"{WORD}.{WORD}.{WORD}"}
    repeated, count = [], 0

    for route in front.house.routes:
        for path, headers, body in asked(route):
            signed = {
                "owner": dict,
                "program": lambda: bearer,
                "page": lambda path=path, route=route: page.signs(route.method, path),
                "own page": lambda: {"Origin": front.base},
                "nobody": lambda: {"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"},
                "forger": lambda: forged,
            }[caller]()
            answer = await front.send(
                route.method, path, headers={**headers, **signed}, body=body, unix=caller == "owner"
            )
            count += 1
            if answer.status == 200 and route.path == "/v1/offers":
                continue  # an offer's parameters are its own
            if repeats(answer):
                repeated.append((route.method, path, body, answer.body))
    for method in ("GET", "POST", "PUT", "OPTIONS", "HEAD"):
        answer = await front.send(method, f"/{WORD}/{WORD}?{WORD}", headers=HEADERS | {"Origin": page.origin})
        if repeats(answer):
            repeated.append((method, "/", None, answer.body))

    assert [] == repeated
    assert count > 500


async def test_no_command_repeats_what_it_was_sent_but_echo(tmp_path: Path) -> None:
    settings = Settings(player=PlayerSection(music_folders=(str(tmp_path),), engine="null"))
    worker, caller = Worker(apps(settings)), Caller(client="owner", scopes=frozenset(), owner=True)
    repeated, count = [], 0

    async with worker.run():
        for app in worker.describe():
            for name, command in app.commands.items():
                (schema,) = command.params.get("$defs", {"": command.params}).values()
                names = list(schema.get("properties", {}))
                for params in objects(dict.fromkeys(schema.get("required", []), 0.5), names):
                    reply = await worker.call(Command(app=app.name, name=name, caller=caller, params=params))  # type: ignore[arg-type]  # as it came, unchecked
                    count += 1
                    if is_in(msgspec.json.encode(reply)) and (name != "echo" or reply.problem is not None):
                        repeated.append((app.name, name, params, reply.problem))
        for app_name, name in ((WORD, "echo"), ("system", WORD), (WORD, WORD)):
            reply = await worker.call(Command(app=app_name, name=name, caller=caller, params=msgspec.Raw(b"{}")))
            if is_in(msgspec.json.encode(reply)):
                repeated.append((app_name, name, b"", reply.problem))

    assert [] == repeated
    assert count > 100


async def test_no_form_repeats_what_it_was_sent(front: Front) -> None:
    page = await Visitor(front).pairs()
    device = (await page.starts_device()).json["device_code"]
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    right = {
        "/oauth/token": [
            page.code_form("x"),
            page.refresh_form(page.tokens["refresh_token"]),
            page.activation_form("x"),
            page.token_form(grant_type=grant, device_code=device),
        ],
        "/oauth/device_authorization": [page.token_form(scope="amp:read")],
        "/oauth/revoke": [page.token_form(token="x")],  # none
        "/oauth/clean": [b"link=x"],
    }
    repeated = []
    for path, valid in right.items():
        for form in valid:
            for sent in spoilt_forms(form.decode()):
                for headers in ({}, {"DPoP": f"{WORD}.{WORD}.{WORD}"}):
                    answer = await page.posts(path, sent, **headers)
                    if repeats(answer):
                        repeated.append((path, sent, answer.body))
                answer = await front.send("POST", path, headers=FORM, body=sent)
                if repeats(answer):
                    repeated.append((path, sent, answer.body))

    assert [] == repeated


async def test_no_authorization_request_is_repeated_but_for_state_and_address(front: Front) -> None:
    page = Visitor(front)
    repeated = []
    for query in spoilt_forms(page.authorize_query(scope="amp:read")):
        text = query.decode("latin-1")
        given = dict(parse_qsl(text))
        if WORD in given.get("state", "") or WORD in given.get("redirect_uri", ""):
            continue  # RFC 6749 4.1.2.1 has them sent back
        answer = await front.send("POST", "/oauth/requests", headers={"Origin": front.base}, json={"query": text})
        if repeats(answer):
            repeated.append((query, answer.body))

    assert [] == repeated


def spoilt_forms(form: str) -> Iterator[bytes]:
    """Yield a form with the word in each value, as a name, twice, and in what is no form."""
    fields = dict(parse_qsl(form))
    for name, value in fields.items():
        for changed in (WORD, f"{value}{WORD}", f"{value} {WORD}", f"https://{WORD}.example", f"native:{WORD}/"):
            yield urlencode({**fields, name: changed}).encode()
        yield f"{form}&{name}={WORD}".encode()
        yield urlencode({other: each for other, each in fields.items() if other != name} | {WORD: WORD}).encode()
    yield from (WORD.encode(), f"{form}&{WORD}=%ff".encode(), f"{form}&{WORD}".encode(), f"{WORD}=%zz&{form}".encode())


@pytest.mark.parametrize("caller", ["owner", "page"])
async def test_no_frame_is_repeated_but_for_its_number_and_what_a_ping_carries(front: Front, caller: str) -> None:
    page = await Visitor(front).pairs()
    calls = [
        {"type": "call", "id": 1, "command": command, "params": params, **more}
        for command in ("amp.set_volume", f"amp.{WORD}", f"{WORD}.x", WORD)
        for params in ({"volume": WORD}, {WORD: WORD}, [WORD], WORD)
        for more in ({}, {"key": WORD})
    ]
    others = [
        {"type": kind, **fields}
        for kind in ("call", "subscribe", "unsubscribe", "cancel", "ping", "hello", WORD)
        for fields in (
            {WORD: WORD},
            {"topics": [WORD]},
            {"topics": WORD},
            {"id": [WORD]},
            {"command": WORD},
            {"id": WORD},
        )
    ]
    broken = [
        WORD,
        f'{{"{WORD}',
        f'{{"type":"ping","{WORD}":1,"{WORD}":2}}',
        f'["{WORD}"]',
        f'{{"type":"ping","t":NaN{WORD}}}',
    ]
    socket = await (front.socket(unix=True) if caller == "owner" else page.opens_socket())
    await socket.send_json({"type": "hello", "topics": [WORD, "amp"]})
    for frame in [*map(json.dumps, [*calls, *others]), *broken]:
        await socket.send_str(frame)
    await socket.send_bytes(WORD.encode())
    await socket.send_json({"type": "ping", "t": "the last"})
    repeated, frames = [], 0
    async with asyncio.timeout(20):
        while '"the last"' not in (told := await socket.receive_str()):
            frames += 1
            if is_in(told.encode()):
                repeated.append(told)
    await socket.close()

    assert [] == repeated
    assert frames > len(calls)


@pytest.mark.parametrize(
    "hello", [WORD, {"type": WORD}, {"type": "hello", "after": WORD}, {"type": "hello", "nonce": WORD}]
)
async def test_no_first_frame_is_repeated_in_the_reason_of_its_close(front: Front, hello: object) -> None:
    socket = await front.socket(unix=True)
    await socket.send_str(json.dumps(hello))
    async with asyncio.timeout(10):
        message = await socket.receive()

    assert 4400 == message.data
    assert not is_in(str(message.extra).encode())


def test_the_search_finds_what_it_looks_for() -> None:
    for told in (WORD, WORD.lower(), quote(WORD), WORD.encode().hex(), "…SECRET42", f'{{"detail":"not {WORD}:"}}'):
        assert is_in(told.encode())
    assert not is_in(b"canary")
