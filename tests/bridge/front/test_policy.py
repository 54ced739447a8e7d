"""The allow and deny table of the outermost decision: one row a case."""

import pytest

from bridge.front.policy import REMEDIES, Answer, Kind, Place, Reason, Refused, may_speak, may_speak_natively

HOST = "127.0.0.1:4380"
BASE = f"http://{HOST}"
APPROVED = "https://app.example"
FORMER = "https://former.example"
STRANGER = "https://stranger.example"
PLACE = Place(HOST, frozenset({APPROVED}), frozenset({APPROVED, FORMER}))

SAME = {"Sec-Fetch-Site": "same-origin"}
NAVIGATION = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}


def speak(kind: Kind, headers: dict[str, str] | list[tuple[str, str]], **changes: object) -> str | None:
    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    raw = [(b"Host", HOST.encode())] if not any(name.lower() == "host" for name, _ in pairs) else []
    raw += [(name.encode(), value.encode("latin-1")) for name, value in pairs]
    request = {"method": "GET", "target": "/v1/apps", "version": (1, 1), "headers": raw, **changes}
    return may_speak(kind, PLACE, **request).origin  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "headers", "method", "origin"),
    [
        (Kind.PAGE, NAVIGATION, "GET", BASE),
        (Kind.PAGE, {**NAVIGATION, "Origin": BASE}, "GET", BASE),
        (Kind.STATIC, SAME, "GET", BASE),  # Firefox sends no Origin on module scripts
        (Kind.STATIC, {**SAME, "Origin": BASE}, "GET", BASE),  # Chromium does
        (Kind.OWN, {"Origin": BASE}, "POST", BASE),
        (Kind.OWN, SAME, "GET", BASE),
        (Kind.OPEN, {}, "GET", None),
        (Kind.OPEN, {"Sec-Fetch-Mode": "cors"}, "GET", None),  # Node's fetch
        (Kind.OPEN, {"Origin": STRANGER}, "GET", STRANGER),
        (Kind.OPEN, {"Origin": "http://localhost:4390"}, "GET", "http://localhost:4390"),
        (Kind.OPEN, {"Origin": "http://127.0.0.1:9"}, "GET", "http://127.0.0.1:9"),
        (Kind.OPEN, SAME, "GET", BASE),
        (Kind.API, {}, "GET", None),
        (Kind.API, {"Origin": APPROVED}, "POST", APPROVED),
        (Kind.API, {"Origin": BASE}, "POST", BASE),
        (Kind.API, SAME, "GET", BASE),
        (Kind.SOCKET, {"Origin": FORMER}, "GET", FORMER),
    ],
)
def test_may_speak(kind: Kind, headers: dict[str, str], method: str, origin: str | None) -> None:
    assert origin == speak(kind, headers, method=method)


@pytest.mark.parametrize(
    ("kind", "headers", "reason", "answer"),
    [
        (Kind.PAGE, {}, Reason.NOT_A_NAVIGATION, Answer.HOW_TO_OPEN),
        (Kind.PAGE, {**NAVIGATION, "Sec-Fetch-Dest": "iframe"}, Reason.NOT_A_NAVIGATION, Answer.EMPTY),
        (Kind.PAGE, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "empty"}, Reason.NOT_A_NAVIGATION, Answer.EMPTY),
        (Kind.PAGE, {**NAVIGATION, "Origin": APPROVED}, Reason.ORIGIN_FOREIGN, Answer.EMPTY),
        (Kind.STATIC, {}, Reason.NOT_A_NAVIGATION, Answer.EMPTY),
        (Kind.STATIC, {"Sec-Fetch-Site": "same-site"}, Reason.NOT_A_NAVIGATION, Answer.EMPTY),
        (Kind.STATIC, {**SAME, "Origin": "null"}, Reason.ORIGIN_FOREIGN, Answer.EMPTY),
        (Kind.OWN, {}, Reason.ORIGIN_FOREIGN, Answer.EMPTY),
        (Kind.OWN, {"Origin": APPROVED}, Reason.ORIGIN_FOREIGN, Answer.EMPTY),
        (Kind.OWN, {"Sec-Fetch-Site": "same-site"}, Reason.ORIGIN_FOREIGN, Answer.EMPTY),
        (Kind.OPEN, {"Origin": "null"}, Reason.ORIGIN_NULL, Answer.EMPTY),
        (Kind.OPEN, {"Origin": "file://"}, Reason.ORIGIN_MALFORMED, Answer.EMPTY),
        (Kind.OPEN, {"Origin": "http://app.example"}, Reason.ORIGIN_MALFORMED, Answer.EMPTY),
        (Kind.OPEN, {"Origin": "http://localhost.evil.example"}, Reason.ORIGIN_MALFORMED, Answer.EMPTY),
        (Kind.OPEN, {"Origin": "https://evil.example:443"}, Reason.ORIGIN_MALFORMED, Answer.EMPTY),
        (Kind.OPEN, {"Origin": "https://app.example/"}, Reason.ORIGIN_MALFORMED, Answer.EMPTY),
        (Kind.OPEN, {"Origin": "https://a@app.example"}, Reason.ORIGIN_MALFORMED, Answer.EMPTY),
        (Kind.OPEN, {"Origin": "http://[::1]:1"}, Reason.ORIGIN_MALFORMED, Answer.EMPTY),
        (Kind.OPEN, {"Origin": "http://203.0.113.9"}, Reason.ORIGIN_MALFORMED, Answer.EMPTY),
        (Kind.OPEN, {"Origin": "chrome-extension://abc"}, Reason.ORIGIN_MALFORMED, Answer.EMPTY),
        (Kind.OPEN, {"Origin": ""}, Reason.ORIGIN_MALFORMED, Answer.EMPTY),
        (Kind.OPEN, {"Sec-Fetch-Site": "cross-site"}, Reason.BROWSER_WITHOUT_ORIGIN, Answer.EMPTY),  # no-cors, <img>
        (Kind.OPEN, {"Sec-Fetch-Site": "same-site"}, Reason.BROWSER_WITHOUT_ORIGIN, Answer.EMPTY),  # another port
        (Kind.OPEN, {"Sec-Fetch-Site": "none"}, Reason.BROWSER_WITHOUT_ORIGIN, Answer.EMPTY),  # typed by a person
        (Kind.OPEN, {"Sec-Fetch-Dest": "script"}, Reason.BROWSER_WITHOUT_ORIGIN, Answer.EMPTY),
        (Kind.API, {"Origin": STRANGER}, Reason.ORIGIN_NOT_APPROVED, Answer.NOT_APPROVED),
        (Kind.API, {"Origin": FORMER}, Reason.ORIGIN_NOT_APPROVED, Answer.NOT_APPROVED),
        (Kind.API, {"Origin": APPROVED.upper()}, Reason.ORIGIN_MALFORMED, Answer.EMPTY),
        (Kind.API, {"Origin": f"{APPROVED}.evil.example"}, Reason.ORIGIN_NOT_APPROVED, Answer.NOT_APPROVED),
        (Kind.API, {"Origin": f"{APPROVED}, {STRANGER}"}, Reason.ORIGIN_MALFORMED, Answer.EMPTY),
        (Kind.API, {"Origin": "http://127.0.0.1:4381"}, Reason.ORIGIN_NOT_APPROVED, Answer.NOT_APPROVED),
        (Kind.SOCKET, {"Origin": STRANGER}, Reason.ORIGIN_NOT_APPROVED, Answer.EMPTY),
        *[
            (kind, {"Host": host}, Reason.HOST, Answer.EMPTY)
            for kind in Kind
            for host in (
                "",
                "127.0.0.1",
                "127.0.0.1:4381",
                "127.0.0.1:4380.",
                "127.0.0.1:4380@evil.example",
                "0127.0.0.1:4380",
                "[::1]:4380",
                "0.0.0.0:4380",
                "LOCALHOST:4380",
                "localhost.:4380",
                "localhost6:4380",
                "rebound.example:4380",
                " 127.0.0.1:4380",
            )
        ],
        (Kind.API, {"Host": "localhost:4380"}, Reason.HOST, Answer.MISDIRECTED),
        (Kind.API, {"Host": "localhost:4380", "Origin": APPROVED}, Reason.HOST, Answer.EMPTY),
        (Kind.API, {"Host": "app.example", "Origin": APPROVED}, Reason.HOST, Answer.EMPTY),
        (Kind.API, {"Host": "app.example:4380", "Origin": "http://app.example:4380"}, Reason.HOST, Answer.EMPTY),
        *[
            (kind, {name: "1"}, Reason.FORWARDED, Answer.CLOSE)
            for kind in Kind
            for name in ("Forwarded", "X-Forwarded-For", "x-forwarded-host", "X-Real-IP", "Via")
        ],
        *[
            (Kind.API, [("Host", HOST), (name, "x"), (name.lower(), "x")], Reason.REPEATED_HEADER, Answer.CLOSE)
            for name in ("Host", "Origin", "Authorization", "DPoP", "Content-Type")
        ],
    ],
)
def test_may_not_speak(kind: Kind, headers: dict[str, str], reason: Reason, answer: Answer) -> None:
    with pytest.raises(Refused) as refused:
        speak(kind, headers)

    assert (reason, answer) == (refused.value.reason, refused.value.answer)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize(
    "target", ["http://evil.example/v1/hello", "*", "evil.example:80", "", "/a b", "/\x7f", "/\xe9"]
)
def test_only_the_origin_form_is_a_target(kind: Kind, target: str) -> None:
    with pytest.raises(Refused) as refused:
        speak(kind, {}, target=target)

    assert Answer.CLOSE == refused.value.answer


@pytest.mark.parametrize("version", [(1, 0), (0, 9), (2, 0)])
def test_only_http_1_1_is_spoken(version: tuple[int, int]) -> None:
    with pytest.raises(Refused) as refused:
        speak(Kind.OPEN, {}, version=version)

    assert Reason.HTTP_VERSION == refused.value.reason


def test_own_post_without_origin_is_refused_even_from_our_own_page() -> None:
    with pytest.raises(Refused):
        speak(Kind.OWN, SAME, method="POST")


def test_a_page_never_uses_the_unix_socket() -> None:
    with pytest.raises(Refused) as refused:
        may_speak_natively([(b"origin", b"https://app.example")])

    assert Reason.ORIGIN_ON_SOCKET == refused.value.reason


def test_the_unix_socket_does_not_look_at_host() -> None:
    assert may_speak_natively([(b"Host", b"anything")]).is_unix


def test_every_reason_has_a_remedy() -> None:
    assert set(Reason) == set(REMEDIES)
