"""Every check of RFC 9449 4.3 refuses what it is there for: crafted proofs, noise, and the edges of the curve."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from oauth import dpop
from oauth.dpop import Proof, ProofVerifier
from oauth.errors import AccessRefused, ProofInvalid, UseNonce
from oauth.nonces import Nonces
from tests.oauth import p256
from tests.oauth.clock import FakeClock
from tests.oauth.crafted import REFUSED, Wanted, signature, unb64
from tests.oauth.page import Page, b64

URL = "http://127.0.0.1:4380/v1/apps/player/play"
TOKEN = "at_0123456789"


class Scene:
    """A verifier with its clock, and a page whose proofs it takes."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.nonces = Nonces(self.clock)
        self.proofs = ProofVerifier(clock=self.clock, nonces=self.nonces, per_key=1000, keys=100)
        self.page = Page(
            "https://app.example", clock=self.clock, nonce=lambda: self.nonces.current("https://app.example")
        )
        self.wanted = Wanted(self.page, "POST", URL, TOKEN)

    def verify(self, *values: str, **changes: Any) -> Proof:
        """Verify the values of DPoP headers for the one request of these tests."""
        wanted = {
            "client": self.page.origin,
            "method": "POST",
            "url": URL,
            "token": TOKEN,
            "jkt": self.page.jkt,
            **changes,
        }
        return self.proofs.verify(values, **wanted)

    def uses(self, proof: str) -> Proof:
        """Verify a proof and use it."""
        verified = self.verify(proof)
        self.proofs.use(verified)
        return verified

    def is_untouched(self) -> bool:
        """Whether nothing was remembered of a proof."""
        return not self.proofs._replay._current


@pytest.fixture(name="scene")
def _scene() -> Scene:
    return Scene()


UNHURRIED = settings(deadline=None)
"""This machine may be busy; an example that takes long is not wrong."""
ONE = Scene()
"""For examples by the hundred; nothing there is used, so that nothing is remembered."""


def test_there_are_enough_of_them() -> None:
    assert 190 <= len(REFUSED)


@pytest.mark.parametrize("name", REFUSED)
def test_a_crafted_proof_is_refused(scene: Scene, name: str) -> None:
    case, error = REFUSED[name]

    with pytest.raises(AccessRefused) as refused:
        scene.verify(*case(scene.wanted))

    assert error is refused.type
    assert scene.is_untouched()
    assert scene.page.jkt == scene.verify(scene.wanted.proof()).key  # and the right one still passes


@pytest.mark.parametrize(
    "changes",
    [
        {"htu": f"{URL}?wait=1"},
        {"htu": f"{URL}#top"},
        {"htu": f"{URL}?"},
        {"htu": URL.replace("http", "HTTP")},
        {"jti": "x" * 8},
        {"jti": "x" * 128},
        {"jti": 'quotes " and \\ in it'},
        {"jti": "é" * 8},
        {"more": {"a": [1, {"b": 2}]}},
        {"exp": 0, "nbf": 2**40},  # RFC 9449 4.3 knows iat alone
        {"header": {"kid": "1", "jku": "http://127.0.0.1:1/keys", "x5c": ["x"]}},  # never fetched, never believed
    ],
    ids=lambda changes: json.dumps(changes)[:40],
)
def test_what_makes_no_difference_is_let_through(scene: Scene, changes: dict[str, Any]) -> None:
    assert scene.page.jkt == scene.uses(scene.wanted.proof(**changes)).key


def test_what_a_key_says_beside_its_point_is_ignored(scene: Scene) -> None:
    jwk = {**scene.page.jwk, "use": "enc", "key_ops": [], "alg": "RS256", "kid": "1"}  # the thumbprint leaves it out

    assert scene.page.jkt == scene.uses(scene.wanted.proof(header={"jwk": jwk})).key


@pytest.mark.parametrize(("seconds", "is_good"), [(-60, True), (-60.1, False), (0, True), (5, True), (5.1, False)])
def test_iat_is_at_most_a_minute_old_and_five_seconds_ahead(scene: Scene, seconds: float, is_good: bool) -> None:
    proof = scene.wanted.proof(iat=scene.clock() + seconds)

    if is_good:
        scene.uses(proof)
    else:
        with pytest.raises(ProofInvalid, match="iat"):
            scene.verify(proof)


def test_a_proof_is_good_once_as_long_as_it_is_good_at_all(scene: Scene) -> None:
    proof = scene.wanted.proof(iat=scene.clock() + 5)
    scene.uses(proof)

    for _ in range(65):
        with pytest.raises(ProofInvalid, match="used before"):
            scene.verify(proof)
        scene.clock.forward(1)
    scene.clock.forward(0.5)
    with pytest.raises(ProofInvalid, match="iat"):
        scene.verify(proof)


@pytest.mark.parametrize("step", [-0.5, -1, -2, -30, -66, -300, -86_400])
def test_no_clock_that_goes_back_makes_a_used_proof_good_again(scene: Scene, step: float) -> None:
    scene.clock.forward(123)
    proof = scene.wanted.proof()
    scene.uses(proof)

    for seconds in (65, step, 30, step, 66, step, 1, -step):
        scene.clock.forward(seconds)
        with pytest.raises(AccessRefused):
            scene.verify(proof)


@pytest.mark.parametrize("offset", [0, 54, 55, 59, 60, 62, 63, 64, 65, 66])
def test_no_turn_of_a_generation_forgets_a_proof_too_early(scene: Scene, offset: int) -> None:
    scene.clock.forward(offset)
    scene.uses(scene.wanted.proof())
    proof = scene.wanted.proof(iat=scene.clock() + 5)
    scene.uses(proof)

    for _ in range(65):
        scene.clock.forward(1)
        with pytest.raises(ProofInvalid, match="used before"):
            scene.verify(proof)


def test_the_numbers_are_those_of_the_protocol() -> None:
    assert (4096, 60.0, 5.0) == (dpop.MAX_PROOF_CHARS, dpop.MAX_AGE_SECONDS, dpop.MAX_SKEW_SECONDS)
    assert 60 + 5 + 1 == dpop.REPLAY_WINDOW_SECONDS
    assert (8, 128, 256) == (dpop.MIN_JTI_CHARS, dpop.MAX_JTI_CHARS, dpop.KEY_CACHE_SIZE)


def test_a_proof_has_at_most_4096_characters(scene: Scene) -> None:
    found: dict[int, str] = {}
    for kid, more in ((kid, more) for kid in range(4) for more in range(2560, 2680)):
        proof = scene.wanted.proof(header={"kid": "k" * kid}, more="x" * more)
        found[len(proof)] = proof
        if {4096, 4097} <= found.keys():
            break

    assert scene.page.jkt == scene.verify(found[4096]).key
    with pytest.raises(ProofInvalid, match="4096"):
        scene.verify(found[4097])


@pytest.mark.parametrize(
    ("htu", "url"),
    [
        ("http://APP.example/a", "http://app.example/a"),
        ("https://app.example:443/a", "https://app.example/a"),
        ("http://app.example:80/a", "http://app.example/a"),
        ("http://app.example", "http://app.example/"),
    ],
)
def test_an_address_is_compared_as_rfc_3986_writes_it(scene: Scene, htu: str, url: str) -> None:
    assert scene.page.jkt == scene.verify(scene.wanted.proof(htu=htu), url=url).key
    assert scene.page.jkt == scene.verify(scene.wanted.proof(htu=url), url=htu).key


@pytest.mark.parametrize(
    ("htu", "url"),
    [
        ("http://app.example:443/a", "http://app.example/a"),
        ("https://app.example:80/a", "https://app.example/a"),
        ("ftp://app.example:80/a", "ftp://app.example/a"),
        ("http://app.example/A", "http://app.example/a"),
    ],
)
def test_what_rfc_3986_keeps_apart_is_another_address(scene: Scene, htu: str, url: str) -> None:
    with pytest.raises(ProofInvalid, match="htu"):
        scene.verify(scene.wanted.proof(htu=htu), url=url)


@pytest.mark.parametrize("left_out", [(), ("ath",), ("nonce",), ("ath", "nonce")], ids=str)
def test_claims_of_the_usual_shape_are_read_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, left_out: tuple[str, ...]
) -> None:
    claims = {name: value for name, value in json.loads(scene.wanted.claims()).items() if name not in left_out}
    monkeypatch.delattr(dpop, "_refuse_repeated")

    assert "POST" == dpop._read_payload(json.dumps(claims).encode()).htm


@pytest.mark.parametrize("left_out", [(), ("ath",), ("nonce",), ("ath", "nonce")], ids=str)
@pytest.mark.parametrize("more", ['"iat":1', '"iat":1,"iat":2', '"jti":"x"', '"jti":"x","iat":1', '"a":1,"a":1'])
def test_no_shape_hides_a_claim_that_stands_twice(scene: Scene, more: str, left_out: tuple[str, ...]) -> None:
    claims = {name: value for name, value in json.loads(scene.wanted.claims()).items() if name not in left_out}

    with pytest.raises(ValueError, match="twice"):
        dpop._read_payload(f"{{{more},{json.dumps(claims)[1:]}".encode())


def test_the_key_used_longest_ago_leaves_the_cache(scene: Scene) -> None:
    def use(number: int) -> str:
        proof = scene.wanted.proof(header={"kid": str(number)})
        scene.verify(proof)
        return proof.partition(".")[0]

    segments = [use(number) for number in range(dpop.KEY_CACHE_SIZE)]
    use(0)
    newest = use(-1)

    assert dpop.KEY_CACHE_SIZE == len(scene.proofs._keys)
    assert {segments[0], segments[2], newest} <= scene.proofs._keys.keys()
    assert segments[1] not in scene.proofs._keys


def test_a_signature_has_two_forms_and_the_proof_is_still_good_once(scene: Scene) -> None:
    header, payload, right = scene.wanted.parts()
    raw = unb64(right)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")

    scene.uses(f"{header}.{payload}.{right}")

    with pytest.raises(ProofInvalid, match="used before"):
        scene.verify(f"{header}.{payload}.{signature(r, p256.N - s)}")  # ES256 allows both (RFC 7518 3.4)


def test_a_header_written_otherwise_does_not_make_a_proof_good_again(scene: Scene) -> None:
    claims = scene.wanted.claims().encode()
    scene.uses(scene.wanted.signed(payload=claims))

    with pytest.raises(ProofInvalid, match="used before"):
        scene.verify(scene.wanted.signed(header=scene.wanted.header().replace(" ", "").encode(), payload=claims))


def test_the_previous_nonce_is_good_and_late(scene: Scene) -> None:
    early = scene.nonces.current("https://app.example")

    assert not scene.uses(scene.wanted.proof()).is_late
    scene.clock.forward(300)
    assert scene.uses(scene.wanted.proof(nonce=early)).is_late
    assert not scene.uses(scene.wanted.proof()).is_late


@pytest.mark.parametrize("seconds", [600, 900, 86_400])
def test_an_older_nonce_is_refused_however_fresh_the_proof(scene: Scene, seconds: float) -> None:
    early = scene.nonces.current("https://app.example")
    scene.clock.forward(seconds)

    with pytest.raises(UseNonce):
        scene.verify(scene.wanted.proof(nonce=early))


def test_a_proof_made_for_a_time_to_come_is_refused_when_it_comes(scene: Scene) -> None:
    proofs = [scene.wanted.proof(iat=scene.clock() + ahead) for ahead in (600, 3600)]

    for ahead, proof in zip((600, 3000), proofs, strict=True):
        scene.clock.forward(ahead)
        with pytest.raises(UseNonce):
            scene.verify(proof)


def test_a_cached_key_gets_no_other_treatment(scene: Scene) -> None:
    scene.uses(scene.wanted.proof())

    for name in ("signature: by another key", "signature: of another proof", "htm: another method", "nonce: missing"):
        case, error = REFUSED[name]
        with pytest.raises(error):
            scene.verify(*case(scene.wanted))


@UNHURRIED
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_signed_bytes_are_refused(header: bytes, payload: bytes) -> None:
    with pytest.raises(AccessRefused):
        ONE.verify(ONE.page.sign(header, payload))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@UNHURRIED
@given(st.sampled_from(["htm", "htu", "jti", "iat", "ath", "nonce", "x"]), _json)
def test_any_value_of_a_claim_is_taken_or_refused(name: str, value: object) -> None:
    claims = {**json.loads(ONE.wanted.claims()), name: value}

    try:
        ONE.verify(ONE.wanted.signed(payload=json.dumps(claims).encode()))
    except AccessRefused:
        return
    assert name in ("jti", "x", "iat")


@UNHURRIED
@given(st.sampled_from(["typ", "alg", "jwk", "crit", "x"]), _json)
@example("crit", None)
def test_any_value_of_a_header_member_is_taken_or_refused(name: str, value: object) -> None:
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": ONE.page.jwk, name: value}

    try:
        ONE.verify(ONE.page.sign(json.dumps(header).encode(), ONE.wanted.claims().encode()))
    except AccessRefused:
        return
    assert "x" == name


@UNHURRIED
@given(st.sampled_from(["kty", "crv", "x", "y", "d", "use"]), _json)
def test_any_value_of_a_key_member_is_taken_or_refused(name: str, value: object) -> None:
    jwk = {**ONE.page.jwk, name: value}

    try:
        ONE.verify(ONE.wanted.proof(header={"jwk": jwk}))
    except AccessRefused:
        return
    assert "use" == name


RIGHT = ONE.wanted.proof()


def test_whichever_bit_of_a_proof_is_flipped_the_refusal_is_the_same() -> None:
    for bit in range(8 * len(RIGHT)):
        flipped = bytearray(RIGHT.encode())
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ProofInvalid) as refused:
            ONE.verify(flipped.decode("latin-1"))
        assert "the DPoP proof is malformed or its signature is wrong" == str(refused.value), bit


_AROUND = (0, p256.N // 2, p256.N, p256.P, 2**255, 2**256)
_EDGES = sorted(edge + step for edge in _AROUND for step in (-2, -1, 0, 1, 2) if 0 <= edge + step < 2**256)
_edge = st.sampled_from(_EDGES) | st.integers(0, 2**256 - 1)


@UNHURRIED
@given(_edge, _edge)
def test_no_made_up_signature_is_right(r: int, s: int) -> None:
    header, payload, _ = RIGHT.split(".")

    with pytest.raises(ProofInvalid):
        ONE.verify(f"{header}.{payload}.{signature(r, s)}")


@UNHURRIED
@given(_edge, _edge)
def test_no_made_up_point_is_a_key_unless_it_is_on_the_curve(x: int, y: int) -> None:
    jwk = {"kty": "EC", "crv": "P-256", "x": b64(x.to_bytes(32, "big")), "y": b64(y.to_bytes(32, "big"))}
    segment = b64(json.dumps({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}).encode())
    is_on_curve = x < p256.P and y < p256.P and (y * y - x**3 + 3 * x - p256.B) % p256.P == 0

    try:
        dpop._read_key(segment)
    except ValueError:
        assert not is_on_curve
    else:
        assert is_on_curve


def test_a_coordinate_is_below_p() -> None:
    point = p256.lift(0)
    assert point is not None
    for x, is_good in ((0, True), (p256.P, False)):
        jwk = {"kty": "EC", "crv": "P-256", "x": b64(x.to_bytes(32, "big")), "y": b64(point[1].to_bytes(32, "big"))}
        segment = b64(json.dumps({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}).encode())
        if is_good:
            dpop._read_key(segment)
        else:
            with pytest.raises(ValueError):  # noqa: PT011  # the library's own
                dpop._read_key(segment)


def _keeping(scene: Scene, d: int) -> Wanted:
    """Return the request of a page whose private key is ``d``."""
    page = Page(scene.page.origin, clock=scene.clock, nonce=lambda: scene.nonces.current("https://app.example"))
    page.key = ec.derive_private_key(d, ec.SECP256R1())
    numbers = page.key.public_key().public_numbers()
    x, y = (b64(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    page.jwk = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
    page.jkt = dpop.thumbprint(page.jwk)
    return Wanted(page, "POST", URL, TOKEN)


@pytest.mark.parametrize("d", [1, 2, p256.N - 2, p256.N - 1])
def test_the_smallest_and_largest_keys_are_keys(scene: Scene, d: int) -> None:
    wanted = _keeping(scene, d)

    assert wanted.page.jkt == scene.verify(wanted.proof(), jkt=wanted.page.jkt).key


@pytest.mark.parametrize("coordinate", ["x", "y"])
def test_a_coordinate_keeps_its_leading_zeros(scene: Scene, coordinate: str) -> None:
    wanted = next(
        wanted for d in range(1, 10_000) if unb64((wanted := _keeping(scene, d)).page.jwk[coordinate])[0] == 0
    )

    assert wanted.page.jkt == scene.verify(wanted.proof(), jkt=wanted.page.jkt).key
    short = b64(unb64(wanted.page.jwk[coordinate])[1:])
    with pytest.raises(ProofInvalid):
        scene.verify(wanted.proof(header={"jwk": {**wanted.page.jwk, coordinate: short}}), jkt=wanted.page.jkt)


_NEAR_N = next(point for x in range(p256.N, p256.P) if (point := p256.lift(x)) is not None)
"""A point whose x is above n, which chance never finds: its r is x - n."""


@pytest.mark.parametrize("s", [1, 2, p256.N // 2, p256.N - 1])
@pytest.mark.parametrize("point", [p256.G, _NEAR_N], ids=["G", "above n"])
def test_a_signature_chosen_before_its_key_counts_modulo_n(scene: Scene, point: p256.Point, s: int) -> None:
    header, payload, _ = scene.wanted.parts()
    (x, y), r = p256.key_of(f"{header}.{payload}".encode(), point, s)
    # The header names its key and is signed with it, so the key for a signature can only be put where keys are kept.
    scene.proofs._keys[header] = ("chosen", ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key())

    assert "chosen" == scene.verify(f"{header}.{payload}.{signature(r, s)}", jkt="chosen").key
    for wrong_r, wrong_s in ((r + p256.N, s), (r, s + p256.N), (r % p256.N, 0), (p256.N - r, s)):
        if max(wrong_r, wrong_s) < 2**256:
            with pytest.raises(ProofInvalid):
                scene.verify(f"{header}.{payload}.{signature(wrong_r, wrong_s)}", jkt="chosen")
