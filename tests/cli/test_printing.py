"""Colours and lines that are written over go to terminals that have them, and nowhere else."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import click
import pytest

from mlops.check.reports import text
from mlops.cli import cli
from mlops.cli.printing import is_animated, is_coloured
from mlops.ir import Finding, Severity, Where


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:
        yield stream
    os.close(ours)


@pytest.mark.parametrize(
    ("variables", "animated", "coloured"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, False, False),
    ],
    ids=["a terminal", "NO_COLOR empty", "NO_COLOR", "a dumb terminal"],
)
def test_what_a_terminal_gets(
    terminal: TextIO, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], animated: bool, coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (is_animated(terminal), is_coloured(terminal)) == (animated, coloured)
    assert not is_animated(io.StringIO()) and not is_coloured(io.StringIO())


@pytest.mark.parametrize("columns", [50, 80, 200])
def test_a_caret_stands_below_what_it_means_on_a_narrow_terminal(
    columns: int, terminal: TextIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl.ioctl(terminal.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    monkeypatch.setattr("sys.stdout", terminal)
    file = tmp_path / "pipeline.py"
    file.write_text("x" * 70 + "!" + "y" * 100)
    finding = Finding("E521", "unknown", Severity.ERROR, "no", where=Where(str(file), 1, 71))
    source, caret = text.render([finding], colour=False).splitlines()[1:3]
    assert len(source) <= columns
    assert source[caret.index("^")] == "!"


def test_help_cuts_no_sentence() -> None:
    groups = [(cli, "mlops"), *((cli.get_command(click.Context(cli), name), name) for name in ("executions", "emit"))]
    for group, name in groups:
        assert group is not None
        told = group.get_help(click.Context(group, info_name=name, terminal_width=80))
        assert "..." not in told.partition("Commands:")[2], told


def all_commands(group: click.Command = cli, at: str = "") -> Iterator[tuple[str, click.Command]]:
    yield at, group
    if isinstance(group, click.Group):
        for name in group.list_commands(click.Context(group)):
            found = group.get_command(click.Context(group), name)
            assert found is not None
            yield from all_commands(found, f"{at} {name}".strip())


def test_every_option_says_what_it_does_and_arguments_have_one_spelling() -> None:
    """What may be given several times is `NAME...`, also where it may be left out: `[NAME...]`."""
    silent, odd = [], []
    for name, command in all_commands():
        context = click.Context(command)
        silent += [(name, item.opts) for item in command.params if isinstance(item, click.Option) and not item.help]
        spelt = [item.make_metavar(context) for item in command.params if isinstance(item, click.Argument)]
        odd += [(name, text) for text in spelt if text.endswith("]...")]
    assert (silent, odd) == ([], [])
