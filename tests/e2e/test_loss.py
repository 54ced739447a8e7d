"""What a page lives through: the daemon dies and comes back, the page leaves and returns."""

import pytest

from tests.e2e.visit import Visit

pytestmark = pytest.mark.e2e


def test_after_a_crash_of_the_daemon_the_page_reconnects_by_itself_and_is_told_of_the_gap(visit: Visit) -> None:
    visit.is_approved()
    port = visit.daemon.port
    before = visit.page.evaluate("visit.state('player')")["result"]["cursor"]

    visit.daemon.kill()
    visit.becomes("reconnecting")
    assert "not_connected" == visit.tries("player.pause")["error"]["code"]
    visit.daemon.start()
    visit.becomes("connected")

    assert port == visit.daemon.port
    visit.wait(lambda: visit.seen("gaps"), "the page is told of the gap")
    assert 1 == len(visit.seen("gaps"))
    after = visit.page.evaluate("visit.state('player')")["result"]["cursor"]
    assert before.split(".")[0] != after.split(".")[0]
    assert {"text": "back"} == visit.call("system.echo", text="back")
    assert 1 == len(visit.profile.context.pages), "nobody was asked again"


def test_after_a_planned_restart_too(visit: Visit) -> None:
    visit.is_approved()

    visit.daemon.stop()
    visit.daemon.start()

    visit.wait(lambda: visit.seen("gaps"), "the page is told of the gap")
    visit.becomes("connected")
    reasons = [change["reason"] for change in visit.seen("statuses") if change["status"] == "reconnecting"]
    assert "restarting" == reasons[0]
    assert {"text": "back"} == visit.call("system.echo", text="back")


def test_a_page_that_was_away_hears_afterwards_what_it_missed_in_order_and_once(visit: Visit) -> None:
    visit.is_approved()
    visit.call("player.set_volume", volume=0.9)
    visit.wait(lambda: [0.9] == _volumes(visit), "the page hears of the volume")
    visit.page.evaluate("visit.disconnect()")
    visit.becomes("closed")

    for volume in (0.1, 0.2, 0.3):
        cursor = visit.daemon.ask("GET", "/v1/apps/player/state")["cursor"]
        visit.daemon.call("player.set_volume", volume=volume)
        visit.daemon.ask("GET", f"/v1/events?topics=player&wait=10&after={cursor}")  # it is told before the next one
    assert [0.9] == _volumes(visit)
    visit.page.click("#connect")
    visit.becomes("connected")

    visit.wait(lambda: len(_volumes(visit)) >= 4, "the page hears what it missed")
    assert [0.9, 0.1, 0.2, 0.3] == _volumes(visit)
    assert [] == visit.seen("gaps")


def test_a_page_whose_grant_is_taken_back_is_cut_off_at_once(visit: Visit) -> None:
    visit.is_approved()
    (grant,) = visit.daemon.ask("GET", "/v1/grants")["grants"]

    visit.daemon.ask("DELETE", f"/v1/grants/{grant['id']}")

    visit.becomes("idle")
    assert "invalid_grant" == visit.seen("statuses")[-1]["reason"]
    visit.reload()
    assert "idle" == visit.status
    assert visit.code(visit.clicks_connect()), "the owner is asked again"


def test_a_topic_that_nobody_has_costs_the_page_nothing_else(visit: Visit) -> None:
    visit.is_approved()
    visit.page.evaluate("visit.listen('nobody')")
    visit.wait(lambda: len(visit.profile.errors) == 1, "the console was told at once")

    visit.daemon.kill()
    visit.becomes("reconnecting")
    visit.daemon.start()

    visit.becomes("connected")
    assert {"text": "still here"} == visit.call("system.echo", text="still here")
    visit.wait(lambda: len(visit.profile.errors) == 2, "and again after the restart")
    assert all("nobody" in error for error in visit.profile.errors)
    visit.profile.errors.clear()


def test_a_call_that_is_too_long_is_refused_and_the_others_go_on(visit: Visit) -> None:
    visit.is_approved()
    connections = len(visit.seen("statuses"))

    assert "body_too_large" == visit.tries("system.echo", text="x" * 70_000)["error"]["code"]

    assert {"text": "still here"} == visit.call("system.echo", text="still here")
    assert connections == len(visit.seen("statuses")), "the socket was never lost"


def _volumes(visit: Visit) -> list[float]:
    return [round(event["data"]["player"]["volume"], 3) for event in visit.seen("events") if event["name"] == "changed"]
