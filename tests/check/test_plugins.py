"""Plug-ins: a sample package, installed as pip leaves it, and every way in which one can be broken."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import ROOT, in_this_process, mlops

from mlops.check import step_types
from mlops.check.codes import known_codes
from mlops.check.plugged import plugged
from mlops.ir import Checked, Definition, Step
from mlops.ir import plugins as found_plugins
from mlops.ir.plugins import RULES, STRATEGIES, TARGETS, plugins

SAMPLE = Path(__file__).parent / "sample_plugin"
DEFINITION = """{"Version": "2020-12-01", "Metadata": {}, "Steps": [
  {"Name": "GO", "Type": "AcmeApproval", "Approvers": ["x"], "Arguments": {}}]}"""


def install(folder: Path, modules: dict[str, str], groups: dict[str, dict[str, str]], name: str) -> None:
    """What pip leaves behind: the modules, and their metadata beside them."""
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(text)
    metadata = folder / f"{name.replace('-', '_')}-1.2.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    lines = [f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in points.items())
             for group, points in groups.items()]  # fmt: skip
    (metadata / "entry_points.txt").write_text("\n".join(lines))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with the sample package in it."""
    folder = tmp_path / "site"
    shutil.copytree(SAMPLE / "acme_mlops", folder / "acme_mlops", ignore=shutil.ignore_patterns("__pycache__"))
    project = tomllib.loads((SAMPLE / "pyproject.toml").read_text())["project"]
    install(folder, {}, project["entry-points"], project["name"])
    (tmp_path / "d.json").write_text(DEFINITION)
    return folder


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Put a folder on the path of this process."""
    caches = (found_plugins.plugins, found_plugins._announced, plugged, known_codes)

    def put(folder: Path) -> None:
        monkeypatch.syspath_prepend(str(folder))
        for cached in caches:
            cached.cache_clear()

    yield put
    monkeypatch.undo()
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme_mlops"]:
        del sys.modules[name]
    for cached in caches:
        cached.cache_clear()


def path(site: Path) -> str:
    return os.pathsep.join((str(ROOT), str(site)))


def test_without_it_nobody_knows(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    mlops = in_this_process(capfd)
    told = mlops("check", "d.json", "--format", "json")
    assert [item["code"] for item in told.json["findings"]] == ["S210"]
    assert "steps " not in mlops("emit", "--help").out
    assert "counted" not in mlops("check", "--help").out


def test_its_target_emits_and_all_of_it_is_listed(site: Path, tmp_path: Path) -> None:
    listed = mlops("emit", "--help", folder=tmp_path, PYTHONPATH=path(site)).out
    assert re.search("steps +TARGET as acme-mlops 1.2 writes it.", listed) and "python" in listed
    sound = DEFINITION.replace('"GO"', '"Go"')
    (tmp_path / "d.json").write_text(sound)
    assert mlops("emit", "steps", "d.json", folder=tmp_path, PYTHONPATH=path(site)).out == "Go\n"
    told = mlops("doctor", folder=tmp_path, PYTHONPATH=path(site)).out
    assert "plug-in       steps, target of `mlops emit`, from acme-mlops 1.2" in told
    (site / "acme_mlops" / "step_list.py").write_text("def emit(checked):\n    return 1 / 0\n")
    told = mlops("emit", "steps", "d.json", folder=tmp_path, code=2, PYTHONPATH=path(site)).err
    assert "the plug-in 'steps' (mlops.targets) of acme-mlops 1.2 does not work: ZeroDivisionError" in told


def test_its_report_format_is_one_of_ours(site: Path, tmp_path: Path) -> None:
    told = mlops("check", "d.json", "--format", "counted", folder=tmp_path, PYTHONPATH=path(site))
    assert told.out == "1 in 1 files\n"
    told = mlops("doctor", folder=tmp_path, PYTHONPATH=path(site))
    assert "plug-in       counted, format of `mlops check`, from acme-mlops 1.2" in told.out
    (site / "acme_mlops" / "counted.py").write_text("render = 1\n")
    told = mlops("check", "d.json", "--format", "counted", folder=tmp_path, code=2, PYTHONPATH=path(site))
    assert "the plug-in 'counted' (mlops.reports) of acme-mlops 1.2 does not work: it names no render" in told.err


def test_its_rule_and_its_step_type_are_ours(site: Path, tmp_path: Path) -> None:
    told = mlops("check", "d.json", "--format", "json", folder=tmp_path, PYTHONPATH=path(site))
    assert [(item["code"], item["path"]) for item in told.json["findings"]] == [("ACME1", "/Steps/0/Name")]
    told = mlops("check", "d.json", "--format", "json", "--ignore", "ACME", folder=tmp_path, PYTHONPATH=path(site))
    assert told.json["findings"] == []
    explained = mlops("explain", "shouting-step", folder=tmp_path, PYTHONPATH=path(site))
    assert "takes for an alarm" in explained.out
    assert "Source: our wiki, page 7" in explained.out


def test_targets_and_strategies_are_found(site: Path, on_path: Callable[[Path], None]) -> None:
    on_path(site)
    assert "AcmeApproval" in step_types()
    (target,) = plugins(TARGETS)
    checked = Checked(Definition("p", steps=(Step("A", "Fail"),)), (), {}, {}, ("A",))
    assert target.value(checked) == "A\n"  # type: ignore[operator]
    (strategy,) = plugins(STRATEGIES)
    assert (strategy.name, strategy.value().hour) == ("at-night", 3)  # type: ignore[operator]


RULE = "from mlops.check.rule import Fault, rule\nfrom mlops.ir import Severity\n"
MADE = '@rule({code!r}, "odd", Severity.ERROR, source="x")\ndef odd(subject):\n    {body}\n'


BROKEN = {
    "imports": ("import nothing_like_that\n", "ModuleNotFoundError: No module named 'nothing_like_that'"),
    "fails": ("1 / 0\n", "ZeroDivisionError"),
    "ends": ("raise SystemExit(3)\n", "SystemExit: 3"),
    "spelt": ("def (\n", "SyntaxError"),
    "none": ("nothing = 1\n", "neither a rule, several, nor a module with one"),
    "taken": (RULE + MADE.format(code="G104", body="return []"), "the code G104 is taken"),
    "coded": (RULE + MADE.format(code="odd one", body="return []"), "is no code"),
    "raises": (RULE + MADE.format(code="ACME2", body="raise KeyError('x')"), "ACME2 raised KeyError: 'x'"),
    "returns": (RULE + MADE.format(code="ACME3", body="return [1]"), "ACME3 raised AttributeError"),
}


def test_each_broken_one_is_named_and_the_check_goes_on(site: Path, tmp_path: Path) -> None:
    """All of them at once, and the one that is sound."""
    modules = {f"{name}_acme": text for name, (text, _) in BROKEN.items()}
    install(site, modules, {RULES: {name: f"{name}_acme" for name in BROKEN}}, "broken-acme")
    told = mlops("check", "d.json", "--format", "json", folder=tmp_path, code=1, PYTHONPATH=path(site))
    assert "Traceback" not in told.err
    found = told.json["findings"]
    assert [item["code"] for item in found] == ["A010"] * len(BROKEN) + ["ACME1"]
    for name, (_, said) in BROKEN.items():
        left_out = f"the plug-in '{name}' (mlops.rules) of broken-acme 1.2 is left out: "
        (message,) = (item["message"] for item in found if left_out in item["message"])
        assert said in message


def test_where_there_is_none_nothing_is_imported_for_it(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text('{"Version": "2020-12-01", "Metadata": {}, "Steps": []}')
    script = (
        "import sys; sys.argv = ['mlops', 'check', 'd.json']\nfrom mlops.cli import main\nmain()\n"
        "assert 'importlib.metadata' not in sys.modules\n"
    )
    (tmp_path / "script.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
