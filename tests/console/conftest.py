"""A project with executions in its account, its console, and a real Chromium: made once for all tests here."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:  # what most tests do without is loaded where it is asked for
    from in_browser import Seen
    from serving_here import Console

AXE = "axe-core@4.14.1"


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One execution that succeeded, and a newer one that failed."""
    from serving_here import registered, write_project

    from mlops.cli import main

    folder = tmp_path_factory.mktemp("project")
    write_project(folder)
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:  # others of this process have a working directory of their own
            patch.chdir(folder)
            assert main(["run", "pipeline.py"]) == 0
            assert main(["run", "pipeline.py", "-p", "Ends=badly"]) == 1
            stack.enter_context(registered(folder))
        yield folder


@pytest.fixture(scope="session")
def executions(root: Path) -> tuple[str, str]:
    """Ids: the one that failed, the one that succeeded."""
    from mlops.deploy.executions.following import listed
    from mlops.use_cases.connecting import connect_here

    found = listed(connect_here("local", root).account, "churn")
    first, second, *_ = (item["PipelineExecutionArn"].rpartition("/")[2] for item in found)
    return first, second


@pytest.fixture(scope="session")
def open_console(root: Path) -> Iterator[Console]:
    from serving_here import serving

    with serving(root) as found:
        yield found


@pytest.fixture(scope="session")
def console(open_console: Console) -> Console:
    """Let in."""
    from serving_here import Console

    inside = Console(open_console.address, open_console.record)
    inside.enter()
    return inside


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("axe")
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    subprocess.run(["npm", "install", *quiet, AXE], cwd=folder, check=True, capture_output=True)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def seen(browser: Any, open_console: Console) -> Iterator[Seen]:
    from in_browser import Seen

    found = Seen(browser, open_console, viewport={"width": 1280, "height": 900})
    yield found
    found.context.close()
    assert found.faults == []
