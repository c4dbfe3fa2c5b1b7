"""What a training job of a tuning costs here, beside a bare interpreter: (t(21 jobs) - t(1 job)) / 20, random strategy.

Whole processes, each next to a bare interpreter in each round, as in ``steps.py``: a ratio is made of what one round
measured, and its median is told beside the ratio of the fastest times.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from timing import MLOPS, Process, ProcessFailed, run, tell_machine

FEW, MANY = 1, 21
ROUNDS = 7
AT_MOST = 1.8
PIPELINE = """\
from mlops import ContinuousRange, Minimize, Pipeline, TrainingJob, Tuning

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/tool:1"

with Pipeline("noop") as pipeline:
    Tuning(
        "Tune",
        job=TrainingJob(image=IMAGE, code="noop.py", instance="ml.m5.large", metrics={{"loss": "loss=([0-9]+)"}}),
        ranges={{"rate": ContinuousRange(0.0, 1.0)}},
        objective=Minimize("loss"),
        strategy="Random",
        max_jobs={jobs},
    )
"""


def tuning(folder: Path, jobs: int) -> Process:
    """A project of its own, so that no configuration of somebody else's counts."""
    project = folder / f"jobs-{jobs}"
    project.mkdir()
    (project / "mlops.toml").write_text("[project]\n", encoding="utf-8")
    (project / "noop.py").write_text('print("loss=1")\n', encoding="utf-8")
    (project / "pipeline.py").write_text(PIPELINE.format(jobs=jobs), encoding="utf-8")
    return Process([*MLOPS, "run", str(project / "pipeline.py"), "--no-cache"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    tell_machine()
    folder = Path(tempfile.mkdtemp(prefix="mlops-tuning-", dir=Path.home()))
    bare = Process([sys.executable, "-c", "pass"])
    try:
        few, many = tuning(folder, FEW), tuning(folder, MANY)
        for process in (bare, few, many):
            run(process)
        rounds = []
        for number in range(given.rounds):
            beside = [run(bare)]
            took = []
            for process in (few, many) if number % 2 == 0 else (many, few):
                took.append(run(process))
                beside.append(run(bare))
            rounds.append((min(took), max(took), statistics.median(beside)))
    except (ProcessFailed, subprocess.SubprocessError) as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    ratios = [(many_ - few_) / (MANY - FEW) / beside_ for few_, many_, beside_ in rounds]
    fastest = [min(taken[index] for taken in rounds) for index in range(3)]
    least = (fastest[1] - fastest[0]) / (MANY - FEW) / fastest[2]
    median = statistics.median(ratios)
    print(
        f"a further training job / python -c pass: median {median:.2f}, fastest {least:.2f}; at most {AT_MOST} wanted"
    )
    return 0 if median <= AT_MOST else 1


if __name__ == "__main__":
    sys.exit(main())
