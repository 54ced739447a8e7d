from bridge.apps.registry import apps
from bridge.config import Settings


def test_a_worker_hosts_the_player_and_the_tutorial() -> None:
    assert ["system", "player"] == [app.name for app in apps(Settings())]


def test_every_scope_is_a_sentence_for_people() -> None:
    sentences = {scope: text for app in apps(Settings()) for scope, text in app.scopes.items()}

    assert {
        "system:read": "See the version of Tollbridge on this computer",
        "player:read": "See what is playing on this computer",
        "player:control": "Play, pause and skip music on this computer",
    } == sentences
