"""What a step costs here: beside a bare interpreter, beside two boto3 clients, and with ``--peers`` beside tools that
also run each step in a process.

Twenty no-op steps and one, whole processes. A further step costs (t(20) - t(1)) / 19.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from peers import FLOWS, PEERS, install
from timing import MLOPS, ROOT, Process, ProcessFailed, run, tell_machine, tell_seconds, time_together

STEPS = 20
ROUNDS = 5
SEQUENCE, PARALLEL = "in sequence", "in parallel"
BARE = "python -c pass"
CLIENTS = "two boto3 clients"
CACHED = f"mlops run, {STEPS} cached steps"
TWO_CLIENTS = """\
import boto3
session = boto3.Session(region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
session.client("s3")
session.client("sagemaker")
"""
PIPELINE = """\
from mlops import Pipeline, Processing, Training

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/tool:1"

with Pipeline("noop") as pipeline:
    before = []
    for number in range({steps}):
        step = {kind}(f"Step{{number}}", code="noop.py", image=IMAGE, instance="ml.m5.large", after=before)
        before = [step] if {chained} else []
"""


@dataclass(frozen=True, slots=True)
class Ratio:
    says: str
    value: float
    at_most: float


def ours(folder: Path, kind: str, steps: int, shape: str, *options: str) -> Process:
    """A project of its own, so that no configuration of somebody else's counts."""
    project = folder / f"{kind}-{steps}-{shape}{''.join(options)}".replace(" ", "-")
    project.mkdir()
    (project / "mlops.toml").write_text("[project]\n", encoding="utf-8")
    (project / "noop.py").write_text("pass\n", encoding="utf-8")
    pipeline = PIPELINE.format(kind=kind, steps=steps, chained=shape == SEQUENCE)
    (project / "pipeline.py").write_text(pipeline, encoding="utf-8")
    return Process([*MLOPS, "run", str(project / "pipeline.py"), *options])


def processes(folder: Path, peers: Mapping[str, Path]) -> dict[str, Process]:
    found = {BARE: Process([sys.executable, "-c", "pass"]), CLIENTS: Process([sys.executable, "-c", TWO_CLIENTS])}
    for kind in ("Processing", "Training"):
        for steps, shape in ((1, SEQUENCE), (STEPS, SEQUENCE), (STEPS, PARALLEL)):
            found[f"mlops {kind}, {steps} {shape}"] = ours(folder, kind, steps, shape, "--no-cache")
    found[CACHED] = ours(folder, "Processing", STEPS, SEQUENCE)
    for peer, python in peers.items():
        home = folder / peer
        home.mkdir()
        (home / "flow.py").write_text(FLOWS[peer], encoding="utf-8")
        environment = {**os.environ, **PEERS[peer].environment(home), "HOME": str(home)}
        environment["PATH"] = f"{python.parent}:{environment['PATH']}"
        for steps, shape in ((1, SEQUENCE), (STEPS, SEQUENCE), (STEPS, PARALLEL)):
            told = {"BENCH_STEPS": str(steps), "BENCH_CHAINED": "1" if shape == SEQUENCE else ""}
            command = [str(python), "flow.py", *PEERS[peer].arguments]
            found[f"{peer}, {steps} {shape}"] = Process(command, home, {**environment, **told})
    return found


def working(found: Mapping[str, Process], peers: Sequence[str]) -> dict[str, Process]:
    """Each has run once untimed. A peer that does not run on this machine is told and left out; we may not fail."""
    kept = dict(found)
    for name, process in found.items():
        peer = name.partition(",")[0]
        if name not in kept:
            continue
        try:
            run(process)
        except ProcessFailed as failure:
            if peer not in peers:
                raise
            print(f"{peer} does not run here: {str(failure).splitlines()[-1]}", file=sys.stderr)
            kept = {other: kept[other] for other in kept if other.partition(",")[0] != peer}
    return kept


def further(seconds: Mapping[str, Sequence[float]], who: str, shape: str = SEQUENCE) -> float:
    """Of the medians, so that one slow start does not count."""
    many, one = (statistics.median(seconds[f"{who}, {name}"]) for name in (f"{STEPS} {shape}", f"1 {SEQUENCE}"))
    return (many - one) / (STEPS - 1)


def ratios(seconds: Mapping[str, Sequence[float]]) -> list[Ratio]:
    bare = statistics.median(seconds[BARE])
    found = []
    for kind in ("Processing", "Training"):
        who = f"mlops {kind}"
        found.append(Ratio(f"a further step, {kind} / {BARE}", further(seconds, who) / bare, 1.8))
        both = [statistics.median(seconds[f"{who}, {STEPS} {shape}"]) for shape in (PARALLEL, SEQUENCE)]
        found.append(Ratio(f"{STEPS} steps {PARALLEL} / {SEQUENCE}, {kind}", both[0] / both[1], 0.65))
        # The start of the command and of the runner is the same in both, and hides what the steps do.
        each = [further(seconds, who, shape) for shape in (PARALLEL, SEQUENCE)]
        found.append(Ratio(f"the same without the first step and the start, {kind}", each[0] / each[1], 0.65))
    cached, clients = statistics.median(seconds[CACHED]), statistics.median(seconds[CLIENTS])
    return [*found, Ratio(f"{CACHED} / {CLIENTS}", cached / clients, 1.5)]


def tell(seconds: Mapping[str, Sequence[float]], peers: Sequence[str]) -> None:
    tell_seconds(seconds)
    print(f"\n{'milliseconds per further step':32}  {SEQUENCE:>12}  {PARALLEL:>12}")
    for who in ("mlops Processing", "mlops Training", *peers):
        if f"{who}, {STEPS} {SEQUENCE}" in seconds:
            each = [further(seconds, who, shape) * 1000 for shape in (SEQUENCE, PARALLEL)]
            print(f"{who:32}  {each[0]:12.1f}  {each[1]:12.1f}")
    print(f"{BARE:32}  {statistics.median(seconds[BARE]) * 1000:12.1f}")
    found = ratios(seconds)
    width = max(len(item.says) for item in found)
    print(f"\n{'':{width}}  {'wanted':>12}  measured")
    for item in found:
        verdict = "ok" if item.value <= item.at_most else "MISSED"
        print(f"{item.says:{width}}  at most {item.at_most:4g}  {item.value:8.2f}  {verdict}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", action="store_true", help="install kfp, metaflow, dagster and zenml, and time them")
    parser.add_argument("--environments", type=Path, default=ROOT / "build" / "bench-peers", help="where to")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    tell_machine()
    peers = install(given.environments) if given.peers else {}
    folder = Path(tempfile.mkdtemp(prefix="mlops-steps-", dir=Path.home()))
    try:
        found = working(processes(folder, peers), list(peers))
        # A bare interpreter and a step are short: more of them make a steadier median.
        seconds = time_together(found, given.rounds)
        for _ in range(4):
            again = time_together({BARE: found[BARE]}, given.rounds)
            seconds[BARE] += again[BARE]
    except (ProcessFailed, subprocess.SubprocessError) as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tell(seconds, list(peers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
