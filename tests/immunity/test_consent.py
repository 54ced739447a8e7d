"""Nobody but the owner allows anything: not a site in another's name, not a program with all that it can scrape."""

import re
from collections.abc import Iterator

import pytest

from bridge.front.policy import Need
from tests.bridge.amplifier import Amplifier
from tests.bridge.front.client import Answer, Front
from tests.bridge.front.visitor import FORM, SAME_ORIGIN, SCOPE, Visitor

BANK, EVIL = "https://bank.example", "https://evil.example"
WHO = "/v1/apps/amp/who"


class Impostor(Visitor):
    """A page of evil.example that says it is bank.example wherever it can, with a key of its own."""

    def __init__(self, front: Front) -> None:
        super().__init__(front, EVIL)
        self.client_id = BANK
        self._nonce = lambda: front.house.nonces.current(self.origin)


@pytest.fixture(name="bank")
def _bank(front: Front) -> Visitor:
    return Visitor(front, BANK)


@pytest.fixture(name="evil")
def _evil(front: Front) -> Impostor:
    return Impostor(front)


async def test_another_sites_name_gets_evil_nothing(
    front: Front, bank: Visitor, evil: Impostor, amplifier: Amplifier
) -> None:
    told = [
        await evil.asks(redirect_uri=f"{EVIL}/callback"),
        await evil.asks(redirect_uri=f"{BANK}.evil.example/"),
        await evil.asks(redirect_uri=f"{BANK}@evil.example/"),
        await evil.starts_device(),
        await evil.redeems(evil.code_form("x")),
        await evil.polls("x"),
        await evil.revokes("x"),
    ]
    assert {400} == {answer.status for answer in told}
    assert [] == (await front.owner("GET", "/oauth/requests")).json["requests"]

    # A navigation of the user's own browser can ask in the bank's name, with evil's key; the answer goes to the bank.
    asked = await evil.asks(redirect_uri=f"{BANK}/callback")
    assert BANK == asked.json["client"]["origin"]
    redirect = await evil.is_answered(asked)  # and say that the owner is taken in
    form = evil.code_form(redirect["code"][0], redirect_uri=f"{BANK}/callback")
    assert "invalid_client" == (await evil.redeems(form)).json["error"]
    evil_as_itself = evil.code_form(redirect["code"][0], redirect_uri=f"{BANK}/callback", client_id=EVIL)
    assert "invalid_grant" == (await evil.redeems(evil_as_itself)).json["error"]
    assert "invalid_grant" == (await bank.redeems(bank.code_form(redirect["code"][0]))).json["error"]
    assert 0 == amplifier.calls
    (grant,) = (await front.owner("GET", "/v1/grants")).json["grants"]
    assert (BANK, 0) == (grant["client"]["id"], grant["pairings"])


@pytest.mark.parametrize("answer", ["allow", "deny", None])
async def test_nobody_locks_a_paired_bank_out(front: Front, bank: Visitor, evil: Impostor, answer: str | None) -> None:
    await bank.pairs()
    socket = await bank.says_hello()
    await socket.receive_json(timeout=5)
    for _ in range(20):
        asked = await Impostor(front).asks(redirect_uri=f"{BANK}/callback")
        if answer is not None:
            await evil.is_answered(asked, answer)

    assert 200 == (await bank.sends("POST", WHO)).status
    renewed = await bank.redeems(bank.refresh_form(bank.tokens["refresh_token"]))
    assert 200 == renewed.status
    again = (await bank.asks()).json
    assert ("allowed", True) == (again["status"], again["remembered"]), "its key comes back without a question"
    await socket.send_json({"type": "call", "id": 1, "command": "amp.who"})
    assert {"client": BANK} == (await socket.receive_json(timeout=5))["result"]
    await socket.close()


@pytest.mark.parametrize("way", ["page", "device"])
async def test_nobody_locks_out_a_bank_that_is_not_paired_yet(
    front: Front, bank: Visitor, evil: Impostor, way: str
) -> None:
    for number in range(20):
        asked = await Impostor(front).asks(redirect_uri=f"{BANK}/callback")
        if number % 2:
            await evil.is_answered(asked, "deny")

    if way == "page":
        assert 600 == (await bank.pairs()).tokens["expires_in"]
        return
    started = (await bank.starts_device()).json
    for _ in range(70):  # evil asks for itself as often as it likes
        await Visitor(front, EVIL).starts_device()
    await front.owner("POST", f"/oauth/requests/{started['user_code']}", json={"answer": "allow"})
    assert 200 == (await bank.polls(started["device_code"])).status


async def test_a_command_that_waits_for_its_yes_is_not_replaced_by_a_key_that_comes_back(
    front: Front, bank: Visitor
) -> None:
    await bank.pairs()
    code = (await bank.sends("POST", "/v1/apps/amp/explode")).json["user_code"]
    await bank.asks()

    assert 200 == (await front.owner("POST", f"/oauth/requests/{code}", json={"answer": "allow"})).status


async def test_a_bank_that_is_paired_comes_back_past_five_evil_sites(front: Front, bank: Visitor) -> None:
    await bank.pairs()
    for number in range(5):
        await Visitor(front, f"https://evil{number}.example").asks()

    assert "allowed" == (await bank.asks()).json["status"]


async def test_a_page_that_polls_with_another_key_gets_nothing(front: Front, bank: Visitor) -> None:
    started = (await bank.starts_device()).json
    await front.owner("POST", f"/oauth/requests/{started['user_code']}", json={"answer": "allow"})

    told = await Visitor(front, BANK).polls(started["device_code"])

    assert (400, "invalid_grant") == (told.status, told.json["error"])
    assert 200 == (await bank.polls(started["device_code"])).status


class Scraper:
    """A program that speaks only TCP: it may send any header, see all that is answered, and start its own flows."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self.words: set[str] = set()
        self.answers: list[Answer] = []

    async def sends(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        """Send a request and keep every word of its answer."""
        answer = await self._front.send(method, path, headers=headers, body=body)
        self.answers.append(answer)
        text = answer.body.decode(errors="replace") + " ".join(answer.headers.values())
        self.words |= set(re.findall(r"[A-Za-z0-9_.~+/-]{8,200}", text))
        return answer

    def speakers(self) -> Iterator[dict[str, str]]:
        """Yield the headers of everybody whom it can pretend to be."""
        own = {"Origin": self._front.base}
        for bare in ({}, own, SAME_ORIGIN, {**own, **SAME_ORIGIN}, {"Origin": BANK}):
            yield bare
            yield {**bare, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"}


@pytest.mark.broad
async def test_a_program_that_speaks_only_tcp_cannot_approve_itself_whatever_it_scrapes(
    front: Front, bank: Visitor, amplifier: Amplifier
) -> None:
    await bank.pairs()  # somebody is approved, and the owner's page has been opened
    link = (await front.owner("POST", "/v1/activation-links")).json["link"]
    owner = Visitor(front, front.base)
    owner.tokens = (await owner.redeems(owner.activation_form(link.partition("#activate=")[2]))).json
    program, scraper = Visitor(front, "native:evil"), Scraper(front)
    query = program.authorize_query(scope=SCOPE, redirect_uri="http://127.0.0.1:1/")

    # It asks in every way, and takes what it is told.
    asked = await scraper.sends(
        "POST",
        "/oauth/requests",
        {"Origin": front.base, "Content-Type": "application/json"},
        f'{{"query":"{query}"}}'.encode(),
    )
    handle, code = asked.json["handle"], asked.json["code"]
    started = await scraper.sends(
        "POST", "/oauth/device_authorization", FORM, f"client_id=native:evil2&scope={SCOPE.replace(' ', '+')}".encode()
    )
    device, user_code = started.json["device_code"], started.json["user_code"]
    # It may take back what it asked itself; that route is left out, so that there is something to approve.
    withdraw = ("DELETE", "/oauth/requests/{handle}")
    routes = [route for route in front.house.routes if route.method in ("GET", "POST", "DELETE")]
    routes = [route for route in routes if (route.method, route.path) != withdraw]
    for route in routes:
        for speaker in scraper.speakers():
            for name in (handle, code):
                path = re.sub(r"\{\w+(:[^}]+)?\}", name, route.path)
                media = {"Content-Type": "application/json"} if route.method == "POST" else {}
                body = b'{"answer":"allow"}' if route.method == "POST" else None
                if "{" in route.path or name == code:
                    await scraper.sends(route.method, path, speaker | media, body)

    # Every word that it saw it shows as the owner's token, to every route that answers.
    words = sorted({handle, code, device, user_code, *scraper.words} - {bank.tokens["access_token"]})
    governing = [route for route in routes if route.need is Need.OWNER]
    assert len(governing) > 8
    body, media = b'{"answer":"allow"}', {"Content-Type": "application/json"}
    for number, word in enumerate(words):
        for scheme in ("Bearer", "DPoP"):
            for target in (code, user_code):
                signs = {"Authorization": f"{scheme} {word}"}
                for who in ({}, {"Origin": front.base}):
                    proof = {"DPoP": program.proof("POST", f"{front.base}/oauth/requests/{target}", word)}
                    headers = signs | who | media | (proof if scheme == "DPoP" else {})
                    told = await scraper.sends("POST", f"/oauth/requests/{target}", headers, body)
                    assert 401 == told.status
        route = governing[number % len(governing)]
        path = re.sub(r"\{\w+\}", word.replace("/", "_"), route.path)
        told = await scraper.sends(route.method, path, {"Authorization": f"Bearer {word}", "Origin": front.base})
        assert told.status in (401, 404, 405)  # 404 and 405: the word made it another path
        exchange = owner.activation_form(word).decode()
        proof = Visitor(front, front.base).proof("POST", f"{front.base}/oauth/token")
        told = await scraper.sends(
            "POST", "/oauth/token", {**FORM, "Origin": front.base, "DPoP": proof}, exchange.encode()
        )
        assert 400 == told.status

    waiting = (await front.owner("GET", "/oauth/requests")).json["requests"]
    assert {code, user_code} == {request["code"] for request in waiting}, "both still wait for the owner"
    assert {"pending"} == {request["status"] for request in waiting}
    grants = (await front.owner("GET", "/v1/grants")).json["grants"]
    assert {BANK, front.base} == {grant["client"]["id"] for grant in grants}
    assert 0 == amplifier.calls
