"""Whatever the owner and the clients do, in whatever order: no scope is usable that is not allowed now."""

import asyncio
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauth.errors import AccessRefused, EndpointError
from oauth.models import Access, Until
from oauth.server.answers import usual
from oauth.server.issuer import ACCESS_SECONDS, DAY_SECONDS
from oauth.server.verify import Verifier
from oauth.store import Store
from tests.oauth.clock import FakeClock
from tests.oauth.desk import BASE, Desk, answer_of
from tests.oauth.page import Page

SCOPES = ("player:read", "player:control")
WEB, LOCAL, PROGRAM = "https://app.example", "http://localhost:3000", "native:cli"
PAGES = [Page(WEB), Page(WEB), Page(LOCAL)]
SECONDS = {"day": DAY_SECONDS, "week": 7 * DAY_SECONDS, "revoked": math.inf}
URL = f"{BASE}/v1/apps"

Scopes = frozenset[str]


class Allow(NamedTuple):
    page: int
    asked: Scopes
    left_out: Scopes
    until: Until | None


class Redeem(NamedTuple):
    code: int


class Refresh(NamedTuple):
    token: int
    narrowed: Scopes | None


class Again(NamedTuple):
    page: int
    asked: Scopes


class Deny(NamedTuple):
    page: int


class Revoke(NamedTuple):
    client: str


class GiveBack(NamedTuple):
    token: int


class ByHand(NamedTuple):
    scopes: Scopes
    ttl: float


class Forward(NamedTuple):
    seconds: float


Step = Allow | Redeem | Refresh | Again | Deny | Revoke | GiveBack | ByHand | Forward


class Yes(NamedTuple):
    """What a code stands for; ``once`` are the scopes of a yes for once."""

    page: int
    code: str
    once: Scopes | None


class Held(NamedTuple):
    """An access token, and the session that was opened with it; what they are good for at most, and until when."""

    client: str
    page: int | None
    text: str
    scopes: Scopes
    ends_at: float
    is_once: bool
    session: tuple[str, str]
    """Grant and pairing."""


class World:
    """The server, and beside it what the owner said, told in the simplest words: a time for each scope of a key."""

    def __init__(self, store: Store, clock: FakeClock) -> None:
        self.clock, self.store, self.desk = clock, store, Desk(store, clock)
        self.verifier = Verifier(store, base=BASE, nonces=self.desk.nonces)
        for page in PAGES:
            page._clock, page._nonce = clock, self.desk.page(page.origin)._nonce
        self.lasting: dict[int | None, dict[str, float]] = {None: {}, **{page: {} for page in range(len(PAGES))}}
        """By page, each of which has a key; None: the program that the owner gave tokens by hand."""
        self.codes: list[Yes] = []
        self.refresh: list[tuple[int, str]] = []
        self.held: list[Held] = []

    async def take(self, step: Step) -> None:
        match step:
            case Redeem(code) if self.codes:
                await self.redeem(self.codes.pop(code % len(self.codes)))
            case Refresh(token, narrowed) if self.refresh:
                await self.renew(*self.refresh[token % len(self.refresh)], narrowed)
            case Again(page, asked):
                self.again(page, asked)
            case GiveBack(token) if self.held:
                await self.give_back(token % len(self.held))
            case Forward(seconds):
                self.clock.forward(seconds)
            case Allow() | Deny() | Revoke() | ByHand():
                self.answers(step)

    def answers(self, step: Allow | Deny | Revoke | ByHand) -> None:
        """What the owner does."""
        match step:
            case Allow():
                self.allow(step)
            case Deny(page):
                self.desk.server.deny(self.request(page, frozenset(SCOPES)))
                # A no ends what this key has; nothing of it may be used from now on.
                self.lasting[page] = {}
                self.held = [held._replace(ends_at=-1) if held.page == page else held for held in self.held]
            case Revoke(client):
                grant = self.store.grant_of(client)
                if grant is not None:
                    self.store.revoke(grant.id)
                self.lasting |= {one: {} for one in self.of(client)}
                self.held = [held._replace(ends_at=-1) if held.client == client else held for held in self.held]
            case ByHand(scopes, ttl):
                self.by_hand(scopes, ttl)

    def request(self, page: int, asked: Scopes):  # type: ignore[no-untyped-def]  # an AuthorizationRequest
        query = PAGES[page].authorize_query(scope=" ".join(sorted(asked)))
        return self.desk.server.authorization_request(query)

    def allow(self, step: Allow) -> None:
        scopes, now, client = step.asked - step.left_out, self.clock(), PAGES[step.page].origin
        try:
            redirect = self.desk.server.allow(self.request(step.page, step.asked), scopes, step.until)
        except EndpointError:
            assert not scopes or step.until == ("revoked" if client == LOCAL else "week")
            return
        until = step.until or usual(is_development=client == LOCAL)
        is_once = until == "once"
        if not is_once:
            for scope in step.asked:
                self.lasting[step.page].pop(scope, None)
            self.lasting[step.page] |= dict.fromkeys(scopes, now + SECONDS[until])
        self.codes.append(Yes(step.page, answer_of(redirect)["code"], scopes if is_once else None))

    async def redeem(self, yes: Yes) -> None:
        answer = await self.desk.redeem(PAGES[yes.page], yes.code)
        if answer.status == 200:
            self.keeps(yes.page, answer.body, yes.once)

    async def renew(self, page: int, token: str, narrowed: Scopes | None) -> None:
        scope = None if narrowed is None else " ".join(sorted(narrowed))
        answer = await self.desk.refresh(PAGES[page], token, scope=scope)
        if answer.status == 200:
            self.keeps(page, answer.body, None)

    def again(self, page: int, asked: Scopes) -> None:
        """Whatever is remembered extends nothing: the model does not move."""
        request = self.request(page, asked)
        if self.desk.server.remembered(request) != "allowed":
            return
        self.codes.append(Yes(page, answer_of(self.desk.server.allow_again(request))["code"], None))

    async def give_back(self, token: int) -> None:
        held = self.held[token]
        page = None if held.page is None else PAGES[held.page]
        told = await (
            self.desk.revoke_natively(Page(PROGRAM), held.text) if page is None else self.desk.revoke(page, held.text)
        )
        assert (200, {}) == (told.status, told.body)
        assert None is self.access(held)
        if held.page is None or held.is_once:
            self.held[token] = held._replace(ends_at=-1)

    def by_hand(self, scopes: Scopes, ttl: float) -> None:
        answer = self.desk.server.issue_native("cli", scopes, ttl)
        lasting, end = self.lasting[None], self.clock() + ttl
        for scope in scopes:
            lasting[scope] = max(lasting.get(scope, 0), end)
        self.holds(PROGRAM, None, answer["access_token"], scopes, end, is_once=False)

    def keeps(self, page: int, body: dict[str, str], once: Scopes | None) -> None:
        scopes = frozenset(body["scope"].split())
        assert scopes, "a token for nothing is none"
        if once is None:
            assert scopes <= self.allowed(page)
        else:
            assert "refresh_token" not in body
            assert scopes <= once
        if "refresh_token" in body:
            self.refresh.append((page, body["refresh_token"]))
        end = self.clock() + ACCESS_SECONDS
        self.holds(PAGES[page].origin, page, body["access_token"], scopes, end, is_once=once is not None)

    def holds(self, client: str, page: int | None, text: str, scopes: Scopes, end: float, *, is_once: bool) -> None:
        held = Held(client, page, text, scopes, end, is_once, ("", ""))
        access = self.access(held)
        assert access is not None, "a new token is good"
        assert scopes == access.scopes, "and for what was said"
        self.held.append(held._replace(session=(access.grant, access.pairing)))

    def check(self) -> None:
        now = self.clock()
        for held in self.held:
            access = self.access(held)
            by_token = frozenset() if access is None else access.scopes
            # A session lives as long as its pairing; what it may is asked at each call.
            by_session = held.scopes & (self.store.allowed(*held.session) or frozenset())
            assert not by_token or now < held.ends_at
            assert not by_session or held.ends_at >= 0, "it was taken back"
            assert not (held.is_once and by_session) or now < held.ends_at
            for usable in (by_token, by_session):
                assert usable <= held.scopes
                assert held.is_once or usable <= self.allowed(held.page)
        for client in (WEB, LOCAL, PROGRAM):
            grant = self.store.grant_of(client)
            granted = grant.scopes_at(now) if grant is not None and grant.is_allowed else frozenset()
            assert granted <= frozenset().union(*map(self.allowed, self.of(client)))

    def of(self, client: str) -> list[int | None]:
        """Return whose times are a client's."""
        return [None] if client == PROGRAM else [page for page, each in enumerate(PAGES) if each.origin == client]

    def allowed(self, page: int | None) -> Scopes:
        now = self.clock()
        return frozenset(scope for scope, end in self.lasting[page].items() if now < end)

    def access(self, held: Held) -> Access | None:
        page = None if held.page is None else PAGES[held.page]
        proofs = [] if page is None else [page.proof("GET", URL, held.text)]
        scheme = "Bearer" if page is None else "DPoP"
        origin = None if page is None else page.origin
        try:
            return self.verifier.verify(
                authorization=f"{scheme} {held.text}", proofs=proofs, method="GET", url=URL, origin=origin
            )
        except AccessRefused:
            return None


some = st.frozensets(st.sampled_from(SCOPES), min_size=1)
left_out = st.just(frozenset()) | st.frozensets(st.sampled_from(SCOPES), max_size=1)
pages = st.sampled_from([0, 0, 1, 2, 2])
last = st.integers(-3, -1)
untils = st.sampled_from(["once", "day", "revoked", None, "week", "once"])
# To just before the end of what is given for a day or a token's life, and over it.
spans = st.sampled_from(
    [60.0, 60.0, DAY_SECONDS - 60, DAY_SECONDS - 60, 540.0, 300.0, 7 * DAY_SECONDS, 31 * DAY_SECONDS]
)
allowed = st.builds(Allow, pages, some, left_out, untils)
as_client = st.one_of(
    st.builds(Redeem, last),
    st.builds(Refresh, last, st.none() | some),
    st.builds(Again, pages, some),
    st.builds(GiveBack, last),
)
as_owner = st.one_of(
    st.builds(Deny, pages),
    st.builds(Revoke, st.sampled_from([WEB, LOCAL, PROGRAM])),
    st.builds(ByHand, some, st.sampled_from([60.0, 600.0, 2 * DAY_SECONDS])),
)
# Most often a yes of which something comes at once; then time passes, and what is left is renewed.
paired = allowed.map(lambda allow: [allow, Redeem(-1)])
renewed = st.builds(
    lambda seconds, token, scopes: [Forward(seconds), Refresh(token, scopes)], spans, last, st.none() | some
)
single = st.one_of(allowed, as_client, as_owner, st.builds(Forward, spans)).map(lambda step: [step])
again = st.builds(lambda page, scopes: [Again(page, scopes), Redeem(-1)], pages, some)
steps = st.lists(st.one_of(paired, paired, renewed, again, single, single), min_size=8, max_size=16).map(
    lambda groups: [step for group in groups for step in group]
)


async def play(steps: Sequence[Step]) -> None:
    clock = FakeClock()
    with tempfile.TemporaryDirectory() as folder:
        async with Store.open(Path(folder) / "grants.sqlite", clock=clock) as store:
            world = World(store, clock)
            for step in steps:
                await world.take(step)
                world.check()
            world.clock.forward(200 * DAY_SECONDS)
            world.check()


@pytest.mark.broad
@settings(max_examples=100, deadline=None)
@given(steps=steps)
def test_whatever_happens_no_scope_is_usable_that_is_not_allowed_now(steps: list[Step]) -> None:
    asyncio.run(play(steps))
