"""Steps that misbehave: each ends with its name, the reason and the end of its log, and leaves no process."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ports_for_tests import Account, processing, training

from mlops.ir import ConfigurationError
from mlops.run import limits as limits_module
from mlops.run.limits import Limits, asked_memory, disk_use, instance_memory, limits

MIB, GIB = 1024**2, 1024**3


@dataclass(frozen=True)
class Case:
    """``begins`` and ``holds`` are of the failure; None: it succeeds. ``log`` is the end of what it printed."""

    script: str
    begins: str | None
    holds: str = ""
    log: str = "last words"
    request: dict[str, Any] = field(default_factory=dict)
    memory: int | None = None
    volume: int | None = None


FAILURE_FILE = """
import os, pathlib
(pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "output" / NAME).write_text("the data has no rows")
print("last words")
raise SystemExit(7)
"""
HOLD = """
import sys, time
print("last words", flush=True)
held = []
for _ in range(40):
    held.append(bytearray(b"x" * (10 * 1024 * 1024)))
    time.sleep(0.02)
time.sleep(30)
"""
FILL = """
import os, time
print("last words", flush=True)
base = os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")
with open(os.path.join(base, "output", "big"), "wb") as file:
    for _ in range(64):
        file.write(os.urandom(1024 * 1024))
        file.flush()
        time.sleep(PAUSE)
"""
FORK = """
import os, sys, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)
        os._exit(0)
print("last words")
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("last words", flush=True)
time.sleep(60)
"""
SHORT = {"StoppingCondition": {"MaxRuntimeInSeconds": 1}}

CASES = {
    "raises": Case("print('last words')\n1 / 0", "exit code 1: ", "ZeroDivisionError: division by zero", "by zero"),
    "exits 3": Case("print('last words'); raise SystemExit(3)", "exit code 3: ", "last words"),
    "writes the failure file": Case(FAILURE_FILE, "", "the data has no rows"),
    "runs too long": Case(
        "import time; print('last words', flush=True); time.sleep(60)",
        "it ran longer than MaxRuntimeInSeconds = 1",
        request=SHORT,
    ),
    "ignores SIGTERM": Case(DEAF, "it ran longer than MaxRuntimeInSeconds = 1", request=SHORT),
    "MemoryError": Case(
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**28, 2**28)); x = bytearray(2**30)",
        "exit code 1: ",
        "MemoryError",
        "MemoryError",
    ),
    "holds too much": Case(
        HOLD, "it held ", "of memory and was killed; MLOPS_MEMORY_LIMIT gives 150.0 MiB: last words", memory=150 * MIB
    ),
    "fills its disk": Case(
        FILL.replace("PAUSE", "0.05"),
        "it filled its disk and was killed: ",
        "MiB in /opt/ml and /tmp, VolumeSizeInGB = 1 allows less: last words",
        volume=16 * MIB,
    ),
    "fills its disk in no time": Case(
        FILL.replace("PAUSE", "0"), "it filled its disk", "VolumeSizeInGB = 1 allows less: last words", volume=16 * MIB
    ),
    "prints 100 MB": Case(
        "import sys\nfor _ in range(100): sys.stdout.write(('x' * 1023 + '\\n') * 1024)\nsys.exit('last words')",
        "exit code 1: ",
        "last words",
    ),
    "prints one line of 100 MB": Case(
        "import sys\nfor _ in range(100): sys.stdout.write('x' * 1024 * 1024)\nsys.exit('\\nlast words')",
        "exit code 1: ",
        "last words",
    ),
    "forks and exits": Case(FORK, None),
    "holds and writes what it may": Case(
        "x = bytearray(b'x' * 50 * 1024 * 1024); open('/tmp/x', 'wb').write(x[:2**20]); print('last words')",
        None,
        memory=1024 * MIB,
        volume=16 * MIB,
    ),
}


@pytest.mark.parametrize("kind", ["Training", "Processing"])
@pytest.mark.parametrize("name", CASES)
def test_how_it_ends(account: Account, monkeypatch: pytest.MonkeyPatch, name: str, kind: str) -> None:
    case, marker = CASES[name], f"mlops-marker-{os.getpid()}-{time.monotonic_ns()}"
    if case.volume is not None:  # a true VolumeSizeInGB would take a gigabyte each
        monkeypatch.setattr(limits_module, "VOLUME_UNIT", case.volume)
    script = case.script.replace("NAME", repr("failure" if kind == "Training" else "message"))
    request = {"Environment": {"MARKER": marker}, **case.request}
    config = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    step = (
        training(account, "S", {"train.py": script}, ResourceConfig=config, **request)
        if kind == "Training"
        else processing(account, "S", script, ProcessingResources={"ClusterConfig": config}, **request)
    )
    status = account.run(step, grace_seconds=0.5, memory_limit=case.memory)
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
    assert account.journal.statuses[-1] == ("Failed", "Step failure: One or many steps failed: S.")


def processes(marker: str) -> list[str]:
    """Those that have ``marker`` in their environment; one that was just killed gets a moment."""
    found: list[str] = []
    for _ in range(100):
        found = []
        for entry in Path("/proc").glob("[0-9]*/environ"):
            try:
                if marker.encode() in entry.read_bytes():
                    found.append(entry.parent.name)
            except OSError:
                continue
        if not found:
            break
        time.sleep(0.05)
    return found


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
