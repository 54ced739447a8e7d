"""The curve P-256 by hand (FIPS 186-5), for keys and signatures that no library makes."""

import hashlib

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)

Point = tuple[int, int] | None
"""Affine; None is the point at infinity."""


def add(one: Point, two: Point) -> Point:
    """Return the sum of two points."""
    if one is None or two is None:
        return two if one is None else one
    if one[0] == two[0] and (one[1] + two[1]) % P == 0:
        return None
    if one == two:
        slope = (3 * one[0] ** 2 - 3) * pow(2 * one[1], -1, P)
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, P)
    x = (slope**2 - one[0] - two[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def times(factor: int, point: Point) -> Point:
    """Return ``point`` added to itself ``factor`` times."""
    total: Point = None
    while factor:
        if factor & 1:
            total = add(total, point)
        point, factor = add(point, point), factor >> 1
    return total


def lift(x: int) -> Point:
    """Return a point with this x coordinate; None where there is none."""
    square = (x**3 - 3 * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    return (x, y) if y * y % P == square else None


def key_of(message: bytes, r_point: Point, s: int) -> tuple[tuple[int, int], int]:
    """Return the public key for which ``(r, s)`` signs ``message``, and ``r`` (SEC 1, 4.1.6)."""
    assert r_point is not None
    r = r_point[0] % N
    z = int.from_bytes(hashlib.sha256(message).digest(), "big")
    inverse = pow(r, -1, N)
    key = add(times(s * inverse % N, r_point), times(-z * inverse % N, G))
    assert key is not None
    return key, r
