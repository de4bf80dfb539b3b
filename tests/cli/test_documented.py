"""Every command and option is explained, and docs/cli.md is what the program says of itself."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from edgewise.cli import build

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
COMMAND = ("-m", "typer", "--app", "app", "edgewise.cli", "utils", "docs", "--name", "edgewise")


def _commands(command, name):
    yield name, command
    for child, sub in getattr(command, "commands", {}).items():
        yield from _commands(sub, f"{name} {child}")


COMMANDS = dict(_commands(get_command(build()), "edgewise"))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_a_word_of_help(name):
    command = COMMANDS[name]
    assert command.help
    silent = [p.name for p in command.params if not getattr(p, "help", None)]
    assert not silent, f"{name}: no help for {silent}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_manual(name):
    assert f"`{name}`" in PAGE.read_text() or name == "edgewise"


def test_the_manual_is_what_the_program_says():
    made = subprocess.run(
        [sys.executable, *COMMAND, "--title", "Command line"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "", "TERMINAL_WIDTH": "80", "COLUMNS": "80"},
    ).stdout
    assert PAGE.read_text().strip() == made.strip(), (
        "run: python -m typer --app app edgewise.cli utils docs --name edgewise "
        '--title "Command line" --output docs/cli.md'
    )


@pytest.mark.parametrize("name", get_command(build()).commands)
def test_a_command_alone_is_the_same_as_among_all(name):
    alone, among = (get_command(build(*names)).commands[name] for names in ((name,), ()))
    assert dict(_commands(alone, name)).keys() == dict(_commands(among, name)).keys()
