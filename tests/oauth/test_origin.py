from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth.errors import MalformedOrigin
from oauth.origin import is_development, parse_origin


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example",
        "https://app.example:8443",
        "https://xn--bcher-kva.example",
        "https://my_site.example",
        "https://localhost",
        "https://127.0.0.1:8443",
        "https://192.168.1.5",
        "https://a",
        "https://1a.2b",
        "http://localhost",
        "http://localhost:3000",
        "http://localhost:443",
        "http://127.0.0.1",
        "http://127.0.0.1:65535",
    ],
)
def test_an_origin_is_returned_byte_for_byte(origin: str) -> None:
    assert parse_origin(origin) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "https://",
        "https://app.example/",
        "https://app.example/path",
        "https://app.example?x",
        "https://app.example#x",
        "https://app.example\n",
        " https://app.example",
        "HTTPS://app.example",
        "https://App.example",
        "https://app.example:443",
        "https://app.example:",
        "https://app.example:0",
        "https://app.example:080",
        "https://app.example:65536",
        "https://app.example:99999",
        "https://app.example.",
        "https://.example",
        "https://app..example",
        "https://-app.example",
        "https://app-.example",
        "https://user@app.example",
        "https://user:pass@app.example",
        "https://bücher.example",
        "https://app.example\\@evil.example",
        "https://app.example%2e",
        "https://[::1]",
        "http://[::1]:3000",
        "https://127.1",
        "https://1.2.3",
        "https://0x7f.1",
        "https://0x7f000001",
        "https://127.0.0.01",
        "https://256.0.0.1",
        "https://2130706433",
        "https://example.5",
        "http://localhost:80",
        "http://127.0.0.1:80",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.2",
        "http://app.example",
        "http://0.0.0.0:3000",
        "file://",
        "data:text/html,x",
        "chrome-extension://abcdefghijklmnop",
        "ws://localhost:3000",
        "https://" + "a" * 64 + ".example",
        "https://" + "a." * 126 + "aa",
        "https://a, https://b",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(MalformedOrigin):
        parse_origin(text)


@given(st.from_regex(r"https?://[a-z0-9._:@/\[\]%-]{1,30}", fullmatch=True))
def test_what_is_accepted_has_a_host_and_nothing_after_it(text: str) -> None:
    try:
        origin = parse_origin(text)
    except MalformedOrigin:
        return

    parts = urlsplit(origin)
    assert parts.username is None
    assert parts.hostname is not None
    port = "" if parts.port is None else f":{parts.port}"
    assert f"{parts.scheme}://{parts.hostname}{port}" == origin


def test_http_origins_are_development() -> None:
    assert is_development("http://localhost:3000")
    assert not is_development("https://localhost:3000")
