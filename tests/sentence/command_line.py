"""The real command line as a process of its own, in a project that is a copy of ours; or in the test's process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from told_json import departures, event_departures

from mlops.cli import main

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Told:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def mlops(*arguments: str, folder: Path, code: int = 0, **environment: str) -> Told:
    """Run a command in ``folder``; it must end with ``code`` and never with a traceback of ours."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-m", "mlops", *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    told = Told(done.returncode, done.stdout, done.stderr)
    shown = f"mlops {' '.join(arguments)} ended with {told.code}\n{told.out}\n{told.err}"
    assert f'File "{ROOT / "mlops"}' not in told.err, shown
    assert told.code == code, shown
    assert departures(arguments, told.out) + event_departures(arguments, told.err) == [], shown
    return told


def in_this_process(capfd: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """The command line in this process, in its folder; what runs a pipeline is another one, as always."""

    def call(*arguments: str, code: int = 0) -> Told:
        capfd.readouterr()
        ended = main(arguments)
        told = Told(ended, *capfd.readouterr())
        assert ended == code, told
        assert "Traceback" not in told.err, told
        assert departures(arguments, told.out) + event_departures(arguments, told.err) == [], told
        return told

    return call


def copy_project(to: Path, *examples: str) -> Path:
    """A project with some of the examples and no configuration but the pinned images."""
    for example in examples:
        ignored = shutil.ignore_patterns("__pycache__", ".mlops")
        shutil.copytree(ROOT / "pipelines" / example, to / "pipelines" / example, ignore=ignored)
    shutil.copy(ROOT / "mlops.lock", to)
    (to / "mlops.toml").write_text('[env.defaults]\ninstance = "ml.m5.large"\n')
    return to
