"""The first hour with the tool: a project without the SDK, data of this machine, files that are no pipelines."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Told, in_this_process

from mlops.check.sources import open_targets
from mlops.ir import ConfigurationError, UsageError
from mlops.ir.errors import MlopsError
from mlops.use_cases import local_data, lock
from mlops.use_cases.targets import project_target

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"
READER = (
    "import os\n"
    "for folder, _, names in os.walk('/opt/ml/processing/input/raw'):\n"
    "    for name in names:\n"
    "        print(name, open(os.path.join(folder, name)).read())\n"
)
PIPELINE = (
    "from mlops import Pipeline, Processing\n"
    "with Pipeline('local-data') as pipeline:\n"
    "    data = pipeline.string('InputData', default='s3://acme-ml/raw/raw.csv')\n"
    f"    Processing('Prep', code='prep.py', image='{IMAGE}', inputs={{'raw': data}})\n"
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mlops.toml").write_text('[project]\npipelines = "flows"\n')
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "pipeline.py").write_text(PIPELINE)
    (tmp_path / "flows" / "prep.py").write_text(READER)
    (tmp_path / "raw.csv").write_text("a,b")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def without_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ``sagemaker`` without data stands before the installed one."""
    empty = types.ModuleType("sagemaker")
    empty.__spec__ = None
    monkeypatch.setitem(sys.modules, "sagemaker", empty)


Said = Callable[..., Told]


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Said:
    return in_this_process(capfd)


def test_init_without_the_sdk_pins_what_lock_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_the_sdk: None, said: Said
) -> None:
    said("init", str(tmp_path / "churn"))
    monkeypatch.chdir(tmp_path / "churn")
    opened = open_targets(["pipelines"], "local")
    assert not opened.findings
    # A version that is promoted has a request to be asked, and the gate `signature` one to compare.
    assert any(asset.files[0][0] == "sample.csv" for asset in opened.pipelines[0].definition.assets)
    shipped = (tmp_path / "churn" / "mlops.lock").read_text()
    monkeypatch.undo()
    assert lock.pin(str(tmp_path / "churn"), lambda event: None).text == shipped


def test_doctor_and_lock_do_not_send_one_to_each_other(project: Path, without_the_sdk: None, said: Said) -> None:
    file = project / "flows" / "pipeline.py"
    file.write_text(
        PIPELINE.replace(f"'{IMAGE}'", "image.sklearn('1.2-1')").replace("Pipeline,", "Pipeline, image,", 1)
    )
    with pytest.raises(ConfigurationError) as caught:
        lock.pin(None, lambda event: None)
    assert "pip install 'sagemaker>=3'" in str(caught.value.hint) and "mlops lock" not in str(caught.value.hint)
    assert "not pinned" not in str(caught.value), "it looks all of them up again, pinned or not"
    assert "pip install 'sagemaker>=3', then `mlops lock`" in said("doctor").out
    said("doctor", "--strict", code=1)


def test_one_missing_pin_is_told_once_and_a_region_that_is_nearly_pinned(project: Path, without_the_sdk: None) -> None:
    steps = "\n".join(f"    Processing('S{number}', code='prep.py', image=sk)" for number in range(3))
    (project / "flows" / "pipeline.py").write_text(
        f"from mlops import Pipeline, Processing, image\nsk = image.sklearn('1.2-1')\nwith Pipeline('p'):\n{steps}\n"
    )
    (project / "mlops.toml").write_text('[project]\npipelines = "flows"\n[env.local]\nregion = "eu-west-11"\n')
    (project / "mlops.lock").write_text(
        'version = 1\n[[image]]\nframework = "sklearn"\nversion = "1.2-1"\nscope = "training"\nregion = "eu-west-1"\n'
        'processors = ["cpu", "unstated"]\nuri = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/s:1"\n'
    )
    (finding,) = (item for item in open_targets(["flows"], "local").findings if item.code == "D051")
    assert finding.step == "S0" and "did you mean the region eu-west-1" in str(finding.help)


def test_data_of_this_machine_for_a_parameter_and_at_a_uri(project: Path, said: Said) -> None:
    refused = said("run", code=1)
    assert "`mlops local put FILE s3://acme-ml/raw/raw.csv`" in refused.err
    assert "InputData: raw.csv is s3://mlops-local/" in said("run", "-p", "InputData=raw.csv").err
    assert "raw.csv a,b" in said("executions", "logs", "last", "Prep").out
    said("local", "put", "raw.csv", "s3://acme-ml/raw/")
    said("run", "flows/pipeline.py")


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("raww.csv", "there is no raww.csv"),
        ("file:///nowhere/x", "there is no /nowhere/x"),
        ("file://raw.csv", "names no file of this machine"),
        ("file://", "names no file of this machine"),
        ("flows/none", "there is no"),
    ],
)
def test_data_that_is_not_there_is_told_before_anything_runs(project: Path, said: Said, value: str, word: str) -> None:
    told = said("run", "-p", f"InputData={value}", code=2)
    assert word in told.err and "execution" not in told.err


@pytest.mark.parametrize("uri", ["raw.csv", "s3://", "s3://bucket", "https://acme/x"])
def test_a_place_that_is_none(project: Path, uri: str) -> None:
    with pytest.raises(UsageError, match="is no place for data"):
        local_data.put(project / "raw.csv", uri)


def test_a_folder_keeps_its_inside(project: Path) -> None:
    (project / "days" / "monday").mkdir(parents=True)
    (project / "days" / "monday" / "a.csv").write_text("1")
    assert local_data.put(project / "days", "s3://acme-ml").uris == ("s3://acme-ml/monday/a.csv",)
    assert local_data.put(project / "days", "s3://acme-ml/x/").uris == ("s3://acme-ml/x/monday/a.csv",)


def test_a_steps_script_is_not_run_as_a_pipeline_file(project: Path, said: Said) -> None:
    script = project / "flows" / "fit.py"
    script.write_text("import argparse, json\nopen('ran', 'w')\nargparse.ArgumentParser().parse_args(['--no'])\n")
    told = said("run", "flows/fit.py", code=1)
    assert "fit.py:1: error D103" in told.err + told.out and not (project / "ran").exists()
    assert "argparse" not in told.err.replace("import argparse", "")


@pytest.mark.parametrize(
    "text",
    [
        "from parts import make\nmake()\n",
        "import importlib\nimportlib.import_module('parts').make()\n",
        "from mlops import Pipeline\ndef get_pipeline(region=None):\n    return Pipeline('made')\n",
    ],
    ids=["by a module of the project", "by a name", "by get_pipeline"],
)
def test_a_file_may_declare_in_many_ways(project: Path, text: str) -> None:
    (project / "flows" / "parts.py").write_text("from mlops import Pipeline\ndef make():\n    Pipeline('made')\n")
    (project / "flows" / "other.py").write_text(text)
    assert [item.definition.name for item in open_targets(["flows/other.py"], "local").pipelines] == ["made"]


def test_get_pipeline_that_wants_something(project: Path) -> None:
    (project / "flows" / "other.py").write_text(
        "import mlops\ndef get_pipeline(region):\n    return mlops.Pipeline('x')\n"
    )
    (finding,) = open_targets(["flows/other.py"], "local").findings
    assert (finding.code, finding.where.line) == ("D103", 2) and "wants region" in finding.message


@pytest.mark.parametrize("command", ["check", "compile"])
def test_without_a_target_it_is_the_projects_pipelines(project: Path, said: Said, command: str) -> None:
    said(command)


def test_there_is_no_target_outside_of_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MlopsError, match="no TARGET, and no project"):
        project_target()
