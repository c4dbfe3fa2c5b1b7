"""From drifting traffic to a better version that serves, by nobody's hand, and a worse one that is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops.account.local.clock import SWITCH

SCRIPT = Path(__file__).parents[2] / "docs" / "loop" / "walk.py"


@pytest.mark.proof("loop")
def test_the_script_says_that_all_was_well(tmp_path: Path) -> None:
    """It ends with 1 where a request failed, or a loop ended otherwise."""
    environment = {name: value for name, value in os.environ.items() if name != SWITCH}
    command = [sys.executable, str(SCRIPT), "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and "all was well" in done.stdout, done.stdout + done.stderr
    assert (tmp_path / "loop.svg").read_text().startswith("<svg")
