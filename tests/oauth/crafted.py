"""Proofs that must be refused, each wrong in one thing alone: the table behind the negative suites.

A case is a function of what is asked for; it returns the values of the DPoP headers. ``REFUSED`` names the error.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from oauth.errors import AccessRefused, ProofInvalid, TokenInvalid, UseNonce
from tests.oauth.p256 import N, P
from tests.oauth.page import Page, b64


class Wanted(NamedTuple):
    """The request that a proof is for; ``jkt`` of ``page`` is what the token is bound to."""

    page: Page
    method: str
    url: str
    token: str

    def proof(self, **changes: Any) -> str:
        """Return the right proof, but for ``changes``."""
        return self.page.proof(self.method, self.url, self.token, **changes)

    def parts(self) -> list[str]:
        """Return the three parts of a right proof."""
        return self.proof().split(".")

    def signed(self, *, header: bytes | None = None, payload: bytes | None = None) -> str:
        """Return a right proof with other bytes for one part, signed as they are."""
        right = [unb64(part) for part in self.parts()[:2]]
        return self.page.sign(right[0] if header is None else header, right[1] if payload is None else payload)

    def claims(self) -> str:
        """Return the right claims as JSON."""
        return unb64(self.parts()[1]).decode()

    def header(self) -> str:
        """Return the right header as JSON."""
        return unb64(self.parts()[0]).decode()


Case = Callable[[Wanted], list[str]]


def unb64(text: str) -> bytes:
    """Return the bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signature(r: int, s: int) -> str:
    """Return the part that holds ``r`` and ``s`` (RFC 7518 3.4)."""
    return b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def _claims(**changes: Any) -> Case:
    return lambda wanted: [wanted.proof(**changes)]


def _header(**changes: Any) -> Case:
    return lambda wanted: [wanted.proof(header=changes)]


def _jwk(**changes: Any) -> Case:
    def case(wanted: Wanted) -> list[str]:
        jwk = {name: value for name, value in {**wanted.page.jwk, **changes}.items() if value is not None}
        return [wanted.proof(header={"jwk": jwk})]

    return case


def _text(change: Callable[[str, str, str], str]) -> Case:
    return lambda wanted: [change(*wanted.parts())]


def _payload(change: Callable[[str], str]) -> Case:
    return lambda wanted: [wanted.signed(payload=change(wanted.claims()).encode())]


def _header_text(change: Callable[[str], str]) -> Case:
    return lambda wanted: [wanted.signed(header=change(wanted.header()).encode())]


def _numbers(change: Callable[[int, int], tuple[int, int]]) -> Case:
    def case(wanted: Wanted) -> list[str]:
        header, payload, right = wanted.parts()
        raw = unb64(right)
        r, s = change(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        return [f"{header}.{payload}.{signature(r, s)}"]

    return case


def _htu(change: Callable[[str], str]) -> Case:
    return lambda wanted: [wanted.proof(htu=change(wanted.url))]


def _iat(literal: str) -> Case:
    def case(wanted: Wanted) -> list[str]:
        claims = json.loads(wanted.claims())
        del claims["iat"]
        return [wanted.signed(payload=f'{json.dumps(claims)[:-1]},"iat":{literal}}}'.encode())]

    return case


def _moved(seconds: float) -> Case:
    return lambda wanted: [wanted.proof(iat=wanted.page._clock() + seconds)]


def _loose_end(text: str) -> str:
    """Return another text for the same bytes: a bit set beyond the last of them (64 bytes leave four bits over)."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    loose = text[:-1] + alphabet[alphabet.index(text[-1]) | 1]
    assert unb64(loose) == unb64(text)
    assert loose != text
    return loose


def _hmac(wanted: Wanted) -> list[str]:
    """Sign with the public key as the secret, for verifiers that let the header choose."""
    header = b64(wanted.header().replace("ES256", "HS256").encode())
    signed = f"{header}.{wanted.parts()[1]}"
    public = wanted.page.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return [f"{signed}.{b64(hmac.digest(public, signed.encode(), 'sha256'))}"]


def _unsigned(wanted: Wanted) -> list[str]:
    return [f"{b64(wanted.header().replace('ES256', 'none').encode())}.{wanted.parts()[1]}."]


def _rsa(wanted: Wanted) -> list[str]:
    key = rsa.generate_private_key(65537, 2048)
    numbers = key.public_key().public_numbers()
    jwk = {"kty": "RSA", "n": b64(numbers.n.to_bytes(256, "big")), "e": b64(numbers.e.to_bytes(3, "big"))}
    signed = f"{b64(json.dumps({'typ': 'dpop+jwt', 'alg': 'RS256', 'jwk': jwk}).encode())}.{wanted.parts()[1]}"
    return [f"{signed}.{b64(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"]


def _p384(wanted: Wanted) -> list[str]:
    key = ec.generate_private_key(ec.SECP384R1())
    numbers = key.public_key().public_numbers()
    x, y = (b64(number.to_bytes(48, "big")) for number in (numbers.x, numbers.y))
    header = {"typ": "dpop+jwt", "alg": "ES384", "jwk": {"kty": "EC", "crv": "P-384", "x": x, "y": y}}
    signed = f"{b64(json.dumps(header).encode())}.{wanted.parts()[1]}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA384())))
    return [f"{signed}.{b64(r.to_bytes(48, 'big') + s.to_bytes(48, 'big'))}"]


def _der(wanted: Wanted) -> list[str]:
    header, payload, _ = wanted.parts()
    der = wanted.page.key.sign(f"{header}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
    return [f"{header}.{payload}.{b64(der)}"]


def _by_another(wanted: Wanted) -> list[str]:
    other = Page(wanted.page.origin, clock=wanted.page._clock, nonce=wanted.page._nonce)
    return [other.proof(wanted.method, wanted.url, wanted.token)]


def _others_signature(wanted: Wanted) -> list[str]:
    """Name the right key and sign with another."""
    other = Page(wanted.page.origin)
    return [other.sign(*(unb64(part) for part in wanted.parts()[:2]))]


def _others_message(wanted: Wanted) -> list[str]:
    one, two = wanted.parts(), wanted.parts()
    return [".".join((*one[:2], two[2]))]


def _private(wanted: Wanted) -> list[str]:
    secret = wanted.page.key.private_numbers().private_value.to_bytes(32, "big")
    return _jwk(d=b64(secret))(wanted)


def _coordinate(number: int, size: int = 32) -> str:
    return b64(number.to_bytes(size, "big"))


def _shifted(wanted: Wanted, size: int) -> list[str]:
    """Return a proof whose key is the right point, cut in the wrong place: another thumbprint for the same key."""
    point = unb64(wanted.page.jwk["x"]) + unb64(wanted.page.jwk["y"])
    return _jwk(x=b64(point[:size]), y=b64(point[size:]))(wanted)


def _again(wanted: Wanted, name: str, first: object) -> bytes:
    """Return the right claims with another value of ``name`` before them."""
    return f'{{"{name}":{json.dumps(first)},{wanted.claims()[1:]}'.encode()


def _twice(name: str, first: object) -> Case:
    return lambda wanted: [wanted.signed(payload=_again(wanted, name, first))]


_ONE_VALUE: dict[str, Case] = {
    "form: no proof": lambda _: [],
    "form: two proofs": lambda wanted: [wanted.proof(), wanted.proof()],
    "form: two in one header": lambda wanted: [f"{wanted.proof()}, {wanted.proof()}"],
    "form: empty": lambda _: [""],
    "form: dots alone": lambda _: [".."],
    "form: one part": _text(lambda h, p, s: h),
    "form: two parts": _text(lambda h, p, s: f"{h}.{p}"),
    "form: four parts": _text(lambda h, p, s: f"{h}.{p}.{s}.{s}"),
    "form: a dot at the end": _text(lambda h, p, s: f"{h}.{p}.{s}."),
    "form: JSON serialization": _text(lambda h, p, s: json.dumps({"protected": h, "payload": p, "signature": s})),
    "form: over 4096 characters": _claims(more="x" * 4096),
    "base64: padded header": _text(lambda h, p, s: f"{h}{'=' * (-len(h) % 4 or 4)}.{p}.{s}"),
    "base64: padded signature": _text(lambda h, p, s: f"{h}.{p}.{s}=="),
    "base64: padding inside": _text(lambda h, p, s: f"{h}.{p}.{s[:8]}=={s[8:]}"),
    "base64: space inside": _text(lambda h, p, s: f"{h}.{p}.{s[:8]} {s[8:]}"),
    "base64: space after the header": _text(lambda h, p, s: f"{h} .{p}.{s}"),
    "base64: line feed": _text(lambda h, p, s: f"{h}.{p}.{s}\n"),
    "base64: the other alphabet": _text(lambda h, p, s: f"{h}.{p}.{s[:-4]}++//"),
    "base64: not ASCII": _text(lambda h, p, s: f"{h}.{p}.{s[:-1]}é"),
    "base64: NUL": _text(lambda h, p, s: f"{h}.{p}.{s}\0"),
    "base64: loose bits in the signature": _text(lambda h, p, s: f"{h}.{p}.{_loose_end(s)}"),
    "base64: a length that cannot be": _text(lambda h, p, s: f"{h}.{p}.{s}AAA"),
    "header: not JSON": _header_text(lambda _: "typ"),
    "header: empty": _header_text(lambda _: ""),
    "header: an array": _header_text(lambda text: f"[{text}]"),
    "header: a string": _header_text(json.dumps),
    "header: null": _header_text(lambda _: "null"),
    "header: JSON and more": _header_text(lambda text: text + "{}"),
    "header: a byte order mark": _header_text(lambda text: "\ufeff" + text),
    "header: UTF-16": lambda wanted: [wanted.signed(header=wanted.header().encode("utf-16"))],
    "header: a member twice": _header_text(lambda text: '{"alg":"none",' + text[1:]),
    "header: the key twice": _header_text(lambda text: '{"jwk":{},' + text[1:]),
    "header: a coordinate twice": _header_text(lambda text: text.replace('"x":', '"x":"AA","x":')),
    "header: an unknown member twice": _header_text(lambda text: '{"a":1,"a":2,' + text[1:]),
    "alg: none, without signature": _unsigned,
    "alg: none": _header(alg="none"),
    "alg: None": _header(alg="None"),
    "alg: HS256 with the public key": _hmac,
    "alg: HS256": _header(alg="HS256"),
    "alg: RS256 with an RSA key": _rsa,
    "alg: ES384 with its own curve": _p384,
    "alg: ES384": _header(alg="ES384"),
    "alg: ES256K": _header(alg="ES256K"),
    "alg: EdDSA": _header(alg="EdDSA"),
    "alg: lower case": _header(alg="es256"),
    "alg: with a space": _header(alg="ES256 "),
    "alg: missing": _header(alg=None),
    "alg: a list": _header(alg=["ES256"]),
    "typ: missing": _header(typ=None),
    "typ: JWT": _header(typ="JWT"),
    "typ: at+jwt": _header(typ="at+jwt"),
    # RFC 7515 4.1.9 calls media types case-insensitive, RFC 9449 4.2 gives one value; every client sends just that.
    "typ: upper case": _header(typ="DPOP+JWT"),
    "typ: the long form": _header(typ="application/dpop+jwt"),
    "typ: a number": _header(typ=1),
    "crit: of what we do not know": _header(crit=["exp"], exp=1),
    "crit: b64": _header(crit=["b64"], b64=False),
    "crit: empty": _header(crit=[]),
    "crit: null": _header_text(lambda text: '{"crit":null,' + text[1:]),
    "jwk: missing": _header(jwk=None),
    "jwk: missing, with a kid": _header(jwk=None, kid="1"),
    "jwk: by reference": _header(jwk=None, jku="http://127.0.0.1:1/keys", x5u="http://127.0.0.1:1/chain"),
    "jwk: a string": _header(jwk="key"),
    "jwk: a list": _header(jwk=[]),
    "jwk: empty": _header(jwk={}),
    "jwk: private": _private,
    "jwk: private in name": _jwk(d=""),
    "jwk: symmetric": _header(jwk={"kty": "oct", "k": b64(b"secret")}),
    "jwk: Ed25519": _jwk(kty="OKP", crv="Ed25519", y=None),
    "jwk: another type": _jwk(kty="OKP"),
    "jwk: type in lower case": _jwk(kty="ec"),
    "jwk: another curve": _jwk(crv="P-384"),
    "jwk: secp256k1": _jwk(crv="secp256k1"),
    "jwk: no curve": _jwk(crv=None),
    "jwk: no x": _jwk(x=None),
    "jwk: no y": _jwk(y=None),
    "jwk: x a number": _jwk(x=7),
    "jwk: x empty": _jwk(x=""),
    "jwk: x too short": lambda wanted: _jwk(x=b64(unb64(wanted.page.jwk["x"])[1:]))(wanted),
    "jwk: x too long": lambda wanted: _jwk(x=b64(b"\0" + unb64(wanted.page.jwk["x"])))(wanted),
    "jwk: y too long": lambda wanted: _jwk(y=b64(b"\0" + unb64(wanted.page.jwk["y"])))(wanted),
    "jwk: a byte of y in x": lambda wanted: _shifted(wanted, 33),
    "jwk: a byte of x in y": lambda wanted: _shifted(wanted, 31),
    "jwk: x padded": lambda wanted: _jwk(x=wanted.page.jwk["x"] + "=")(wanted),
    "jwk: a point off the curve": lambda wanted: _jwk(y=wanted.page.jwk["x"])(wanted),
    "jwk: the other y": lambda wanted: _jwk(y=_coordinate(P - wanted.page.key.public_key().public_numbers().y))(wanted),
    "jwk: infinity as zeros": _jwk(x=_coordinate(0), y=_coordinate(0)),
    "jwk: infinity as nothing": _jwk(x="", y=""),
    "jwk: x is p": _jwk(x=_coordinate(P), y=_coordinate(1)),
    "jwk: all ones": _jwk(x=_coordinate(2**256 - 1), y=_coordinate(2**256 - 1)),
    "signature: empty": _text(lambda h, p, s: f"{h}.{p}."),
    "signature: a byte short": _text(lambda h, p, s: f"{h}.{p}.{b64(unb64(s)[:-1])}"),
    "signature: a byte long": _text(lambda h, p, s: f"{h}.{p}.{b64(unb64(s) + bytes(1))}"),
    "signature: a zero byte before s": _text(
        lambda h, p, s: f"{h}.{p}.{b64(unb64(s)[:32] + bytes(1) + unb64(s)[32:])}"
    ),
    "signature: half": _text(lambda h, p, s: f"{h}.{p}.{b64(unb64(s)[:32])}"),
    "signature: DER": _der,
    "signature: zeros": _numbers(lambda r, s: (0, 0)),
    "signature: r is 0": _numbers(lambda r, s: (0, s)),
    "signature: s is 0": _numbers(lambda r, s: (r, 0)),
    "signature: ones": _numbers(lambda r, s: (1, 1)),
    "signature: r is n": _numbers(lambda r, s: (N, s)),
    "signature: s is n": _numbers(lambda r, s: (r, N)),
    "signature: both n": _numbers(lambda r, s: (N, N)),
    "signature: both n - 1": _numbers(lambda r, s: (N - 1, N - 1)),
    "signature: r is p": _numbers(lambda r, s: (P, s)),
    "signature: all bits": _numbers(lambda r, s: (2**256 - 1, 2**256 - 1)),
    "signature: r negated": _numbers(lambda r, s: (N - r, s)),
    "signature: halves swapped": _numbers(lambda r, s: (s, r)),
    "signature: s one more": _numbers(lambda r, s: (r, s % (N - 1) + 1)),
    "signature: by another key": _others_signature,
    "signature: of another proof": _others_message,
    "payload: not JSON": _payload(lambda _: "htm"),
    "payload: empty": _payload(lambda _: ""),
    "payload: an array": _payload(lambda text: f"[{text}]"),
    "payload: JSON and more": _payload(lambda text: text + "1"),
    "payload: cut": _payload(lambda text: text[:-1]),
    "payload: not UTF-8": lambda wanted: [wanted.signed(payload=wanted.claims().encode().replace(b"POST", b"\xff"))],
    "payload: deep": _payload(lambda text: f'{text[:-1]},"more":{"[" * 1000}{"]" * 1000}}}'),
    "payload: a lone surrogate": _claims(jti="\ud800" * 8),
    "twice: htm": _twice("htm", "GET"),
    "twice: htu": _twice("htu", "http://127.0.0.1:1/"),
    "twice: jti": _twice("jti", "x" * 22),
    "twice: iat": _twice("iat", 1),
    "twice: ath": _twice("ath", "x" * 43),
    "twice: nonce": _twice("nonce", "x" * 22),
    "twice: nonce, first null": _twice("nonce", None),
    "twice: written another way": _payload(lambda text: '{"ht\\u006d":"GET",' + text[1:]),
    "twice: unknown": _payload(lambda text: '{"a":1,"a":1,' + text[1:]),
    "twice: within another": _payload(lambda text: '{"a":{"b":1,"b":1},' + text[1:]),
    "jti: missing": _claims(jti=None),
    "jti: a number": _claims(jti=12345678),
    "jti: null": _payload(lambda text: json.dumps({**json.loads(text), "jti": None})),
    "jti: empty": _claims(jti=""),
    "jti: 7 characters": _claims(jti="x" * 7),
    "jti: 129 characters": _claims(jti="x" * 129),
    "htm: missing": _claims(htm=None),
    "htm: another method": _claims(htm="GET"),
    "htm: lower case": _claims(htm="post"),
    "htm: with a space": _claims(htm="POST "),
    "htm: empty": _claims(htm=""),
    "htm: a list": _claims(htm=["POST"]),
    "htu: missing": _claims(htu=None),
    "htu: empty": _claims(htu=""),
    "htu: a list": lambda wanted: [wanted.proof(htu=[wanted.url])],
    "htu: another port": _htu(lambda url: "http://127.0.0.1:1" + url[url.index("/", 7) :]),
    "htu: no port": _htu(lambda url: "http://127.0.0.1" + url[url.index("/", 7) :]),
    "htu: the default port": _htu(lambda url: "http://127.0.0.1:80" + url[url.index("/", 7) :]),
    "htu: localhost": _htu(lambda url: url.replace("127.0.0.1", "localhost")),
    "htu: the address as one number": _htu(lambda url: url.replace("127.0.0.1", "2130706433")),
    "htu: a trailing dot": _htu(lambda url: url.replace("127.0.0.1", "127.0.0.1.")),
    "htu: userinfo": _htu(lambda url: url.replace("http://", "http://me@")),
    "htu: our address as userinfo": _htu(lambda url: url.replace("http://127.0.0.1", "http://127.0.0.1@evil.example")),
    "htu: https": _htu(lambda url: url.replace("http:", "https:")),
    "htu: no scheme": _htu(lambda url: url.removeprefix("http:")),
    "htu: the path alone": _htu(lambda url: url[url.index("/", 7) :]),
    "htu: another path": _htu(lambda url: url + "x"),
    "htu: a slash more": _htu(lambda url: url + "/"),
    "htu: two slashes": _htu(lambda url: url.replace("/v1/", "//v1/")),
    "htu: upper case in the path": _htu(lambda url: url.replace("/v1/", "/V1/")),
    # RFC 3986 6.2.2.2 would make these equal; no path of ours needs an escape, so the one form is asked for.
    "htu: an escape in the path": _htu(lambda url: url.replace("/v1/", "/%761/")),
    "htu: dots in the path": _htu(lambda url: url.replace("/v1/", "/v1/x/../")),
    "htu: a backslash": _htu(lambda url: url.replace("/v1/", "\\v1/")),
    "htu: a leading zero in the port": _htu(lambda url: url.replace("127.0.0.1:", "127.0.0.1:0")),
    "htu: a space before": _htu(lambda url: " " + url),
    "htu: a query without path": _htu(lambda url: url[: url.index("/", 7)] + "?" + url[url.index("/", 7) :]),
    "iat: missing": _claims(iat=None),
    "iat: null": _iat("null"),
    "iat: a string": lambda wanted: _iat(f'"{int(wanted.page._clock())}"')(wanted),
    "iat: a boolean": _iat("true"),
    "iat: a list": lambda wanted: _iat(f"[{int(wanted.page._clock())}]")(wanted),
    "iat: NaN": _iat("NaN"),
    "iat: Infinity": _iat("Infinity"),
    "iat: too large for a float": _iat("1e400"),
    "iat: 400 digits": _iat("1" * 400),
    "iat: large": _iat("1e300"),
    "iat: negative": _iat("-1"),
    "iat: zero": _iat("0"),
    "iat: milliseconds": lambda wanted: _iat(f"{int(wanted.page._clock() * 1000)}")(wanted),
    "iat: 90 s ago": _moved(-90),
    "iat: a minute ahead": _moved(60),
    "ath: missing": _claims(ath=None),
    "ath: null": _payload(lambda text: json.dumps({**json.loads(text), "ath": None})),
    "ath: empty": _claims(ath=""),
    "ath: a number": _claims(ath=1),
    "ath: not ASCII": _claims(ath="é" * 43),
    "ath: of another token": lambda wanted: [wanted.proof(ath=b64(hashlib.sha256(b"at_other").digest()))],
    "ath: the token itself": lambda wanted: [wanted.proof(ath=wanted.token)],
    "ath: in hexadecimal": lambda wanted: [wanted.proof(ath=hashlib.sha256(wanted.token.encode()).hexdigest())],
    "ath: padded": lambda wanted: [wanted.proof(ath=b64(hashlib.sha256(wanted.token.encode()).digest()) + "=")],
    "nonce: a number": _claims(nonce=1),
    "nonce: a list": _claims(nonce=["x"]),
}

_NONCE: dict[str, Case] = {
    "nonce: missing": _claims(nonce=None),
    "nonce: null": _payload(lambda text: json.dumps({**json.loads(text), "nonce": None})),
    "nonce: empty": _claims(nonce=""),
    "nonce: not ours": _claims(nonce="A" * 22),
    "nonce: not ASCII": _claims(nonce="é"),
    "nonce: ours in upper case": lambda wanted: [wanted.proof(nonce=str(wanted.page._nonce()).swapcase())],
    "nonce: ours and more": lambda wanted: [wanted.proof(nonce=f"{wanted.page._nonce()}A")],
    "nonce: missing, and all else wrong": _claims(nonce=None, htm="GET", htu="http://a/", iat=0, jti="x", ath=None),
}

REFUSED: dict[str, tuple[Case, type[AccessRefused]]] = {
    **{name: (case, ProofInvalid) for name, case in _ONE_VALUE.items()},
    **{name: (case, UseNonce) for name, case in _NONCE.items()},
    "key: another page's": (_by_another, TokenInvalid),
}
