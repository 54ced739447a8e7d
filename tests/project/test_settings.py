"""docs/settings.md is true: every setting with its default and range, every variable and every option stands there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from msgspec import inspect

from bridge import config
from bridge.cli.group import tollbridge
from bridge.cli.token import LONGEST_TTL_SECONDS as LONGEST_TYPED_SECONDS
from bridge.front.owner import LONGEST_TTL_SECONDS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([^|-].*?) \| (.+?) \|(?: (.+?) \|)?", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")

WORDS = {
    ("daemon", "ports"): "one or more of 0 and 1024 to 65535",
    ("player", "music_folders"): "a list of folders",
}
"""Ranges that are no two numbers."""
NO_VALUE = "the desktop's music folder"

BAD_PORTS = ("[65536]", "[1023]", "[1]", "[-1]", "[]")


def part(heading: str) -> str:
    """Return what stands below ``heading`` up to the next heading."""
    return re.split(r"\n##", TEXT.partition(f"{heading}\n")[2], maxsplit=1)[0]


def rows(heading: str) -> dict[str, tuple[str, str]]:
    """Return the table below ``heading``: first cell to the two that follow."""
    found = ROW.findall(part(heading))
    return {
        first.strip("`"): (second, third) for first, second, third in found if not first.startswith(("-", "setting"))
    }


def sections() -> dict[str, dict[str, tuple[str, str]]]:
    """Return section and setting to default and range, as the document has to write them."""
    told = inspect.type_info(config.Settings)
    assert isinstance(told, inspect.StructType)
    return {field.name: _settings(field.name, field.type) for field in told.fields}


def _settings(section: str, kind: inspect.Type) -> dict[str, tuple[str, str]]:
    assert isinstance(kind, inspect.StructType)
    return {
        field.name: (_default(field.default), WORDS.get((section, field.name)) or _range(field.type))
        for field in kind.fields
    }


def _default(value: Any) -> str:
    if value is None:
        return NO_VALUE
    written = list(value) if isinstance(value, tuple) else value
    return f"`{msgspec.json.encode(written).decode().replace(',', ', ')}`"


def _range(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.IntType):
        return f"{kind.ge} to {kind.le}"
    if isinstance(kind, inspect.BoolType):
        return "`true` or `false`"
    assert isinstance(kind, inspect.LiteralType), kind
    return " or ".join(f'`"{value}"`' for value in kind.values)


@pytest.mark.parametrize("section", sections())
def test_each_setting_stands_there_with_its_default_and_its_range(section: str) -> None:
    assert sections()[section] == rows(f"### [{section}]")


def test_there_is_no_section_more() -> None:
    assert [*sections()] == re.findall(r"^### \[(.+)\]$", TEXT, re.MULTILINE)


def test_the_ranges_that_are_written_in_words_are_so(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    good = ("[0]", "[65535, 1024]")
    for ports, is_good in (*((each, True) for each in good), *((each, False) for each in BAD_PORTS)):
        file.write_text(f"[daemon]\nports = {ports}\n", encoding="utf-8")
        assert is_good == _is_read(file)
    file.write_text("[player]\nmusic_folders = []\n", encoding="utf-8")
    assert () == config.read(file).player.folders()


def _is_read(file: Path) -> bool:
    try:
        config.read(file)
    except config.ConfigInvalid:
        return False
    return True


def test_the_example_is_a_settings_file_that_names_every_section(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "config.toml").write_text(example, encoding="utf-8")

    settings = config.read(tmp_path / "config.toml")

    assert (20, 40) == (settings.limits.commands_per_second, settings.limits.burst)
    assert [*sections()] == re.findall(r"^\[(.+)\]$", example, re.MULTILINE)


READS = ("os.environ.get", "environ.get", "os.getenv")


def variables() -> Iterator[str]:
    """Return the name of each environment variable that the program reads by its name."""
    for path in (*(ROOT / "bridge").rglob("*.py"), *(ROOT / "oauth").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            reads = isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "os.environ.get",
                "environ.get",
                "os.getenv",
            )
            if isinstance(node, ast.Call) and reads and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)
            elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
                yield str(ast.literal_eval(node.slice))


def test_each_variable_that_is_read_stands_there() -> None:
    told = {name for first in rows("## Environment variables") for name in CODE.findall(f"`{first}`")}

    assert len(set(variables())) > 5, "they were found"
    assert set() == set(variables()) - told


def commands(group: click.Group, above: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield above + name, command
        if isinstance(command, click.Group):
            yield from commands(command, f"{above}{name} ")


def test_each_option_stands_there_and_none_more() -> None:
    real = {
        name: {word for option in command.params if isinstance(option, click.Option) for word in option.opts}
        for name, command in commands(tollbridge)
    }

    told = {name: {code.split()[0] for code in CODE.findall(cell)} for name, (cell, _) in rows("## Options").items()}
    del told["command"]
    assert real == told


def test_the_longest_life_of_a_token_is_the_same_everywhere() -> None:
    assert LONGEST_TTL_SECONDS == LONGEST_TYPED_SECONDS
    assert f"{LONGEST_TTL_SECONDS // 86400}d at most" in part("## Options")


def test_the_readme_leads_there() -> None:
    assert "(docs/settings.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
