"""Git that does not answer is not waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlops.ir import UsageError
from mlops.project import git


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """It would go on when its input ends, which it is not given to wait for, or when somebody types a password."""
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(git, "LONGEST_SECONDS", 0.1)
    return tmp_path


def test_what_changed_is_told_not_to_be_known(silent: Path) -> None:
    with pytest.raises(UsageError, match=r"Git said nothing for 0\.1 s: git rev-parse") as told:
        git.changed_files(silent, "main")
    assert told.value.hint


def test_where_it_stands_is_left_out(silent: Path) -> None:
    assert (git.head(silent), git.repository(silent), git.default_branch(silent)) == (None, None, None)


def test_nobody_is_asked_for_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\nread password && echo typed || echo $GIT_TERMINAL_PROMPT\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert git.default_branch(tmp_path) == "0"
