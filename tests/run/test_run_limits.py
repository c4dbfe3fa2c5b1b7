"""Steps that misbehave: each ends with its name, the reason and the end of its log, and leaves no process."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from misbehaving_scripts import CASES, GIB, MIB, processes
from ports_for_tests import Account, processing, training

from mlops.ir import ConfigurationError
from mlops.run.limits import Limits, asked_memory, disk_use, instance_memory, limits
from mlops.run.pace import Pace


@pytest.mark.parametrize("kind", ["Training", "Processing"])
@pytest.mark.parametrize("name", CASES)
def test_how_it_ends(account: Account, name: str, kind: str) -> None:
    case, marker = CASES[name], f"mlops-marker-{os.getpid()}-{time.monotonic_ns()}"
    script = case.script.replace("NAME", repr("failure" if kind == "Training" else "message"))
    request = {"Environment": {"MARKER": marker}, **case.request}
    config = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    step = (
        training(account, "S", {"train.py": script}, ResourceConfig=config, **request)
        if kind == "Training"
        else processing(account, "S", script, ProcessingResources={"ClusterConfig": config}, **request)
    )
    status = account.run(step, pace=Pace(grace=0.5), memory_limit=case.memory)
    record = account.journal.last("S")
    assert status == ("Succeeded" if case.begins is None else "Failed"), record.failure
    assert processes(marker) == []
    log = account.journal.log("S")
    told = [line for line in log.splitlines() if line and not line.startswith("[mlops]")]
    assert told[-1].endswith(case.log) and "mlops/run/" not in log
    assert record.log is not None and record.log.stat().st_size < 33 * MIB
    if case.begins is None:
        return
    assert record.failure is not None and record.failure.startswith(case.begins) and case.holds in record.failure
    assert len(record.failure) <= 1024 and record.response[f"{kind}JobStatus"] in ("Failed", "Stopped")
    assert account.journal.statuses[-1] == ("Failed", "Step failure: One or multiple steps failed: S.")


@pytest.mark.parametrize(
    ("instance", "gib"),
    [
        ("ml.m5.large", 8),
        ("ml.m5.24xlarge", 384),
        ("ml.c5.xlarge", 8),
        ("ml.c5.18xlarge", 144),
        ("ml.r5.2xlarge", 64),
        ("ml.m7i.xlarge", 16),
        ("ml.t3.medium", 4),
        ("ml.t3.2xlarge", 32),
        ("ml.c4.large", None),
        ("ml.p3.2xlarge", None),
        ("ml.trn1.2xlarge", None),
        ("ml.u-6tb1.xlarge", None),
        ("local", None),
        ("", None),
    ],
)
def test_the_memory_of_instances(instance: str, gib: int | None) -> None:
    assert instance_memory(instance) == (None if gib is None else gib * GIB)


@pytest.mark.parametrize(
    ("config", "instance", "asked", "memory_of", "disk"),
    [
        ({"VolumeSizeInGB": 5}, "ml.t3.medium", None, "ml.t3.medium", 5 * GIB),
        ({"VolumeSizeInGB": 5}, "ml.t3.medium", MIB, "MLOPS_MEMORY_LIMIT", 5 * GIB),
        # Disks of the instance's own: VolumeSizeInGB is not what counts there.
        ({"VolumeSizeInGB": 5}, "ml.m5d.large", None, None, None),
        ({"VolumeSizeInGB": 5}, "ml.g5.xlarge", None, "this machine", None),
        ({}, "ml.t3.medium", None, "ml.t3.medium", None),
        ({}, "local", None, "this machine", None),
    ],
)
def test_limits(config: Any, instance: str, asked: int | None, memory_of: str | None, disk: int | None) -> None:
    found = limits(config, instance, asked)
    assert found.disk == disk
    assert memory_of is None or found.memory_of in (memory_of, "this machine")
    assert isinstance(found, Limits) and found.memory is not None and found.memory > 0


@pytest.mark.parametrize("text", ["0", "many", "-1", "4 PB", "1e9"])
def test_limits_that_make_no_sense(text: str) -> None:
    with pytest.raises(ConfigurationError, match="MLOPS_MEMORY_LIMIT is"):
        asked_memory({"MLOPS_MEMORY_LIMIT": text})


def test_disk_use(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    (tmp_path / "folder").mkdir()
    os.link(tmp_path / "a", tmp_path / "folder" / "b")
    (tmp_path / "folder" / "c").symlink_to("/")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(10 * GIB)
    used = subprocess.run(["du", "-s", "-B1", str(tmp_path)], capture_output=True, text=True, check=True).stdout
    assert 100_000 <= disk_use(tmp_path) <= int(used.split()[0])
