"""A store of 100,000 executions, 5,000 versions of a group, a pipeline of 500 steps and a log of 100 MB, written by
what writes it anyhow."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from serving_here import IMAGE

from mlops.account.local import LocalAccount, events, step_records
from mlops.account.local.services.sagemaker import registry
from mlops.account.local.services.sagemaker.pipelines import execution_arn
from mlops.account.local.state import State, dump, moment
from mlops.cli import main
from mlops.ir.execution_events import execution_event
from mlops.run.ports import StepRecord

EXECUTIONS, VERSIONS, STEPS, LOG_BYTES = 100_000, 5_000, 500, 100_000_000
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
LINE = "line %08d of a log that is longer than anybody reads, as a program writes it that tells what it does\n"
PIPELINES = f"""\
from mlops import Pipeline, Processing
with Pipeline("many"):
    Processing("Work", code="work.py", image="{IMAGE}", outputs=["data"])
with Pipeline("wide"):
    steps = []
    for number in range({STEPS}):
        before = [steps[(number - 1) // 10]] if number else []
        steps.append(Processing(f"Step{{number}}", code="work.py", image="{IMAGE}", after=before))
"""
WORK = "import os\nif os.path.isdir('/opt/ml/processing/output/data'): print('worked')\n"


@dataclass(frozen=True, slots=True)
class Ids:
    """``real`` has run, ``wide`` is of the pipeline of many steps."""

    real: str
    wide: str


def write_large(folder: Path, executions: int = EXECUTIONS, versions: int = VERSIONS) -> Ids:
    folder.mkdir()
    (folder / "mlops.toml").write_text("[project]\n")
    (folder / "pipelines.py").write_text(PIPELINES)
    (folder / "work.py").write_text(WORK)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["upsert", "pipelines.py"]) == 0
        assert main(["run", "pipelines.py:many"]) == 0
    state = LocalAccount(folder / ".mlops", "us-east-1").state
    (real,) = (str(row["id"]) for row in state.store.all("SELECT id FROM execution"))
    registry.create_model_package_group(state, {"ModelPackageGroupName": "many"})
    with state.store.transaction():
        for number in range(executions):
            ended(state, "many", f"{number:012d}", BEGAN + timedelta(seconds=100 * number), ("Work",))
        ended(state, "wide", "wide00000000", datetime.now(UTC), [f"Step{number}" for number in range(STEPS)])
        container = {"Image": IMAGE, "ModelDataUrl": "s3://mlops-local/model.tar.gz"}
        for _ in range(versions):
            asked = {"ModelPackageGroupName": "many", "InferenceSpecification": {"Containers": [container]}}
            registry.create_model_package(state, asked)
    (log,) = (folder / ".mlops" / "executions" / real).rglob("log.txt")
    with log.open("w", encoding="ascii") as file:
        for first in range(0, LOG_BYTES // len(LINE % 0) + 1, 10_000):
            file.write("".join(LINE % number for number in range(first, first + 10_000)))
    assert os.path.getsize(log) >= LOG_BYTES
    return Ids(real, "wide00000000")


def ended(state: State, pipeline: str, id: str, began: datetime, steps: tuple[str, ...] | list[str]) -> None:
    """An execution as its process leaves it; every hundredth has failed."""
    status = "Failed" if id.endswith("00") and pipeline == "many" else "Succeeded"
    row = (id, pipeline, 1, status, 0, moment(began), moment(began), None, dump({"Parameters": {"Rate": id[-3:]}}))
    state.store.write("INSERT INTO execution VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *row)
    for number, name in enumerate(steps):
        at = began + timedelta(seconds=number)
        record = StepRecord(name, "Processing", status, started=at, ended=at + timedelta(seconds=1))
        step_records.keep(state, id, record)
    events.append(state.store, execution_event(execution_arn(state, pipeline, id), status, began))
