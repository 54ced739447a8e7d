"""An answer is about the key that asks: no other key of its client gains by it, and none loses."""

import pytest

from oauth.errors import RequestRefused
from oauth.server.issuer import DAY_SECONDS
from oauth.server.verify import Verifier
from oauth.store import Store
from tests.oauth.clock import FakeClock
from tests.oauth.desk import Desk
from tests.oauth.page import Page
from tests.oauth.server.test_until import BOTH, CONTROL, READ, allows, granted, may, pairs


async def test_what_was_taken_from_one_key_does_not_come_back_with_a_yes_to_another(
    desk: Desk, verifier: Verifier
) -> None:
    one, other = desk.page(), desk.page()
    first = (await pairs(desk, one)).body
    await pairs(desk, one, READ)  # as asked for READ alone: CONTROL stays
    desk.server.allow(desk.server.authorization_request(one.authorize_query()), READ)
    await pairs(desk, other, CONTROL)

    assert READ == may(verifier, one, first["access_token"])
    assert "player:read" == (await desk.refresh(one, first["refresh_token"])).body["scope"]
    assert None is desk.server.remembered(desk.server.authorization_request(one.authorize_query()))


async def test_a_day_that_is_over_does_not_come_back_with_a_yes_to_another(desk: Desk, clock: FakeClock) -> None:
    one, other = desk.page(), desk.page()
    await pairs(desk, one, READ)
    daily = (await pairs(desk, one, CONTROL, "day")).body
    clock.forward(3 * DAY_SECONDS)
    await pairs(desk, other, CONTROL)

    assert "invalid_grant" == (await desk.refresh(one, daily["refresh_token"])).body["error"]
    asked = desk.server.authorization_request(one.authorize_query(scope="player:control"))
    assert None is desk.server.remembered(asked)


async def test_a_day_for_one_key_shortens_nothing_for_another(desk: Desk, clock: FakeClock, store: Store) -> None:
    bank, evil = desk.page(), desk.page()
    kept = (await pairs(desk, bank)).body
    await pairs(desk, evil, BOTH, "day")
    clock.forward(2 * DAY_SECONDS)

    assert 200 == (await desk.refresh(bank, kept["refresh_token"])).status
    assert (BOTH, None) == (granted(store, bank.origin).scopes_at(clock()), granted(store, bank.origin).ends_at)


@pytest.mark.parametrize("is_paired", [True, False])
async def test_a_no_to_one_key_leaves_another_alone_also_before_its_code_is_used(
    desk: Desk, *, is_paired: bool
) -> None:
    bank, evil = desk.page(), desk.page()
    if is_paired:
        await pairs(desk, bank)
    code = allows(desk, bank)

    desk.server.deny(desk.server.authorization_request(evil.authorize_query()))

    assert 200 == (await desk.redeem(bank, code)).status


async def test_a_no_ends_what_the_key_itself_was_allowed(desk: Desk, verifier: Verifier, store: Store) -> None:
    one, other = desk.page(), desk.page()
    mine, theirs = (await pairs(desk, one)).body, (await pairs(desk, other, READ)).body
    code = allows(desk, one)

    desk.server.deny(desk.server.authorization_request(one.authorize_query()))

    assert frozenset() == may(verifier, one, mine["access_token"])
    assert "invalid_grant" == (await desk.redeem(one, code)).body["error"]
    assert READ == may(verifier, other, theirs["access_token"])
    assert READ == granted(store, one.origin).scopes


@pytest.mark.parametrize("until", ["once", "day", "revoked"])
async def test_a_code_gives_no_more_than_the_last_answer_about_its_key(
    desk: Desk, clock: FakeClock, verifier: Verifier, until: str
) -> None:
    page = desk.page()
    code = allows(desk, page, BOTH, until)  # type: ignore[arg-type]  # one of them
    desk.server.allow(desk.server.authorization_request(page.authorize_query()), READ, "day")

    token = (await desk.redeem(page, code)).body["access_token"]

    assert READ == may(verifier, page, token)


async def test_programs_of_one_name_are_told_apart(desk: Desk) -> None:
    first, second = Page("native:lamp"), Page("native:lamp")
    query = {"redirect_uri": "http://127.0.0.1:5000/", "dpop_jkt": None}

    async def token(page: Page, scopes: frozenset[str]) -> dict[str, str]:
        asked = desk.server.authorization_request(page.authorize_query(scope=" ".join(scopes), **query))
        code = desk.server.allow(asked, scopes).partition("code=")[2].partition("&")[0]
        form = page.code_form(code, redirect_uri="http://127.0.0.1:5000/")
        body: dict[str, str] = (await desk.ask_natively(form)).body
        return body

    reader = await token(first, READ)
    await token(second, CONTROL)

    answer = await desk.ask_natively(first.refresh_form(reader["refresh_token"]))
    assert "player:read" == answer.body["scope"]


@pytest.mark.parametrize(("client", "is_told"), [("https://app.example", True), ("native:cli", False)])
def test_a_fault_is_told_to_a_page_on_its_own_origin_and_to_a_program_never(
    desk: Desk, client: str, *, is_told: bool
) -> None:
    page = Page(client)
    redirect = "http://127.0.0.1:8080/admin/delete?all=1" if client == "native:cli" else f"{client}/callback"

    with pytest.raises(RequestRefused) as refused:
        desk.server.authorization_request(page.authorize_query(redirect_uri=redirect, scope="no:such"))

    assert is_told == (refused.value.redirect is not None)
