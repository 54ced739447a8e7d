"""A page asks, the owner answers, and the answer holds: on this page, in this browser, for this origin alone."""

from collections.abc import Callable

import pytest

from tests.e2e.visit import Visit, becomes_owner
from tests.parts.browser import Profile

pytestmark = pytest.mark.e2e


def test_the_owner_approves_in_a_terminal_and_the_page_goes_on_by_itself(visit: Visit) -> None:
    popup = visit.clicks_connect()
    code = visit.code(popup)
    assert visit.origin == popup.locator("#origin").inner_text()
    assert not popup.locator("#allow").is_visible()

    shown = visit.daemon.cli("approve", code, stdin="y\n")

    assert 0 == shown.returncode, shown.stderr
    assert visit.origin in shown.stdout
    visit.becomes("connected")
    visit.wait(popup.is_closed, "the popup has closed")
    assert {"text": "hello"} == visit.call("system.echo", text="hello")


def test_the_owner_approves_on_the_page_in_a_browser_that_was_activated(visit: Visit) -> None:
    becomes_owner(visit.profile, visit.daemon)

    popup = visit.clicks_connect()
    popup.locator("#allow").click()

    visit.becomes("connected")
    visit.wait(popup.is_closed, "the popup has closed")
    assert {"text": "hello"} == visit.call("system.echo", text="hello")


def test_fewer_scopes_may_be_allowed_than_were_asked(visit: Visit) -> None:
    popup = visit.clicks_connect()
    visit.daemon.cli("approve", visit.code(popup), "--yes", "--scope", "player:read")
    visit.becomes("connected")

    assert "scope_missing" == visit.tries("player.pause")["error"]["code"]
    assert visit.state()["backends"]


def test_a_reload_reconnects_without_asking(visit: Visit) -> None:
    visit.is_approved()

    visit.reload()

    visit.becomes("connected")
    assert 1 == len(visit.profile.context.pages)
    assert {"text": "again"} == visit.call("system.echo", text="again")


def test_a_page_that_left_comes_back_with_the_browsers_next_window(visit: Visit) -> None:
    visit.is_approved()
    visit.page.close()

    back = Visit(visit.profile, visit.origin, visit.daemon)

    back.becomes("connected")


def test_a_denial_is_told_to_the_page_and_remembered(visit: Visit) -> None:
    becomes_owner(visit.profile, visit.daemon)
    popup = visit.clicks_connect()
    popup.locator("#deny").click()
    visit.becomes("denied")
    assert ["access_denied"] == [fault["code"] for fault in visit.seen("faults")]
    assert ["AuthorizationError"] == [fault["name"] for fault in visit.seen("faults")]
    visit.wait(popup.is_closed, "the popup has closed")

    again = visit.clicks_connect()
    again.locator("#remembered").wait_for()
    assert not again.locator("#allow").is_visible()
    again.locator("#back").click()

    visit.wait(lambda: len(visit.seen("faults")) == 2, "the second no is told")
    assert "access_denied" == visit.seen("faults")[1]["code"]


def test_a_remembered_no_can_be_changed_by_the_owner(visit: Visit) -> None:
    popup = visit.clicks_connect()
    assert 0 == visit.daemon.cli("deny", visit.code(popup)).returncode
    visit.becomes("denied")
    becomes_owner(visit.profile, visit.daemon)

    again = visit.clicks_connect()
    again.locator("#reconsider").click()
    again.locator("#allow").click()

    visit.becomes("connected")


def test_a_second_origin_sees_nothing_of_the_first(visit: Visit, other_origin: str) -> None:
    visit.is_approved()
    visit.profile.permit(other_origin, "granted")
    other = Visit(visit.profile, other_origin, visit.daemon)

    # It is not approved, neither by the other's answer nor by a popup of its own that nobody answers.
    assert "idle" == other.status
    assert "origin_not_approved" == _ask_bare(other)["code"]
    popup = other.clicks_connect()
    code = visit.code(popup)
    assert other_origin == popup.locator("#origin").inner_text()
    assert 0 == visit.daemon.cli("approve", code, "--yes").returncode
    other.becomes("connected")

    mine, theirs = _identity(visit), _identity(other)
    assert mine["key"] != theirs["key"], "each origin has a key of its own"
    assert mine["daemon"] != theirs["daemon"], "and knows the daemon by another one"
    assert mine["epoch"] != theirs["epoch"], "and counts events from another start"


def test_a_second_browser_of_the_same_person_is_asked_again(
    visit: Visit, profiles: Callable[[], Profile], origin: str
) -> None:
    visit.is_approved()
    profile = profiles()
    profile.permit(origin, "granted")

    second = Visit(profile, origin, visit.daemon)
    popup = second.clicks_connect()

    assert visit.code(popup)
    assert "asking" == second.status


def test_the_consent_page_cannot_be_framed(visit: Visit) -> None:
    url = f"{visit.daemon.base}/oauth/authorize?client_id={visit.origin}"
    with visit.page.expect_response(lambda answer: answer.url == url) as answer:
        visit.page.evaluate(
            "(src) => document.body.append(Object.assign(document.createElement('iframe'), { src }))", url
        )

    assert 403 == answer.value.status
    refusals = visit.daemon.ask("GET", "/v1/refusals")["refusals"]
    assert "not_a_navigation" == refusals[-1]["reason"]
    assert "/oauth/authorize" == refusals[-1]["path"]


def _ask_bare(visit: Visit) -> dict[str, str]:
    """Ask for the state without a token, as a page does that nobody has approved."""
    ask = "(url) => fetch(url, { credentials: 'omit' }).then((answer) => answer.json())"
    return dict(visit.page.evaluate(ask, f"{visit.daemon.base}/v1/apps/player/state"))


def _identity(visit: Visit) -> dict[str, str]:
    read = """async () => {
      const database = await new Promise((resolve, reject) => {
        const request = indexedDB.open("tollbridge");
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      const table = database.transaction("values").objectStore("values");
      const get = (name) => new Promise((resolve) => {
        const request = table.get(name);
        request.onsuccess = () => resolve(request.result);
      });
      const key = await get("key");
      const pairing = await get("pairing");
      const { cursor } = (await visit.state("player")).result;
      return {
        key: (await crypto.subtle.exportKey("jwk", key.publicKey)).x,
        daemon: pairing.daemonKey.x,
        epoch: cursor.split(".")[0],
      };
    }"""
    return dict(visit.page.evaluate(read))
