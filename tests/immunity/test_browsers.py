"""A hostile page in a real browser that was even given the permission to reach this computer: it gets nothing.

Each attack of hostile/attacks.js, by each browser, from each kind of page there is; `attacks.py` is the table of what a
page may see. Then the daemon says what reached it.
"""

import json
from collections.abc import Iterable, Iterator, Set
from pathlib import Path
from typing import Any

import pytest

from tests.immunity.attacks import CALL, CORS, PATHS, READS, UNSEEN, authorize, every_kind, paths_of, readable
from tests.immunity.naive import SECRET, Naive
from tests.immunity.stage import REBOUND, Counted, Seen, Stage, attack, hostile_page, orders
from tests.parts.browser import Profile, until
from tests.parts.firefox import FirefoxProfile
from tests.parts.site import Site

pytestmark = pytest.mark.e2e

HOSTILE = Path(__file__).parent / "hostile"


@pytest.fixture(name="stage", scope="module", params=["chromium", "firefox"])
def _stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(request.param, tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture(name="profile")
def _profile(stage: Stage) -> Iterator[Profile | FirefoxProfile]:
    with stage.profile() as profile:
        yield profile


# Not of the module: each test says what was reached, and by whom.
@pytest.fixture(name="counted")
def _counted(tmp_path: Path) -> Iterator[Counted]:
    with Counted(tmp_path) as counted:
        yield counted


@pytest.fixture(name="stranger")
def _stranger(stage: Stage, profile: Profile | FirefoxProfile) -> Iterator[Any]:
    with hostile_page(profile, f"{stage.stranger}/") as page:
        yield page


SUCCESS = {
    **dict.fromkeys(READS, SECRET),
    **dict.fromkeys(("events", "socket", "workerEvents", "workerSocket"), SECRET),
    **dict.fromkeys(("script", "module", "dynamicImport", "importScripts"), "ran"),
    **dict.fromkeys(("image", "imageCors"), "1"),
    **dict.fromkeys(("stylesheet", "preloadScript", "preloadFetch", "modulePreload"), "load"),
    **dict.fromkeys(("object", "embed"), "load"),
}
"""What tells a page that an attack has succeeded, for those that tell anything."""

# No page may start a worker from another's address; the rest is seen only where it arrives.
WITHOUT_SUCCESS = {"worker", "sharedWorker", "serviceWorker"}


def test_each_attack_is_one_against_a_server_that_answers_everybody(stranger: Any) -> None:
    naive = Naive()
    with Site(app=naive.app) as server:
        seen = attack(stranger, f"http://127.0.0.1:{server.port}", list(every_kind()), ["/secret"], mute=10_000)
        reached = {target for _, target in naive.reached}

    assert set(stranger.evaluate("Object.keys(ATTACKS)")) == set(every_kind()), "each attack has a rule"
    expected = {kind: sign for kind, sign in SUCCESS.items() if kind != "head"}  # which has no body
    assert expected == {kind: sign for kind, sign in expected.items() if sign in " ".join(seen[kind]["/secret"])}
    silent = {kind for kind in UNSEEN if not any(target.endswith(f"attack={kind}") for target in reached)}
    # Some are sent when the browser is idle, or only by one of the two.
    assert silent <= WITHOUT_SUCCESS | {"prefetch", "manifest", "icon", "prefetchRules", "prerenderRules"}, silent


def test_a_stranger_reads_what_the_protocol_says_and_no_more(stage: Stage, counted: Counted, stranger: Any) -> None:
    seen = attacks(stranger, counted, origin=stage.stranger)

    reads_what_a_stranger_may(seen)
    gets_nothing(seen)
    counted.is_untouched()


def test_another_port_of_this_computer_is_as_strange(
    stage: Stage, counted: Counted, profile: Profile | FirefoxProfile
) -> None:
    origin = f"http://127.0.0.1:{stage.near.port}"  # of the same site, as browsers see it: that is no trust
    with hostile_page(profile, f"{origin}/") as page:
        seen = attacks(page, counted, origin=origin)

    reads_what_a_stranger_may(seen)
    gets_nothing(seen)
    with hostile_page(profile, f"http://localhost:{stage.near.port}/") as page:
        seen = attack(page, counted.daemon.base, SOME, (CALL,))
    assert "403 origin_not_approved" == told_by(seen["get"][CALL])
    gets_nothing(seen, kinds=[kind for kind in SOME if kind in UNSEEN])
    counted.is_untouched()


@pytest.mark.parametrize("how", ["sandbox", "data"])
def test_a_frame_without_an_origin_gets_nothing(stage: Stage, counted: Counted, stranger: Any, how: str) -> None:
    seen: Seen = {}
    for paths, kinds in by_paths(stage.stranger).items():
        what = orders(counted.daemon.base, kinds, paths)
        told = stranger.evaluate("([how, orders]) => attackFrom(how, orders)", [how, what])
        assert "null" == told["origin"]
        seen |= told["seen"]

    reads_nothing(seen)
    gets_nothing(seen)
    counted.is_untouched()
    assert ("origin_null", "null") in counted.refused, "and all that was in the way was the daemon"


def test_a_page_from_a_file_gets_nothing(counted: Counted, profile: Profile | FirefoxProfile, tmp_path: Path) -> None:
    script = (HOSTILE / "attacks.js").read_text(encoding="utf-8")
    file = tmp_path / "hostile.html"
    file.write_text(f'<!doctype html><meta charset="utf-8"><body><script>{script}</script>', encoding="utf-8")
    with hostile_page(profile, file.as_uri()) as page:
        seen = attacks(page, counted, origin="https://nobody.example")

    reads_nothing(seen)
    gets_nothing(seen)
    counted.is_untouched()
    assert ("origin_null", "null") in counted.refused, "and all that was in the way was the daemon"


def test_a_name_that_was_made_to_mean_this_computer_is_refused_throughout(
    stage: Stage, profile: Profile | FirefoxProfile, tmp_path: Path
) -> None:
    # The stranger's page has loaded from its own server; then its name means the daemon, at the same port.
    with Site({"/": HOSTILE}) as site:
        port = site.port
        page: Any = profile.open(f"http://{REBOUND}:{port}/")
    with Counted(tmp_path, settings=f"[daemon]\nports = [{port}]\n") as counted:
        assert port == counted.daemon.port
        base = f"http://{REBOUND}:{port}"
        seen = attacks(page, counted, origin=base, base=base)

        counted.is_untouched()
        assert {("host", None), ("host", base)} <= counted.refused
        page.close()

    unempty = {
        (kind, path): words for kind, by_path in seen.items() for path, words in by_path.items() if not is_empty(words)
    }
    assert {} == unempty
    assert {"403"} == {words[0] for words in seen["get"].values()}, "it reads its own, empty refusals"
    assert {"1006"} == {words[0] for words in seen["socket"].values()}
    assert {("error", "0")} == {tuple(without_timing(words)) for words in seen["image"].values()}


SOME = ("get", "getNoCors", "postText", "postNoCors", "events", "socket", "image", "script", "iframe", "formPost")
"""One attack of each sort, where a browser is what is looked at."""

UNFRAMED = SOME[:-2]

SPELLINGS = ("0.0.0.0", "127.0.0.2", "[::1]", "[::ffff:127.0.0.1]", "localhost", REBOUND)  # noqa: S104
"""Hosts that a browser may connect to this computer for, and that are not the one of the daemon's base."""

ARRIVING = ("localhost", REBOUND)
"""Those of them that reach the daemon from both browsers; Chromium's 0.0.0.0 does as well."""


def test_other_spellings_of_this_computer_lead_nowhere(
    stage: Stage, counted: Counted, profile: Profile | FirefoxProfile
) -> None:
    port = counted.daemon.port
    # From another port of this computer: no rule of a browser about the local network is in the way.
    with hostile_page(profile, f"http://127.0.0.1:{stage.near.port}/") as page:
        for host in SPELLINGS:
            # Firefox's driver hangs upon such a frame; the test above has frames at a rebound name, in both browsers.
            kinds = SOME if stage.browser == "chromium" else UNFRAMED
            seen = {kind: attack(page, f"http://{host}:{port}", [kind], [CALL])[kind] for kind in kinds}
            assert [["threw"], ["threw"]] == [seen[kind][CALL] for kind in ("get", "postText")], host
            gets_nothing(seen, kinds=[kind for kind in kinds if kind in UNSEEN], more={("threw",)})
            if host in ARRIVING:
                assert {"host"} == {reason for reason, _ in counted.refused} - {"peer_unknown"}, (
                    "it arrived, and was refused for its host"
                )
    counted.is_untouched()


def test_numbers_that_mean_127_0_0_1_are_written_so_by_the_browser_itself(counted: Counted, stranger: Any) -> None:
    port = counted.daemon.port
    for host in ("2130706433", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.1."):
        assert counted.daemon.base == stranger.evaluate("(url) => new URL(url).origin", f"http://{host}:{port}")

    seen = attack(stranger, f"http://2130706433:{port}", ("get",), (CALL,))

    assert "403 origin_not_approved" == told_by(seen["get"][CALL]), "so the rule is that of 127.0.0.1"
    counted.is_untouched()


def test_a_popup_shows_a_stranger_nothing_and_asks_only_where_the_protocol_says(
    stage: Stage, counted: Counted, stranger: Any
) -> None:
    # Of the dashboard, which is cut off from who opened it, a browser may show its own empty page instead.
    allowed = {("hidden", "hidden", "0"), ("", "", "0")}
    seen = {path: tuple(stranger.evaluate("(url) => popup(url)", counted.daemon.base + path)) for path in PATHS}
    assert {} == {path: words for path, words in seen.items() if words not in allowed}
    assert {("hidden", "hidden", "0")} == {words for path, words in seen.items() if path != "/"}
    counted.is_untouched()

    stranger.evaluate(
        "(url) => void (window.asking = window.open(url))", counted.daemon.base + authorize(stage.stranger)
    )
    until(stranger, lambda: counted.pending, "the question is open")
    assert [stage.stranger] == counted.pending, "in the stranger's own name"
    assert ["hidden", "hidden", "0"] == stranger.evaluate(
        "[() => asking.document.title, () => asking.location.href, () => asking.length].map((at) => String(look(at)))"
    )
    stranger.evaluate("asking.close()")
    assert [] == counted.daemon.ask("GET", "/v1/grants")["grants"]
    assert [] == counted.reached


@pytest.mark.parametrize("enctype", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_that_takes_the_whole_window_calls_nothing(
    counted: Counted, stranger: Any, profile: Profile | FirefoxProfile, enctype: str
) -> None:
    routes = {CALL: "/v1/apps/{app}/{command}"}  # what is told is the route, never the path that was sent
    for path in (CALL, "/oauth/requests", "/v1/tokens", "/v1/activation-links"):
        stranger.evaluate("([url, enctype]) => posts(url, enctype)", [counted.daemon.base + path, enctype])
        told = routes.get(path, path)
        until(stranger, lambda told=told: told in {at for _, at in counted.refused_at}, f"{path} was posted to")
    counted.is_untouched()


def test_a_browser_that_was_not_allowed_to_lets_nothing_out(stage: Stage, counted: Counted) -> None:
    with stage.unasked() as profile, hostile_page(profile, f"{stage.stranger}/") as page:
        seen = {kind: attack(page, counted.daemon.base, [kind], [CALL])[kind] for kind in UNFRAMED}

    assert [["threw"], ["threw"]] == [seen[kind][CALL] for kind in ("get", "postText")]
    # Firefox connects while it still asks, and hangs up: no request, and nobody there by the time one looks.
    assert counted.refused <= {("peer_unknown", None)}, "nothing arrived"
    counted.is_untouched()


def attacks(page: Any, counted: Counted, *, origin: str, base: str | None = None) -> Seen:
    """Have ``page`` try everything; ``origin`` is what it asks the owner for."""
    seen: Seen = {}
    for paths, kinds in by_paths(origin).items():
        for kind in kinds:  # one at a time: no answer of the driver's takes long
            seen |= attack(page, base or counted.daemon.base, [kind], paths)
    return seen


def by_paths(origin: str) -> dict[tuple[str, ...], list[str]]:
    """Return the kinds of attack by the paths they go to."""
    found: dict[tuple[str, ...], list[str]] = {}
    for kind in every_kind():
        found.setdefault(paths_of(kind, origin), []).append(kind)
    return found


def reads_what_a_stranger_may(seen: Seen) -> None:
    """Assert that the page read the protocol's answers to a stranger, and nothing else."""
    bodies: dict[str, set[str]] = {}
    for kind in READS:
        for path, words in seen[kind].items():
            told = told_by(words)
            assert readable(kind, path) == told, (kind, path, words)
            if told is not None:
                bodies.setdefault(told if told.startswith("4") else path, set()).add(without_timing(words)[-1])
    assert 1 == len(bodies["403 origin_not_approved"]), "the same words, whatever was asked"
    assert {'{"service":"tollbridge","api":{"min":1,"max":1}}'} == bodies["/v1/hello"]


def reads_nothing(seen: Seen) -> None:
    """Assert that no request of a script was answered."""
    assert {} == {(kind, path): words for kind in READS for path, words in seen[kind].items() if words != ["threw"]}


def gets_nothing(seen: Seen, *, kinds: Iterable[str] = UNSEEN, more: Set[tuple[str, ...]] = frozenset()) -> None:
    """Assert that nothing loaded, ran, opened or was seen; and the same of what exists and of what does not.

    ``more``: what else an attack may come to, where it does not even arrive.
    """
    wrong = {}
    for kind in kinds:
        outcomes = UNSEEN[kind] | more
        for path, words in seen[kind].items():
            if tuple(without_timing(words) if kind in CORS else words) not in outcomes:
                wrong[kind, path] = words
        if kind not in CORS:
            told = {tuple(words) for words in seen[kind].values()} - {("silence",)}
            assert len(told) <= 1, (kind, seen[kind])
    assert {} == wrong


def without_timing(words: list[str]) -> list[str]:
    """Leave out what the browser's clock told."""
    return [word for word in words if not word.startswith("timing ")]


def told_by(words: list[str]) -> str | None:
    """Return status and code of what was read, None where nothing was."""
    if words == ["threw"]:
        return None
    status, *_, body = without_timing(words)
    if not body or not body.startswith("{") or status == "200":
        return status
    fields = json.loads(body)
    return f"{status} {fields.get('code') or fields.get('error')}"


# What a page may see of an empty refusal of its own origin's: words of `attacks.js`, and names of headers.
_EMPTY = {"", "0", "1006", "403", "boolean", "error", "hidden", "load", "silence", "threw"}
_HEADERS = {
    "cache-control",
    "content-length",
    "cross-origin-resource-policy",
    "date",
    "vary",
    "x-content-type-options",
}


def is_empty(words: list[str]) -> bool:
    """Return whether a page that may read everything read nothing."""
    return all(word in _EMPTY or not set(word.split(",")) - _HEADERS for word in without_timing(words))
