import pytest

from oauth.errors import InvalidClient
from oauth.server.clients import ClientKind, parse_client, parse_token_client
from tests.oauth.desk import BASE


def test_a_page_is_its_origin() -> None:
    client = parse_client("https://app.example", BASE)

    assert (client.kind, client.origin, client.needs_proof) == (ClientKind.PAGE, "https://app.example", True)
    assert not client.is_development


def test_a_page_on_this_computer_is_development() -> None:
    assert parse_client("http://localhost:3000", BASE).is_development


def test_a_program_is_a_name() -> None:
    client = parse_client("native:my-program-2", BASE)

    assert (client.kind, client.origin, client.needs_proof) == (ClientKind.NATIVE, None, False)


@pytest.mark.parametrize(
    "client_id",
    [
        "",
        "null",
        "app.example",
        "https://app.example/",
        "native:",
        "native:Upper",
        "native:with_underscore",
        "native:" + "a" * 33,
        "native:a\n",
        "owner",
        BASE,
        "http://localhost:4380",
        "http://app.example",
        'https://app.example"',
    ],
)
def test_anything_else_is_no_client(client_id: str) -> None:
    with pytest.raises(InvalidClient):
        parse_client(client_id, BASE)


def test_our_own_base_asks_for_tokens_alone_and_as_the_owner() -> None:
    assert parse_token_client(BASE, BASE).kind is ClientKind.OWNER
    assert not parse_token_client(BASE, BASE).may_redirect_to(f"{BASE}/callback")


def test_our_other_spelling_is_no_client_at_the_token_endpoint_either() -> None:
    with pytest.raises(InvalidClient):
        parse_token_client("http://localhost:4380", BASE)


PAGE = "https://app.example"


@pytest.mark.parametrize(
    "uri", [PAGE, f"{PAGE}/", f"{PAGE}/a/b?c=d&e", f"{PAGE}?x", f"{PAGE}/%20", f"{PAGE}//x", f"{PAGE}/@"]
)
def test_a_page_is_answered_anywhere_on_its_origin(uri: str) -> None:
    assert parse_client(PAGE, BASE).may_redirect_to(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/callback",
        "https://evil.example/",
        "https://app.example.evil.example/",
        "https://app.example@evil.example/",
        "https://app.example:8443/",
        "https://app.example:443/",
        "https://app.example\\@evil.example/",
        "https://app.example\\/",
        "http://app.example/",
        "https://APP.example/",
        "https://app.example/#",
        "https://app.example/#fragment",
        "https://app.example/a b",
        "https://app.example/\n",
        "https://app.example/\u00e9",
        'https://app.example/"',
        "https://sub.app.example/",
        "javascript:alert(1)",
        "https://app.example/" + "a" * 2048,
    ],
)
def test_a_page_is_answered_nowhere_else(uri: str) -> None:
    assert not parse_client(PAGE, BASE).may_redirect_to(uri)


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:1/", "http://127.0.0.1:65535/cb?x=y", "http://127.0.0.1/cb", "http://127.0.0.1:5"]
)
def test_a_program_is_answered_on_any_loopback_port(uri: str) -> None:
    assert parse_client("native:cli", BASE).may_redirect_to(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost:5000/cb",
        "https://127.0.0.1:5000/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1@evil.example/cb",
        "http://127.0.0.1:5000@evil.example/cb",
        "http://user@127.0.0.1:5000/cb",
        "http://127.0.0.2:5000/cb",
        "http://[::1]:5000/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:5000/cb#x",
        "myapp://callback",
    ],
)
def test_a_program_is_answered_nowhere_else(uri: str) -> None:
    assert not parse_client("native:cli", BASE).may_redirect_to(uri)
