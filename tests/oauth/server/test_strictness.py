"""What both endpoints make of a field that is missing, empty, unknown or full of odd characters."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oauth.errors import RequestRefused
from tests.oauth.desk import Desk
from tests.oauth.page import Page

LOOPBACK = "http://127.0.0.1:5000/callback"


@pytest.mark.parametrize(("client", "redirect"), [("https://app.example", None), ("native:cli", LOOPBACK)])
@pytest.mark.parametrize("challenge", [None, ""])
def test_pages_and_programs_alike_have_a_challenge(
    desk: Desk, client: str, redirect: str | None, challenge: str | None
) -> None:
    page = Page(client)

    with pytest.raises(RequestRefused) as caught:
        desk.server.authorization_request(page.authorize_query(redirect_uri=redirect, code_challenge=challenge))

    assert caught.value.code == "invalid_request"
    # A page hears of it on its own origin. A program's address could be any port here, named by any page: only the
    # person is told.
    assert client.startswith("native:") == (caught.value.redirect is None)


async def test_a_field_that_nobody_knows_changes_nothing(desk: Desk) -> None:
    page = desk.page()

    answer = await desk.redeem(page, await desk.code(page, unknown="x"), unknown="y", nonce="z")

    assert answer.status == 200
    assert (await desk.refresh(page, answer.body["refresh_token"], unknown="y")).status == 200


async def test_an_empty_field_is_one_that_was_left_out(desk: Desk) -> None:
    page = desk.page()
    code = await desk.code(page, response_mode="")

    refused = await desk.redeem(page, code, code_verifier="")
    whole = await desk.redeem(page, await desk.code(page), scope="", client_secret="")
    refreshed = await desk.refresh(page, whole.body["refresh_token"], scope="")

    assert refused.body["error"] == "invalid_request"
    assert (whole.status, refreshed.status) == (200, 200)
    assert refreshed.body["scope"] == whole.body["scope"]


# One server for all examples: what is refused changes nothing in it.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(min_size=1, max_size=40))
async def test_no_refusal_repeats_what_was_sent_or_leaves_the_allowed_characters(desk: Desk, text: str) -> None:
    page, sent = desk.page(), f"~{text}~"
    fields = {"grant_type": "refresh_token", "refresh_token": "rt_x", "scope": "player:read"}

    for name in ("grant_type", "client_id", "refresh_token", "scope", "code", "code_verifier", "subject_token"):
        grant = {"code": "authorization_code", "code_verifier": "authorization_code"}.get(name, "refresh_token")
        answer = await desk.ask(page, page.token_form(**{**fields, "grant_type": grant, name: sent}))

        told = answer.body["error"], answer.body.get("error_description", "")
        assert answer.status == 400
        assert sent not in "".join(told)
        assert all(" " <= character <= "~" and character not in '"\\' for character in "".join(told))
