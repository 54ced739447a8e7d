import pytest

from oauth.errors import InvalidGrant, InvalidRequest
from oauth.pkce import challenge_of, check_challenge, check_verifier

# RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_challenge_of_rfc_7636_appendix_b() -> None:
    assert challenge_of(VERIFIER) == CHALLENGE


def test_the_right_verifier_is_returned() -> None:
    assert check_verifier(VERIFIER, CHALLENGE) == VERIFIER


def test_another_verifier_is_refused() -> None:
    with pytest.raises(InvalidGrant):
        check_verifier(VERIFIER[:-1] + "l", CHALLENGE)


@pytest.mark.parametrize("verifier", [None, "", "a" * 42, "a" * 129, "a" * 42 + "+", "a" * 42 + "é", "a" * 43 + "\n"])
def test_a_malformed_verifier_is_refused(verifier: str | None) -> None:
    with pytest.raises(InvalidRequest):
        check_verifier(verifier, CHALLENGE)


@pytest.mark.parametrize(
    ("challenge", "method"),
    [
        (None, "S256"),
        (CHALLENGE, None),
        (CHALLENGE, "plain"),
        (CHALLENGE, "s256"),
        (CHALLENGE[:-1], "S256"),
        (CHALLENGE + "=", "S256"),
        (CHALLENGE + "A", "S256"),
    ],
)
def test_anything_but_an_s256_challenge_is_refused(challenge: str | None, method: str | None) -> None:
    with pytest.raises(InvalidRequest):
        check_challenge(challenge, method)
