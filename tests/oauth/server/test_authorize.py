import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth.errors import RequestRefused
from oauth.server.authorize import answer_url, read_request
from tests.oauth.desk import BASE, SCOPES, answer_of
from tests.oauth.page import Page

ASKABLE = frozenset(SCOPES)


def _read(page: Page, **changes: str | None) -> object:
    return read_request(page.authorize_query(**changes), BASE, ASKABLE)  # type: ignore[arg-type]


def test_a_valid_request_is_read() -> None:
    page = Page("https://app.example")

    request = read_request(page.authorize_query(scope="player:read", state="s"), BASE, ASKABLE)

    assert request.client_id == "https://app.example"
    assert request.redirect_uri == "https://app.example/callback"
    assert request.scopes == {"player:read"}
    assert request.challenge == page.challenge
    assert request.dpop_jkt == page.jkt
    assert request.state == "s"
    assert not request.is_development


def test_unknown_parameters_are_ignored() -> None:
    _read(Page("https://app.example"), unknown="x", prompt="none")


def test_a_program_needs_no_key() -> None:
    request = read_request(
        Page("native:cli").authorize_query(redirect_uri="http://127.0.0.1:5000/", dpop_jkt=None), BASE, ASKABLE
    )

    assert request.dpop_jkt is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_id": None}, "invalid_request"),
        ({"client_id": ""}, "invalid_request"),
        ({"client_id": "https://App.example"}, "invalid_client"),
        ({"client_id": BASE, "redirect_uri": f"{BASE}/"}, "invalid_client"),
        ({"client_id": "http://localhost:4380", "redirect_uri": "http://localhost:4380/"}, "invalid_client"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/callback"}, "invalid_redirect_uri"),
        ({"redirect_uri": "https://app.example/callback#x"}, "invalid_redirect_uri"),
        ({"state": "x" * 9000}, "invalid_request"),
    ],
)
def test_nobody_is_sent_to_a_place_that_is_not_the_clients(changes: dict[str, str | None], code: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        _read(Page("https://app.example"), **changes)

    assert (caught.value.code, caught.value.redirect) == (code, None)


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_a_repeated_client_or_redirect_uri_is_told_to_nobody(name: str) -> None:
    query = Page("https://app.example").authorize_query()

    with pytest.raises(RequestRefused) as caught:
        read_request(f"{query}&{name}=x", BASE, ASKABLE)

    assert caught.value.redirect is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": 'code"\\'}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "player:read  player:control"}, "invalid_scope"),
        ({"scope": "player:read unknown"}, "invalid_scope"),
        ({"scope": "owner"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"dpop_jkt": None}, "invalid_request"),
        ({"dpop_jkt": "x" * 42}, "invalid_request"),
        ({"dpop_jkt": "x" * 42 + "="}, "invalid_request"),
    ],
)
def test_the_client_is_told_of_every_other_error_with_state_and_issuer(
    changes: dict[str, str | None], code: str
) -> None:
    with pytest.raises(RequestRefused) as caught:
        _read(Page("https://app.example"), **changes)

    assert caught.value.code == code
    assert caught.value.redirect is not None
    assert caught.value.redirect.startswith("https://app.example/callback?")
    assert answer_of(caught.value.redirect) == {
        "error": code,
        "error_description": caught.value.description,
        "state": "state-of-the-page",
        "iss": BASE,
    }


@pytest.mark.parametrize(
    "name", ["response_type", "scope", "state", "code_challenge", "code_challenge_method", "dpop_jkt", "unknown"]
)
def test_a_repeated_parameter_is_refused(name: str) -> None:
    query = Page("https://app.example").authorize_query(unknown="x")

    with pytest.raises(RequestRefused) as caught:
        read_request(f"{query}&{name}=x", BASE, ASKABLE)

    assert caught.value.code == "invalid_request"
    assert caught.value.redirect is not None
    assert ("state" in answer_of(caught.value.redirect)) == (name != "state")


@pytest.mark.parametrize("state", ["x" * 1025, "é", "a\nb"])
def test_a_state_that_is_none_is_not_carried_back(state: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        _read(Page("https://app.example"), state=state)

    assert caught.value.redirect is not None
    assert "state" not in answer_of(caught.value.redirect)


@given(st.text(max_size=60))
def test_descriptions_never_repeat_what_was_sent_or_leave_the_allowed_characters(text: str) -> None:
    for name in ("response_type", "scope", "dpop_jkt", "code_challenge", "client_id", "redirect_uri"):
        with pytest.raises(RequestRefused) as caught:
            _read(Page("https://app.example"), **{name: f"~{text}"})

        assert all(" " <= character <= "~" and character not in '"\\' for character in caught.value.description)


@pytest.mark.parametrize(
    ("redirect", "expected"),
    [
        ("https://a.example", "https://a.example?code=c&state=s+t&iss=http%3A%2F%2F127.0.0.1%3A4380"),
        ("https://a.example/?", "https://a.example/?code=c&state=s+t&iss=http%3A%2F%2F127.0.0.1%3A4380"),
        ("https://a.example/?x=1", "https://a.example/?x=1&code=c&state=s+t&iss=http%3A%2F%2F127.0.0.1%3A4380"),
    ],
)
def test_an_answer_is_added_to_the_query_that_is_there(redirect: str, expected: str) -> None:
    assert answer_url(BASE, redirect, "s t", {"code": "c"}) == expected
