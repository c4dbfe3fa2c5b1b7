"""A monitor over captured lines beside Evidently on the same rows: CPU seconds of whole processes, and their memory.

Both read JSON Lines of ``--lines`` requests with 30 features (20 fractions, 7 counts, 3 categories), hold them against
training data in CSV, and give statistics of each column and what drifted: here by the monitor's own program, there by
DataSummaryPreset and DataDriftPreset. Evidently reads plain objects, here each row is taken out of a captured line.
``--evidently PYTHON`` is a Python that has it (of the judge ``drifts`` where that was asked); without one only ours is
measured.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from timing import tell_machine

ROOT = Path(__file__).parent.parent
JUDGE = ROOT / ".venv-proofs" / "drifts" / "bin" / "python"
LINES, TRAINING, BLOCK = 1_000_000, 100_000, 50_000
AT_LEAST = 3.0
MOST_MB = 700
_LINE = (
    '{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"%s","encoding":"CSV"},'
    '"endpointOutput":{"observedContentType":"text/csv","mode":"OUTPUT","data":"%s","encoding":"CSV"}},"eventMetadata":'
    '{"eventId":"%032d","inferenceTime":"2026-11-29T09:30:12Z"},"eventVersion":"0"}\n'
)
_THEIRS = """
import sys, warnings
warnings.simplefilter("ignore")
import pandas
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset, DataSummaryPreset
before, now = pandas.read_csv(sys.argv[1]), pandas.read_json(sys.argv[2], lines=True)
numbers = [name for name in before if before[name].dtype.kind in "fi"]
kinds = DataDefinition(numerical_columns=numbers, categorical_columns=[name for name in before if name not in numbers])
frames = [Dataset.from_pandas(side, data_definition=kinds) for side in (now, before)]
Report([DataSummaryPreset(), DataDriftPreset()]).run(*frames).dict()
"""


def written(folder: Path, lines: int, theirs: bool) -> None:
    random = np.random.default_rng(0)
    (folder / "processing" / "input" / "baseline").mkdir(parents=True)
    (folder / "processing" / "input" / "captured").mkdir()
    (folder / "processing" / "input" / "monitor").mkdir()
    told = {"monitor": "watch", "endpoint": "churn", "data_quality": {}, "drift": {}}
    (folder / "processing" / "input" / "monitor" / "monitor.json").write_text(json.dumps(told))
    names = [f"f{at}" for at in range(30)]
    with (folder / "processing" / "input" / "baseline" / "train.csv").open("w") as file:
        file.write(",".join(names) + "\n")
        for row in rows(random, TRAINING):
            file.write(",".join(row) + "\n")
    with (
        (folder / "processing" / "input" / "captured" / "a.jsonl").open("w") as captured,
        (folder / "plain.jsonl").open("w") as plain,
    ):
        for start in range(0, lines, BLOCK):
            for at, row in enumerate(rows(random, min(BLOCK, lines - start)), start=start):
                captured.write(_LINE % (",".join(row), f"0.{at % 10_000:04}", at))
                if theirs:
                    cells = ",".join(
                        f'"{name}":{cell if number < 27 else json.dumps(cell)}'
                        for number, (name, cell) in enumerate(zip(names, row, strict=True))
                    )
                    plain.write(f"{{{cells}}}\n")


def rows(random: np.random.Generator, many: int) -> zip[tuple[str, ...]]:
    fractions = [[f"{value:.4f}" for value in random.normal(size=many)] for _ in range(20)]
    counts = [list(map(str, random.poisson(50, size=many))) for _ in range(7)]
    kinds = [[f"kind{value}" for value in random.integers(0, 5, size=many)] for _ in range(3)]
    return zip(*fractions, *counts, *kinds, strict=True)


def measured(command: list[str], **variables: str) -> tuple[float, float]:
    """CPU seconds and megabytes of a process."""
    process = subprocess.Popen(command, env={**os.environ, **variables}, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, _megabytes(used)


def _megabytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--evidently", type=Path, default=JUDGE if JUDGE.exists() else None, metavar="PYTHON")
    given = parser.parse_args()
    tell_machine()
    with tempfile.TemporaryDirectory(prefix="mlops-monitor-") as scratch:
        folder = Path(scratch)
        written(folder, given.lines, given.evidently is not None)
        entry = [sys.executable, str(ROOT / "mlops" / "monitor" / "entry.py"), "monitor"]
        seconds, megabytes = measured(entry, SAGEMAKER_BASE_DIR=str(folder))
        print(f"{given.lines} captured lines x 30 features: {seconds:.1f} CPU seconds, {megabytes:.0f} MB")
        right = megabytes <= MOST_MB
        if given.evidently is not None:
            train = folder / "processing" / "input" / "baseline" / "train.csv"
            command = [str(given.evidently), "-c", _THEIRS, str(train), str(folder / "plain.jsonl")]
            theirs, their_megabytes = measured(command)
            print(
                f"Evidently: {theirs:.1f} CPU seconds, {their_megabytes:.0f} MB; {theirs / seconds:.1f} times as long"
            )
            right = right and theirs >= AT_LEAST * seconds
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
