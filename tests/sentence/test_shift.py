"""From two trainings to production traffic under load, and worse versions that go back by themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "docs" / "shift"


@pytest.mark.proof("shift")
@pytest.mark.parametrize(
    ("script", "more", "said"),
    [
        pytest.param("walk.py", ["--bake", "6"], ", 0 failed", id="two versions by 5, 25, 50 and 100 percent"),
        pytest.param("worse.py", [], "A guardrail judges by alarms", id="four versions that are worse"),
    ],
)
def test_the_script_says_that_all_was_well(tmp_path: Path, script: str, more: list[str], said: str) -> None:
    """They end with 1 where a request was lost that should not, or a share was not what it was to be."""
    command = [sys.executable, str(SCRIPTS / script), "--folder", str(tmp_path / "project"), *more]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and said in done.stdout, done.stdout + done.stderr
