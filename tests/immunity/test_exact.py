"""No Host and no Origin is accepted but the exact ones, whatever is sent: the decision, searched by hypothesis."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.front.policy import Kind, Place, may_speak
from bridge.front.reasons import Refused

HOST = "127.0.0.1:4380"
BASE = f"http://{HOST}"
APPROVED = "https://app.example"
FORMER = "https://former.example"
PLACE = Place(HOST, frozenset({APPROVED}), frozenset({APPROVED, FORMER}))

# What may be an origin at all, in one line, written apart from the one in the product.
WELL_FORMED = re.compile(r"https://[a-z0-9_.-]+(:[0-9]{1,5})?|http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?", re.ASCII)

BYTES = st.binary(max_size=40)
KINDS = st.sampled_from(list(Kind))
NOISE = st.sampled_from([bytes((number,)) for number in range(256)] + [b"%00", b"\xe2\x80\x8b", b"0x7f", b"localhost"])


@st.composite
def near(draw: st.DrawFn, good: bytes) -> bytes:
    """Draw something that is almost ``good``: a byte more, less or other, another case, two of them."""
    text = bytearray(good)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        match draw(st.sampled_from(["more", "less", "other", "case", "twice"])):
            case "more":
                text[at:at] = draw(NOISE)
            case "less":
                del text[at : at + 1]
            case "other":
                text[at : at + 1] = draw(NOISE)
            case "case":
                text[at : at + 1] = bytes(text[at : at + 1]).swapcase()
            case "twice":
                text += draw(st.sampled_from([b", ", b" ", b",", b"@", b"#"])) + good
    return bytes(text)


def speaks(kind: Kind, *headers: tuple[bytes, bytes], method: str = "GET") -> str | None:
    """Return who speaks: an origin, "native", or None for a refusal."""
    try:
        speaker = may_speak(kind, PLACE, method=method, target="/v1/apps", version=(1, 1), headers=headers)
    except Refused:
        return None
    return speaker.origin or "native"


@pytest.mark.parametrize("kind", [Kind.OPEN, Kind.API, Kind.SOCKET])
def test_the_exact_ones_are_accepted(kind: Kind) -> None:
    host = (b"Host", HOST.encode())

    assert "native" == speaks(kind, host)
    assert [APPROVED, BASE] == [speaks(kind, host, (b"Origin", text.encode())) for text in (APPROVED, BASE)]


@given(KINDS, BYTES | near(HOST.encode()), st.sampled_from([None, APPROVED, BASE]))
@example(Kind.API, b"localhost:4380", None)
@example(Kind.API, b"127.0.0.1:4380 ", None)
@example(Kind.OPEN, b"127.0.0.1:04380", None)
def test_no_other_host_is_accepted(kind: Kind, host: bytes, origin: str | None) -> None:
    sent = [] if origin is None else [(b"Origin", origin.encode())]

    assert host == HOST.encode() or speaks(kind, (b"Host", host), *sent) is None


@given(KINDS, st.sampled_from([None, APPROVED, BASE]))
def test_no_host_at_all_is_not_accepted(kind: Kind, origin: str | None) -> None:
    sent = [] if origin is None else [(b"Origin", origin.encode())]

    assert speaks(kind, *sent) is None


@given(KINDS, BYTES | near(HOST.encode()))
def test_a_second_host_is_not_accepted(kind: Kind, host: bytes) -> None:
    good = (b"Host", HOST.encode())

    assert speaks(kind, good, (b"hOST", host)) is None
    assert speaks(kind, (b"host", host), good) is None


@given(BYTES | near(APPROVED.encode()) | near(BASE.encode()) | near(FORMER.encode()), st.sampled_from(["GET", "POST"]))
@example(b"null", "GET")
@example(b"", "GET")
@example(b"https://app.example.", "POST")
@example(b"HTTPS://app.example", "POST")
@example(FORMER.encode(), "POST")
def test_no_other_origin_is_accepted_where_a_grant_is_needed(origin: bytes, method: str) -> None:
    who = speaks(Kind.API, (b"Host", HOST.encode()), (b"Origin", origin), method=method)

    assert who == (origin.decode() if origin in (APPROVED.encode(), BASE.encode()) else None)


@given(BYTES | near(APPROVED.encode()) | near(FORMER.encode()))
def test_a_socket_is_opened_for_who_has_or_had_a_grant_and_nobody_else(origin: bytes) -> None:
    who = speaks(Kind.SOCKET, (b"Host", HOST.encode()), (b"Origin", origin))

    allowed = {text.encode() for text in (APPROVED, BASE, FORMER)}
    assert who == (origin.decode() if origin in allowed else None)


@given(BYTES | near(BASE.encode()), st.sampled_from([Kind.PAGE, Kind.STATIC, Kind.OWN]))
def test_our_own_pages_are_for_no_other_origin(origin: bytes, kind: Kind) -> None:
    navigation = (b"Sec-Fetch-Dest", b"document"), (b"Sec-Fetch-Site", b"same-origin")

    who = speaks(kind, (b"Host", HOST.encode()), (b"Origin", origin), *navigation)

    assert who == (BASE if origin == BASE.encode() else None)


@given(BYTES | near(b"https://any.example:8443") | near(b"http://localhost:4390") | near(b"http://127.0.0.1:9"))
@example(b"https://xn--80ak6aa92e.com")
@example("https://\u0430pp.example".encode())  # a Cyrillic letter
def test_where_anybody_may_ask_an_origin_is_taken_byte_for_byte_or_not_at_all(origin: bytes) -> None:
    who = speaks(Kind.OPEN, (b"Host", HOST.encode()), (b"Origin", origin))

    assert who is None or (who.encode() == origin and WELL_FORMED.fullmatch(who))


@given(KINDS, BYTES | near(APPROVED.encode()))
def test_a_second_origin_is_not_accepted(kind: Kind, origin: bytes) -> None:
    good = (b"Origin", APPROVED.encode())
    host = (b"Host", HOST.encode())

    assert speaks(kind, host, good, (b"ORIGIN", origin)) is None
    assert speaks(kind, host, (b"origin", origin), good) is None
