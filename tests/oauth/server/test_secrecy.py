import logging

import pytest

from tests.oauth.desk import BASE, Desk


@pytest.fixture(name="_everything_is_logged")
def _log_everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


@pytest.mark.usefixtures("_everything_is_logged")
async def test_no_token_code_or_secret_reaches_a_log_record(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    page, owner = desk.page(), desk.page(BASE)
    code = await desk.code(page)
    first = await desk.redeem(page, code)
    second = await desk.refresh(page, first.body["refresh_token"])
    await desk.redeem(page, code)
    link, _ = desk.server.activation_link()
    owners = await desk.activate(owner, link)
    native = desk.server.issue_native("cli", frozenset({"player:read"}), 60)

    text = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)

    assert "ended" in text, "the log was heard"
    tokens = [
        answer[name]
        for answer in (first.body, second.body, owners.body, native)
        for name in ("access_token", "refresh_token")
        if name in answer
    ]
    for secret in (*tokens, code, link, page.verifier):
        assert secret not in text


def test_authlib_stays_at_info_whatever_the_root_says(desk: Desk) -> None:
    assert desk.server is not None

    assert not logging.getLogger("authlib.oauth2.rfc6749.grants.refresh_token").isEnabledFor(logging.DEBUG)
