"""What users write, and what we write for them, is type-tested: mypy finds every wrong line of ``wrong.py``, and none
in ``right.py`` or in the programs that definitions become."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emit.programs import programs

HERE = Path(__file__).parent

_MARK = re.compile(r"# E: ([\w-]+)$")
_FOUND = re.compile(r"(?:^|/)(\w+)\.py:(\d+): error: .*\[([\w-]+)\]$")

CONFIGURATION = """\
[mypy]
plugins = mlops.mypy_plugin
# Two thirds of all modules that would be read, and none has a part in what users write.
[mypy-IPython.*,mypy.*,numpy.*,rich.*]
follow_imports = skip
"""

pytestmark = [pytest.mark.proof("deep"), pytest.mark.xdist_group("mypy")]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy says of all of them: once, since what they import is what takes its time."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "mypy.ini").write_text(CONFIGURATION)
    files = [HERE / "wrong.py", HERE / "right.py"]
    for index, program in enumerate(programs()):
        files.append(folder / f"emitted{index}.py")
        files[-1].write_text(program)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file", "mypy.ini"]
    command += ["--cache-dir", os.devnull, *map(str, files)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr  # 2 where it gave up
    return done.stdout


def found(told: str) -> set[tuple[str, int, str]]:
    """Module, line and code of each error."""
    return {(match[1], int(match[2]), match[3]) for line in told.splitlines() if (match := _FOUND.search(line))}


def test_mypy_finds_what_is_wrong_and_nothing_else(told: str) -> None:
    wanted = {
        ("wrong", number, match[1])
        for number, line in enumerate((HERE / "wrong.py").read_text(encoding="utf-8").splitlines(), 1)
        if (match := _MARK.search(line))
    }
    assert len(wanted) >= 30
    assert {item for item in found(told) if item[0] in ("wrong", "right")} == wanted, told


def test_programs_that_definitions_become_are_typed(told: str) -> None:
    assert len(programs()) > 10
    assert not [line for line in told.splitlines() if "emitted" in line], told
