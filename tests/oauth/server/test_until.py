"""For how long a yes holds: for one token, a day, a week, or until it is taken back; never longer."""

from pathlib import Path

import pytest

from oauth.errors import AccessRefused, InvalidRequest
from oauth.models import Grant, Until
from oauth.server.answers import untils
from oauth.server.codes import CODE_SECONDS
from oauth.server.issuer import ACCESS_SECONDS, DAY_SECONDS, REFRESH_TOTAL_SECONDS
from oauth.server.results import TokenResult
from oauth.server.verify import Verifier
from oauth.store import Store
from tests.oauth.clock import FakeClock
from tests.oauth.desk import BASE, Desk, answer_of
from tests.oauth.page import Page

READ, CONTROL = frozenset({"player:read"}), frozenset({"player:control"})
BOTH = READ | CONTROL
LOCAL = "http://localhost:3000"


def allows(desk: Desk, page: Page, scopes: frozenset[str] = BOTH, until: Until | None = None) -> str:
    """Ask for ``scopes``, have them allowed, and return the code."""
    request = desk.server.authorization_request(page.authorize_query(scope=" ".join(scopes)))
    return answer_of(desk.server.allow(request, scopes, until))["code"]


async def pairs(desk: Desk, page: Page, scopes: frozenset[str] = BOTH, until: Until | None = None) -> TokenResult:
    answer = await desk.redeem(page, allows(desk, page, scopes, until))
    assert 200 == answer.status, answer
    return answer


def may(verifier: Verifier, page: Page, token: str) -> frozenset[str]:
    """Return what ``token`` is good for now."""
    proofs = [page.proof("GET", f"{BASE}/v1/apps", token)]
    try:
        return verifier.verify(
            authorization=f"DPoP {token}", proofs=proofs, method="GET", url=f"{BASE}/v1/apps", origin=page.origin
        ).scopes
    except AccessRefused:
        return frozenset()


def bearer(verifier: Verifier, token: str) -> frozenset[str]:
    url = f"{BASE}/v1/apps"
    try:
        return verifier.verify(authorization=f"Bearer {token}", proofs=[], method="GET", url=url, origin=None).scopes
    except AccessRefused:
        return frozenset()


def granted(store: Store, client: str) -> Grant:
    grant = store.grant_of(client)
    assert grant is not None
    return grant


# Once.


async def test_once_is_one_access_token(desk: Desk, verifier: Verifier, clock: FakeClock, store: Store) -> None:
    page = desk.page()
    code = allows(desk, page, BOTH, "once")
    answer = await desk.redeem(page, code)

    assert ("refresh_token" in answer.body, answer.body["expires_in"]) == (False, ACCESS_SECONDS)
    token = answer.body["access_token"]
    clock.forward(ACCESS_SECONDS - 0.1)
    assert BOTH == may(verifier, page, token)
    clock.forward(0.1)
    assert frozenset() == may(verifier, page, token)
    assert "invalid_grant" == (await desk.redeem(page, code)).body["error"]
    clock.forward(CODE_SECONDS)
    assert (None, frozenset()) == (store.grant_of(page.origin), store.approved_origins())


async def test_once_is_never_part_of_the_grant(desk: Desk, store: Store, clock: FakeClock) -> None:
    page = desk.page()
    await pairs(desk, page, BOTH, "once")

    grant = granted(store, page.origin)
    assert (True, frozenset(), {}) == (grant.is_allowed, grant.scopes, grant.limits)
    request = desk.server.authorization_request(page.authorize_query())
    assert None is desk.server.remembered(request), "it is asked about again"


async def test_once_beside_a_lasting_yes_changes_nothing_of_it(
    desk: Desk, store: Store, verifier: Verifier, clock: FakeClock
) -> None:
    page = desk.page()
    lasting = (await pairs(desk, page, READ)).body
    before = granted(store, page.origin)

    once = (await pairs(desk, page, CONTROL, "once")).body

    assert before == granted(store, page.origin)
    assert (READ, CONTROL) == (may(verifier, page, lasting["access_token"]), may(verifier, page, once["access_token"]))
    renewed = (await desk.refresh(page, lasting["refresh_token"])).body
    assert "player:read" == renewed["scope"]
    wider = await desk.refresh(page, renewed["refresh_token"], scope="player:read player:control")
    assert "invalid_scope" == wider.body["error"]
    clock.forward(ACCESS_SECONDS)
    assert frozenset() == may(verifier, page, once["access_token"])
    again = (await desk.refresh(page, renewed["refresh_token"])).body
    assert READ == may(verifier, page, again["access_token"])


async def test_once_is_not_made_to_last_by_what_another_key_was_allowed(desk: Desk) -> None:
    page, other = desk.page(), desk.page()
    await pairs(desk, other, BOTH, "revoked")
    await pairs(desk, page, BOTH, "once")

    assert None is desk.server.remembered(desk.server.authorization_request(page.authorize_query()))
    assert "allowed" == desk.server.remembered(desk.server.authorization_request(other.authorize_query()))


async def test_a_lasting_yes_to_less_leaves_the_token_for_once_as_it_was(
    desk: Desk, verifier: Verifier, clock: FakeClock
) -> None:
    page = desk.page()
    once = (await pairs(desk, page, BOTH, "once")).body["access_token"]
    await pairs(desk, page, READ)

    assert BOTH == may(verifier, page, once)
    clock.forward(ACCESS_SECONDS)
    assert frozenset() == may(verifier, page, once)


async def test_each_yes_for_once_has_its_whole_time(desk: Desk, verifier: Verifier, clock: FakeClock) -> None:
    page = desk.page()
    await pairs(desk, page, BOTH, "once")
    clock.forward(CODE_SECONDS + ACCESS_SECONDS - 30)
    code = allows(desk, page, BOTH, "once")
    clock.forward(CODE_SECONDS - 1)

    answer = await desk.redeem(page, code)

    assert (200, ACCESS_SECONDS) == (answer.status, answer.body["expires_in"])
    clock.forward(ACCESS_SECONDS - 1)
    assert BOTH == may(verifier, page, answer.body["access_token"])


async def test_once_at_the_end_of_a_day_extends_nothing(desk: Desk, verifier: Verifier, clock: FakeClock) -> None:
    page = desk.page(LOCAL)
    day = (await pairs(desk, page, READ, "day")).body
    clock.forward(DAY_SECONDS - 60)
    day = (await desk.refresh(page, day["refresh_token"])).body

    once = (await pairs(desk, page, CONTROL, "once")).body

    assert ACCESS_SECONDS == once["expires_in"]
    clock.forward(60)
    assert frozenset() == granted(desk.store, LOCAL).scopes_at(clock())
    assert (frozenset(), CONTROL) == (
        may(verifier, page, day["access_token"]),
        may(verifier, page, once["access_token"]),
    )
    assert 400 == (await desk.refresh(page, day["refresh_token"])).status


async def test_a_session_for_once_ends_with_its_token(desk: Desk, store: Store, clock: FakeClock) -> None:
    page = desk.page()
    await pairs(desk, page, READ)
    await pairs(desk, page, CONTROL, "once")
    grant = granted(store, page.origin)
    (once,) = [pairing for pairing in store.pairings(grant.id) if pairing.is_once]

    assert CONTROL == store.allowed(grant.id, once.id)
    clock.forward(ACCESS_SECONDS)
    assert None is store.allowed(grant.id, once.id)
    assert READ == granted(store, page.origin).scopes


async def test_a_no_ends_the_token_for_once(desk: Desk, verifier: Verifier) -> None:
    page = desk.page()
    token = (await pairs(desk, page, BOTH, "once")).body["access_token"]

    desk.server.deny(desk.server.authorization_request(page.authorize_query()))

    assert frozenset() == may(verifier, page, token)


# A day, a week, until revoked.


@pytest.mark.parametrize(
    ("origin", "until", "seconds"),
    [
        ("https://app.example", "day", DAY_SECONDS),
        (LOCAL, "day", DAY_SECONDS),
        (LOCAL, None, DAY_SECONDS),
        (LOCAL, "week", 7 * DAY_SECONDS),
    ],
)
async def test_a_yes_ends_when_it_was_to_end(
    desk: Desk, verifier: Verifier, clock: FakeClock, store: Store, origin: str, until: Until | None, seconds: float
) -> None:
    page = desk.page(origin)
    code = allows(desk, page, BOTH, until)
    clock.forward(300)  # the time runs from the owner's yes
    tokens = (await desk.redeem(page, code)).body
    clock.forward(seconds - 300 - 60)
    tokens = (await desk.refresh(page, tokens["refresh_token"])).body
    assert 60 == tokens["expires_in"]
    assert BOTH == may(verifier, page, tokens["access_token"])

    clock.forward(60)

    assert frozenset() == may(verifier, page, tokens["access_token"])
    assert "invalid_grant" == (await desk.refresh(page, tokens["refresh_token"])).body["error"]
    assert (None, ()) == (store.grant_of(origin), store.grants())


async def test_until_revoked_has_no_end_but_that_of_its_tokens(desk: Desk, store: Store, clock: FakeClock) -> None:
    page = desk.page()
    await pairs(desk, page, BOTH, "revoked")
    clock.forward(1000 * DAY_SECONDS)

    assert (None, {}) == (granted(store, page.origin).ends_at, granted(store, page.origin).limits)


def test_who_may_be_allowed_for_how_long(desk: Desk) -> None:
    assert (("once", "day", "revoked"), ("once", "day", "week")) == (
        untils(is_development=False),
        untils(is_development=True),
    )
    for origin, wrong in (("https://app.example", "week"), (LOCAL, "revoked"), ("http://127.0.0.1:1", "revoked")):
        page = desk.page(origin)
        with pytest.raises(InvalidRequest):
            allows(desk, page, BOTH, wrong)  # type: ignore[arg-type]  # it is one of the four


async def test_each_scope_has_its_own_limit(desk: Desk, verifier: Verifier, clock: FakeClock, store: Store) -> None:
    page = desk.page()
    await pairs(desk, page, READ, "revoked")
    tokens = (await pairs(desk, page, CONTROL, "day")).body
    clock.forward(DAY_SECONDS - 1)
    tokens = (await desk.refresh(page, tokens["refresh_token"])).body
    both = (await pairs_again(desk, page)).body
    assert BOTH == may(verifier, page, both["access_token"])

    clock.forward(1)

    assert READ == may(verifier, page, both["access_token"])
    assert READ == granted(store, page.origin).scopes_at(clock())
    assert "player:read" == (await desk.refresh(page, both["refresh_token"])).body["scope"]
    # It is told so that it asks anew: nothing comes of this token any more.
    assert "invalid_grant" == (await desk.refresh(page, tokens["refresh_token"])).body["error"]
    narrowed = await desk.refresh(page, both["refresh_token"], scope="player:control")
    assert "invalid_scope" == narrowed.body["error"]
    request = desk.server.authorization_request(page.authorize_query())
    assert None is desk.server.remembered(request), "the one that ended is asked about again"


async def pairs_again(desk: Desk, page: Page) -> TokenResult:
    redirect = desk.server.allow_again(desk.server.authorization_request(page.authorize_query()))
    return await desk.redeem(page, answer_of(redirect)["code"])


async def test_a_yes_that_is_used_again_is_not_extended(
    desk: Desk, verifier: Verifier, clock: FakeClock, store: Store
) -> None:
    page = desk.page()
    await pairs(desk, page, BOTH, "day")
    before = granted(store, page.origin)
    clock.forward(DAY_SECONDS - 60)

    tokens = (await pairs_again(desk, page)).body

    assert before == granted(store, page.origin)
    clock.forward(60)
    assert frozenset() == may(verifier, page, tokens["access_token"])
    assert "invalid_grant" == (await desk.refresh(page, tokens["refresh_token"])).body["error"]


async def test_a_new_yes_starts_the_day_anew_and_a_shorter_one_shortens_it(
    desk: Desk, store: Store, clock: FakeClock
) -> None:
    page = desk.page()
    await pairs(desk, page, BOTH, "day")
    clock.forward(3600)
    await pairs(desk, page, BOTH, "day")
    assert clock() + DAY_SECONDS == granted(store, page.origin).ends_at

    await pairs(desk, page, BOTH, "revoked")
    assert None is granted(store, page.origin).ends_at
    await pairs(desk, page, BOTH, "day")
    assert clock() + DAY_SECONDS == granted(store, page.origin).ends_at


async def test_a_code_gives_no_more_than_is_allowed_when_it_is_redeemed(desk: Desk) -> None:
    page = desk.page()
    code = allows(desk, page, BOTH, "day")
    again = desk.server.authorization_request(page.authorize_query())
    desk.server.allow(again, READ, "day")  # the owner has thought better of the other

    assert "player:read" == (await desk.redeem(page, code)).body["scope"]


async def test_a_yes_that_ends_leaves_the_no_that_others_were_told(desk: Desk, store: Store, clock: FakeClock) -> None:
    page, other = desk.page(), desk.page()
    await pairs(desk, page, BOTH, "day")
    asked = desk.server.authorization_request(other.authorize_query())
    desk.server.deny(asked)
    clock.forward(DAY_SECONDS)

    left = granted(store, page.origin)

    assert (False, frozenset(), None, {}, (other.jkt,)) == (
        left.is_allowed,
        left.scopes,
        left.salt,
        left.limits,
        left.denied_keys,
    )
    assert "denied" == desk.server.remembered(asked)
    assert () == store.pairings(left.id)


async def test_a_no_to_a_paired_key_keeps_what_other_keys_were_told(desk: Desk, store: Store) -> None:
    page, other = desk.page(), desk.page()
    await pairs(desk, page)
    desk.server.deny(desk.server.authorization_request(other.authorize_query()))

    desk.server.deny(desk.server.authorization_request(page.authorize_query()))

    assert (other.jkt, page.jkt) == granted(store, page.origin).denied_keys


async def test_a_no_that_follows_a_yes_ends_the_code_too(desk: Desk) -> None:
    page, other = desk.page(), desk.page()
    await pairs(desk, other)  # the grant is another key's as well, and lives on
    for until in ("once", "revoked"):
        code = allows(desk, page, BOTH, until)  # type: ignore[arg-type]  # one of the four
        desk.server.deny(desk.server.authorization_request(page.authorize_query()))

        assert "invalid_grant" == (await desk.redeem(page, code)).body["error"]


async def test_what_the_owner_answered_is_the_same_after_a_restart(path: Path, clock: FakeClock) -> None:
    async with Store.open(path, clock=clock) as store:
        desk = Desk(store, clock)
        page, once = desk.page(), desk.page("https://once.example")
        await pairs(desk, page, READ, "revoked")
        day = (await pairs(desk, page, CONTROL, "day")).body
        token = (await pairs(desk, once, BOTH, "once")).body["access_token"]
        kept = store.grants()

    async with Store.open(path, clock=clock) as store:
        assert {grant.id: grant for grant in kept} == {grant.id: grant for grant in store.grants()}
        desk = Desk(store, clock)
        verifier = Verifier(store, base=BASE, nonces=desk.nonces)
        page._nonce, once._nonce = (desk.page(one.origin)._nonce for one in (page, once))
        assert (CONTROL, BOTH) == (may(verifier, page, day["access_token"]), may(verifier, once, token))
        clock.forward(ACCESS_SECONDS)
        assert frozenset() == may(verifier, once, token)
        clock.forward(DAY_SECONDS)
        assert READ == granted(store, page.origin).scopes_at(clock())


async def test_a_grant_of_a_version_before_limits_keeps_its_end(store: Store, desk: Desk, clock: FakeClock) -> None:
    page = desk.page(LOCAL)
    old = Grant(
        id="old",
        client_id=LOCAL,
        is_allowed=True,
        scopes=READ,
        created_at=clock(),
        ends_at=clock() + 3600,
        is_development=True,
    )
    store.answer(old)

    await pairs(desk, page, CONTROL, "week")
    clock.forward(3600)

    assert CONTROL == granted(store, LOCAL).scopes_at(clock())


# Programs that the owner gives a token by hand.


def test_a_token_by_hand_ends_with_its_time_and_so_does_its_scope(
    desk: Desk, verifier: Verifier, clock: FakeClock, store: Store
) -> None:
    issue = desk.server.issue_native
    short = issue("cli", CONTROL, 60)["access_token"]
    long = issue("cli", READ, 3600)["access_token"]

    assert (CONTROL, READ) == (bearer(verifier, short), bearer(verifier, long))
    clock.forward(60)
    assert (frozenset(), READ) == (bearer(verifier, short), bearer(verifier, long))
    assert READ == granted(store, "native:cli").scopes_at(clock())
    clock.forward(3540)
    assert frozenset() == bearer(verifier, long)
    assert None is store.grant_of("native:cli")


def test_a_shorter_token_by_hand_does_not_shorten_a_longer_one(
    desk: Desk, verifier: Verifier, clock: FakeClock
) -> None:
    long, short = (desk.server.issue_native("cli", READ, ttl)["access_token"] for ttl in (3600, 60))
    clock.forward(60)

    assert (READ, frozenset()) == (bearer(verifier, long), bearer(verifier, short))


def test_a_token_by_hand_lives_180_days_at_most(desk: Desk) -> None:
    for ttl in (0, -1, REFRESH_TOTAL_SECONDS + 1, float("nan"), float("inf")):
        with pytest.raises(InvalidRequest):
            desk.server.issue_native("cli", READ, ttl)
