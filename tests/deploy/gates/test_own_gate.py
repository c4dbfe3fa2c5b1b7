"""A package adds a gate by an entry point; one that cannot be loaded leaves its name unknown, which is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mlops.deploy.gates import gates
from mlops.deploy.shifting.settings import read
from mlops.ir import ConfigurationError
from mlops.ir import plugins as found_plugins
from mlops.project.environments import read_project

from .test_gates import ASKED

PACKAGE = """
from mlops.ir.gate import Gate, Judgement, table
from dataclasses import dataclass

@dataclass(frozen=True, slots=True)
class Settings:
    least: int = 1

def judge(settings, asked):
    number = asked.version
    return Judgement(number >= settings.least, f"it is version {number}")

GATE = Gate("late-versions", "only late versions", table(Settings), judge)
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """What pip leaves behind of a package with that text."""

    def install(text: str) -> None:
        (tmp_path / "toy_gates.py").write_text(text)
        metadata = tmp_path / "toy_gates-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-gates\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text("[mlops.gates]\nlate-versions = toy_gates:GATE\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        forget()

    def forget() -> None:
        found_plugins.plugins.cache_clear()
        found_plugins._announced.cache_clear()

    yield install
    monkeypatch.undo()
    sys.modules.pop("toy_gates", None)
    forget()


def test_a_gate_of_a_package(installed: Callable[[str], None], tmp_path: Path) -> None:
    installed(PACKAGE)
    (tmp_path / "mlops.toml").write_text("[env.local.promote.gates]\nlate-versions = { least = 8 }\n")
    settings = read(read_project(tmp_path).environment("local"), tmp_path)
    ((gate, its),) = settings.gates
    assert gate.judge(its, replace(ASKED, version=8)).passes
    assert gate.judge(its, ASKED).found == "it is version 7"


def test_one_that_cannot_be_loaded_is_not_passed_over(installed: Callable[[str], None], tmp_path: Path) -> None:
    installed("1 / 0\n")
    assert "late-versions" not in gates()
    (tmp_path / "mlops.toml").write_text("[env.local.promote.gates]\nlate-versions = {}\n")
    with pytest.raises(ConfigurationError, match="there is no gate 'late-versions'"):
        read(read_project(tmp_path).environment("local"), tmp_path)
