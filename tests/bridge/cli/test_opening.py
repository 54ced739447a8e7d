"""The page before the dashboard may ask the daemon, and nothing else; nothing that it is given becomes markup."""

import base64
import hashlib
import html
import re

from bridge.cli.opening import opening_csp, opening_page

LINK = "http://127.0.0.1:4380/#activate=SECRET-abc_123"


def test_the_policy_names_what_stands_in_the_page_and_the_daemon() -> None:
    page = opening_page(LINK)
    directives = dict(part.split(" ", 1) for part in opening_csp(LINK).split("; "))

    assert "'none'" == directives.pop("default-src")
    assert "http://127.0.0.1:4380" == directives.pop("connect-src")
    assert "data:" == directives.pop("img-src")
    for tag in ("script", "style"):
        (inline,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"'sha256-{digest}'" == directives.pop(f"{tag}-src")
    assert {"base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'"} == directives


def test_the_link_stands_in_one_attribute_and_cannot_leave_it() -> None:
    hostile = "http://127.0.0.1:4380/#a\"><script>alert(1)</script>&'"

    page = opening_page(hostile)

    assert opening_page("").replace('data-link=""', "") == re.sub(r'data-link="[^"]*"', "", page)
    (kept,) = re.findall(r'data-link="([^"]*)"', page)
    assert hostile == html.unescape(kept)


def test_there_is_nothing_to_click_before_the_browser_has_forgotten() -> None:
    assert [""] == re.findall(r"<a hidden(.*?)>", opening_page(LINK))
    assert "href=" not in re.sub(r"<script>.*</script>|<link[^>]*>", "", opening_page(LINK), flags=re.DOTALL)
