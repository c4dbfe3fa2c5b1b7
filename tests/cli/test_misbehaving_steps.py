"""One command over steps that misbehave side by side: it ends with 1, tells each with its reason and the end of its
log, shows no traceback of ours, and leaves no process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from misbehaving_scripts import CASES, processes

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
LONG = ("ignores SIGTERM",)  # two minutes here, as there
FAILING = [name for name, case in CASES.items() if case.begins is not None and name not in LONG]


def parts(name: str) -> list[str]:
    """No word of a command may be longer than 256 characters."""
    script = CASES[name].script.replace("NAME", "'message'")
    run = "import sys; exec(compile(''.join(sys.argv[1:]), 'script', 'exec'))"
    return [run, *(script[start : start + 250] for start in range(0, len(script), 250))]


def definition(marker: str) -> str:
    steps = [
        {
            "Name": f"S{number}",
            "Type": "Processing",
            "Arguments": {
                "ProcessingResources": {
                    "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}
                },
                "AppSpecification": {
                    "ImageUri": IMAGE,
                    "ContainerEntrypoint": ["python3", "-c", *parts(name)],
                },
                "Environment": {"MARKER": marker},
                "RoleArn": "arn:aws:iam::000000000000:role/pipelines",
                **CASES[name].request,
            },
        }
        for number, name in enumerate(FAILING)
    ]
    return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps})


@pytest.mark.proof("deep")
def test_they_are_told_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text("[project]\n")
    marker = f"mlops-marker-{os.getpid()}"
    (tmp_path / "p.json").write_text(definition(marker))
    root = str(Path(__file__).parent.parent.parent)
    code = f"import sys; sys.path.insert(0, {root!r}); from mlops.cli import run; run()"
    ended = subprocess.run(
        [sys.executable, "-c", code, "run", "p.json"],
        cwd=tmp_path,
        env={**os.environ, "MLOPS_MEMORY_LIMIT": "150M"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 1, ended.stderr[-3000:]
    assert processes(marker) == []
    assert len(ended.stderr) < 100_000 and "/mlops/run/" not in ended.stderr and "/mlops/cli/" not in ended.stderr
    for number, name in enumerate(FAILING):
        case = CASES[name]
        told = ended.stderr.partition(f"S{number} failed: ")[2].partition("failed: ")[0]
        assert case.begins is not None and case.begins in told, (name, told)
        assert case.log in told and case.holds.partition(": last words")[0] in told, (name, told)
