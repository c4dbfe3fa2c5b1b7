"""Ten drivers and notebooks in the shapes that are public: composed, checked and planned, whatever they do beside."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
JUDGES = {"v3": "sdk", "v2": "sdk2"}

ROWS: dict[str, tuple[list[str], list[str]]] = {
    # a notebook from the table to the registered model, which waits for its execution and reads its report
    "v2/shells.ipynb": (["ShellsProcess", "ShellsTrain", "ShellsEval", "ShellsCond"], []),
    # a command with arguments that finds a module by its name, all of it below a __main__
    "v2/run_pipeline.py": (["Clean"], []),
    # a notebook that approves the newest package, deploys it, asks it, and cleans up
    "v2/approve_and_deploy.ipynb": (["Deploy", "Stop"], []),
    # everything is looked up
    "v2/lookups.py": (["Score"], []),
    # a notebook that installs, writes, draws, tries one job at once, asks a person; its pipeline is named by the clock
    "v2/explore.ipynb": (["Count"], ["D108"]),
    "v3/shells.ipynb": (["Prepare", "Train"], []),
    # a pipeline in a function's variable alone, started by a client
    "v3/driver.py": (["Score"], []),
    "v3/lookups.py": (["Tell"], []),
    # a notebook that fetches data in three ways, hands it on, and draws
    "v3/transform.ipynb": (["Score"], []),
    # installs in two ways, imports by name, takes its pipeline away in the end
    "v3/installing.py": (["Stop"], []),
}


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    @functools.cache
    def of(version: str) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp(version) / "drivers"
        shutil.copytree(HERE / "drivers", folder)
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        out = folder.parent / "out.json"
        files = [str(folder / row) for row in ROWS if row.startswith(version)]
        # None of the project's variables, and a home with a key that nobody may see.
        (folder.parent / "home" / ".aws").mkdir(parents=True)
        (folder.parent / "home" / ".aws" / "credentials").write_text("[default]\naws_access_key_id = AKIAHOME\n")
        done = subprocess.run(
            [sys.executable, str(ROOT / "tests" / "oracle" / "bridge_rows.py"), str(out), *files],
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "HOME": str(folder.parent / "home"), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode != 0:
            return dict.fromkeys(ROWS, done.stderr)
        assert {
            path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and ".mlops" not in path.parts
        } == before
        told: dict[str, Any] = json.loads(out.read_text())
        return {str(Path(file).relative_to(folder)): one for file, one in told.items()}

    return of


@pytest.mark.slow
@pytest.mark.xdist_group("drivers")
@pytest.mark.parametrize(
    "row", [pytest.param(row, marks=pytest.mark.proof(JUDGES[row.partition("/")[0]])) for row in ROWS]
)
def test_it_is_composed_checked_and_planned(row: str, planned: Callable[[str], dict[str, Any]]) -> None:
    steps, findings = ROWS[row]
    one = planned(row.partition("/")[0])[row]
    assert isinstance(one, dict), one
    assert [step["Name"] for step in one["definition"]["Steps"]] == steps
    assert one["findings"] == findings
    assert one["plan"] == "create"
    assert "not fetched while composing" not in json.dumps(one)
