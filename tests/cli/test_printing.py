"""Colours and lines that are written over go to terminals that have them, and nowhere else."""

from __future__ import annotations

import io
import os
import pty
from collections.abc import Iterator
from typing import TextIO

import pytest

from mlops.cli.printing import is_animated, is_coloured


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
