"""The path of the README, walked: the pipeline at its top runs here, and each command of its first steps, in order."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mlops.account.local import LocalAccount
from mlops.cli import main

README = Path(__file__).parent.parent.parent / "README.md"
SCRIPTS = {
    "prepare.py": """
import pathlib, shutil
raw = next(pathlib.Path("/opt/ml/processing/input/raw").iterdir())
for name in ("train", "test"):
    shutil.copy(raw, f"/opt/ml/processing/output/{name}/{raw.name}")
""",
    "train.py": """
import os, pathlib
rows = [file.read_text() for file in pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]).iterdir()]
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text("".join(rows))
""",
    "evaluate.py": """
import json, pathlib
assert any(pathlib.Path("/opt/ml/processing/input/model").iterdir())
pathlib.Path("/opt/ml/processing/output/report/evaluation.json").write_text(json.dumps({"accuracy": 0.93}))
""",
}


def first_steps() -> list[str]:
    section = README.read_text(encoding="utf-8").partition("## First steps\n")[2].partition("\n## ")[0]
    return [line.partition("  #")[0].strip() for line in re.findall(r"^    (.*)$", section, re.MULTILINE)]


def test_the_pipeline_at_the_top_runs_on_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    text = README.read_text(encoding="utf-8")
    (tmp_path / "pipeline.py").write_text(text.partition("```python\n")[2].partition("```")[0])
    for name, source in SCRIPTS.items():
        (tmp_path / name).write_text(source)
    (tmp_path / "churn.csv").write_text("days,left\n1,0\n")
    (tmp_path / "mlops.toml").touch()
    monkeypatch.chdir(tmp_path)
    (command,) = re.findall(r"`mlops (run pipeline\.py -p [^`]*)`", text)
    ended = main(shlex.split(command))
    assert ended == 0, capfd.readouterr()


def test_a_new_project_says_the_same(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "churn")]) == 0
    told = capfd.readouterr().err.splitlines()[-1]
    text = (tmp_path / "churn" / "README.md").read_text(encoding="utf-8")
    commands = [line.partition("  #")[0].strip() for line in re.findall(r"^    (.*)$", text, re.MULTILINE)]
    assert [line for line in commands if line not in first_steps()] == ["mlops models list"]
    assert told == f"now: cd {tmp_path / 'churn'} && mlops run" and "mlops run" in commands


def test_the_steps_are_there() -> None:
    names = [shlex.split(line)[1] for line in first_steps() if line.startswith("mlops ")]
    assert names == ["init", "check", "run", "models", "promote", "endpoints", "endpoints"]


@pytest.mark.proof("newcomer")
@pytest.mark.proof("sdk")
def test_each_command_of_the_first_steps_in_order(tmp_path: Path) -> None:
    """As somebody types them, in an environment that brings mlops: with the SDK or, for the newcomer, without."""
    around = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PYTHONPATH"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{around['PATH']}"
    script = "\n".join(("set -eux", *first_steps()))
    try:
        done = _typed(script, tmp_path, {**around, "PATH": path, "HOME": str(tmp_path)})
    finally:
        # What serves would go on when the test is over.
        for state in tmp_path.glob("*/.mlops"):
            sagemaker = LocalAccount(state, "us-east-1").client("sagemaker")
            for endpoint in sagemaker.list_endpoints()["Endpoints"]:
                sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])
    told = f"{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, told
    assert "Traceback" not in told and "error" not in done.stderr.lower().replace("no errors", ""), told


def _typed(script: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
