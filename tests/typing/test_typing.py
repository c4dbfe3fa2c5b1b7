"""What users write is type-tested: mypy finds every wrong line of ``wrong.py``, and none in ``right.py``."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

_MARK = re.compile(r"# E: ([\w-]+)$")
_FOUND = re.compile(r"(?:^|/)(\w+)\.py:(\d+): error: .*\[([\w-]+)\]$")


@pytest.mark.slow
def test_mypy_finds_what_is_wrong_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "mypy.ini").write_text("[mypy]\nplugins = mlops.mypy_plugin\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file", "mypy.ini"]
    files = [str(HERE / "wrong.py"), str(HERE / "right.py")]
    done = subprocess.run(
        [*command, "--cache-dir", str(tmp_path), *files], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    found = {(match[1], int(match[2]), match[3]) for line in done.stdout.splitlines() if (match := _FOUND.search(line))}
    wanted = {
        ("wrong", number, match[1])
        for number, line in enumerate((HERE / "wrong.py").read_text(encoding="utf-8").splitlines(), 1)
        if (match := _MARK.search(line))
    }
    assert len(wanted) >= 30
    ours = {item for item in found if item[0] in ("wrong", "right")}
    assert ours == wanted, done.stdout + done.stderr
