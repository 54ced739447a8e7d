import msgspec
import pytest

from bridge.consent.notification_text import (
    COMMAND_SECONDS,
    DOMAIN_CHARS,
    LINE_CHARS,
    MOST_PARAMS,
    MOST_SCOPES,
    ORIGIN_CHARS,
    REQUEST_SECONDS,
    Notice,
    notice,
)
from tests.bridge.consent.consent_double import asked

PLAIN = frozenset({"actions", "body"})
MARKUP = PLAIN | {"body-markup"}


def command(summary: str = "Open a file", **params: object) -> dict[str, object]:
    return {"app": "files", "name": "open", "summary": summary, "params": msgspec.Raw(msgspec.json.encode(params))}


def scope(sentence: str) -> dict[str, object]:
    return {"scope": "a:b", "sentence": sentence, "granted": False}


def lines(shown: Notice) -> list[str]:
    return shown.body.split("\n")


def test_the_registrable_domain_stands_first_and_the_whole_origin_below() -> None:
    shown = notice(asked(client={"origin": "https://a.b.example.co.uk:8443"}), MARKUP)

    assert "example.co.uk asks for access" == shown.summary
    assert "https://a.b.<b>example.co.uk</b>:8443" == lines(shown)[0]
    assert ["• Play, pause and skip music on this computer", "Allow: until you revoke it", "Code BCDF-GHJK"] == (
        lines(shown)[1:]
    )
    assert shown.is_answerable


def test_of_a_domain_that_stands_twice_the_right_one_is_stressed() -> None:
    shown = notice(asked(client={"origin": "https://evil.com.evil.com", "domain": "evil.com"}), MARKUP)

    assert "https://evil.com.<b>evil.com</b>" == lines(shown)[0]


def test_where_the_desktop_reads_no_markup_there_is_none() -> None:
    shown = notice(asked(scopes=[scope("Say <b> & more")]), PLAIN)

    assert "https://music.example.co.uk" == lines(shown)[0]
    assert "• Say <b> & more" == lines(shown)[1]


def test_where_the_desktop_reads_markup_everything_from_elsewhere_is_escaped() -> None:
    wanted = command("<i>Open</i>", path="</b><a href='https://evil.example'>&amp;")
    shown = notice(asked(kind="command", command=wanted, until="once"), MARKUP)

    assert "files.open: &lt;i&gt;Open&lt;/i&gt;" == lines(shown)[1]
    assert "• path = \"&lt;/b&gt;&lt;a href='https://evil.example'&gt;&amp;amp;\"" == lines(shown)[2]
    assert 2 == shown.body.count("<"), "the stress of the domain and nothing else"


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("a\nCode MINE-MINE", r"a\nCode MINE-MINE"),
        ("a\u202egpj.exe", r"a\u202egpj.exe"),
        ("a\u2028b", r"a\u2028b"),
        ("a\x00b", r"a\u0000b"),
        ("a\u200bb", r"a\u200bb"),
        ("Größe 大", "Größe 大"),
    ],
)
def test_a_parameter_adds_no_line_and_reorders_none(sent: str, seen: str) -> None:
    shown = notice(asked(kind="command", command=command(name=sent), until="once"), PLAIN)

    assert f'• name = "{seen}"' == lines(shown)[2]
    assert 5 == len(lines(shown))


def test_a_name_of_a_parameter_is_shown_as_safely() -> None:
    shown = notice(asked(kind="command", command=command(**{"a\u202eb\n": 1}), until="once"), PLAIN)

    assert r"• a\u202eb\u000a = 1" == lines(shown)[2]


def test_a_command_is_told_with_its_parameters_and_for_once() -> None:
    shown = notice(asked(kind="command", command=command(path="/a", depth=2), until="once"), PLAIN)

    assert "example.co.uk wants to run a command" == shown.summary
    assert ["files.open: Open a file", '• path = "/a"', "• depth = 2", "Allow: this once", "Code BCDF-GHJK"] == (
        lines(shown)[1:]
    )
    assert (COMMAND_SECONDS, True) == (shown.seconds, shown.is_answerable)
    assert REQUEST_SECONDS == notice(asked(), PLAIN).seconds


def test_a_page_on_this_computer_is_marked_as_development() -> None:
    client = {"origin": "http://localhost:5173", "domain": None, "development": True}
    shown = notice(asked(client=client, until="day"), MARKUP)

    assert "http://localhost:5173 asks for access" == shown.summary
    assert ["http://localhost:5173", "Development: a page served by this computer"] == lines(shown)[:2]
    assert "Allow: for one day" in lines(shown)


def test_a_program_is_no_more_than_the_name_that_it_gives_itself() -> None:
    client = {"id": "native:my-tool", "kind": "native", "origin": None, "domain": None}
    shown = notice(asked(client=client), PLAIN)

    assert "Program my-tool asks for access" == shown.summary
    assert "A program that calls itself my-tool; nobody has verified that name." == lines(shown)[0]


def test_an_earlier_no_is_told() -> None:
    assert "You said no to it before." in lines(notice(asked(denied_before=True), PLAIN))


@pytest.mark.parametrize("capabilities", [frozenset(), frozenset({"body"}), frozenset({"actions"})])
def test_where_the_desktop_shows_no_buttons_or_no_text_it_only_tells(capabilities: frozenset[str]) -> None:
    shown = notice(asked(), capabilities)

    assert not shown.is_answerable
    assert "Answer: tollbridge approve BCDF-GHJK" == lines(shown)[-1]
    assert "Allow" not in shown.body


LONG_LABEL = "a" * 63


@pytest.mark.parametrize(
    "changes",
    [
        {"scopes": [scope(f"Do {number}") for number in range(MOST_SCOPES + 1)]},
        {"scopes": [scope("x" * LINE_CHARS)]},
        {"command": command(path="x" * LINE_CHARS), "kind": "command", "until": "once"},
        {"command": command(**{f"p{n}": n for n in range(MOST_PARAMS + 1)}), "kind": "command", "until": "once"},
        {"client": {"origin": f"https://{LONG_LABEL}.{LONG_LABEL}.example.co.uk"}},
        {"client": {"domain": f"{LONG_LABEL}.dualstack.example.co.uk"}},
    ],
)
def test_what_cannot_be_shown_whole_is_not_answered_here(changes: dict[str, object]) -> None:
    shown = notice(asked(**changes), MARKUP)

    assert not shown.is_answerable
    assert "This is not all. Answer: tollbridge approve BCDF-GHJK" == lines(shown)[-1]
    assert len(shown.summary) <= DOMAIN_CHARS + len(" wants to run a command")
    assert all(len(line) <= LINE_CHARS + len("<b></b>") for line in lines(shown))


def test_all_that_fits_is_answered_here() -> None:
    shown = notice(asked(scopes=[scope("x" * (LINE_CHARS - 2))] * MOST_SCOPES), MARKUP)

    assert shown.is_answerable


def test_a_long_origin_loses_its_left_end() -> None:
    origin = f"https://{'bank.example.' * 12}evil.example:8443"
    shown = notice(asked(client={"origin": origin, "domain": "evil.example"}), MARKUP)

    first = lines(shown)[0]
    assert first.startswith("…")
    assert first.endswith(".<b>evil.example</b>:8443")
    assert ORIGIN_CHARS == len(first) - len("<b></b>")
    assert not shown.is_answerable
