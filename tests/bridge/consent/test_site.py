"""Sites as people tell them apart."""

import pytest

from bridge.consent.site import registrable_domain, site_of


@pytest.mark.parametrize(
    ("client", "domain"),
    [
        ("https://example.com", "example.com"),
        ("https://a.b.example.co.uk:8443", "example.co.uk"),
        ("https://bank.example", "bank.example"),
        ("https://login.bank.example.evil.example", "evil.example"),
        ("https://xn--80ak6aa92e.com", "xn--80ak6aa92e.com"),
        ("https://a.xn--p1ai.xn--p1ai", "xn--p1ai.xn--p1ai"),
        # What somebody hosts for others is theirs, who have the names below it.
        ("https://alice.github.io", "alice.github.io"),
        ("https://github.io", None),
        ("https://co.uk", None),
        ("http://localhost:3000", None),
        ("http://app.localhost:3000", "app.localhost"),
        ("http://127.0.0.1:3000", None),
        ("https://192.0.2.7", None),
        ("http://[::1]:3000", None),
        ("https://[2001:db8::1]", None),
        ("native:cli", None),
        ("native:example.com", None),
    ],
)
def test_the_registrable_domain_is_what_somebody_registered(client: str, domain: str | None) -> None:
    assert domain == registrable_domain(client)
    assert (domain or client) == site_of(client)


def test_two_subdomains_are_one_site_and_two_customers_of_a_host_are_two() -> None:
    assert site_of("https://a.example.co.uk") == site_of("https://b.example.co.uk:8443")
    assert site_of("https://alice.github.io") != site_of("https://mallory.github.io")
    assert site_of("https://example.co.uk") != site_of("https://other.co.uk")


def test_ports_of_localhost_addresses_and_programs_are_each_their_own() -> None:
    alone = [
        "http://localhost:3000",
        "http://localhost:3001",
        "http://127.0.0.1:3000",
        "http://127.0.0.1:3001",
        "native:a",
        "native:b",
    ]

    assert len(alone) == len({site_of(client) for client in alone})
