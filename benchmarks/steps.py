"""What a step costs here: beside a bare interpreter, beside two boto3 clients, and with ``--peers`` beside tools that
also run each step in a process.

Whole processes, of 22 no-op steps and of 2: a further step costs (t(22) - t(2)) / 20, so no start counts. On
a machine that does other things too every time is too long, and a ratio is only as good as its two halves are alike:
each process is run next to a bare interpreter in each round, a ratio is made of what one round measured, and its median
is told beside the ratio of the fastest times.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TypeAlias

from peers import FLOWS, PEERS, install, own_environment
from timing import MLOPS, ROOT, Process, ProcessFailed, run, tell_machine, tell_seconds

FEW, MANY = 2, 22
ROUNDS = 7
SEQUENCE, PARALLEL = "in sequence", "in parallel"
KINDS = ("Processing", "Training")
BARE = "python -c pass"
CLIENTS = "two boto3 clients"
CACHED_STEPS = 20
CACHED = f"mlops run, {CACHED_STEPS} cached steps"
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


Round: TypeAlias = Mapping[str, float]
"""Seconds of each process, and of a bare interpreter the median of those that ran beside them."""


@dataclass(frozen=True, slots=True)
class Ratio:
    says: str
    of: Callable[[Round], float]
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
    found = {CLIENTS: Process([sys.executable, "-c", TWO_CLIENTS])}
    lengths = [(steps, shape) for shape in (SEQUENCE, PARALLEL) for steps in (FEW, MANY)]
    for kind in KINDS:
        for steps, shape in lengths:
            found[f"mlops {kind}, {steps} {shape}"] = ours(folder, kind, steps, shape, "--no-cache")
    found[CACHED] = ours(folder, "Processing", CACHED_STEPS, SEQUENCE)
    for peer, python in peers.items():
        home = folder / peer
        home.mkdir()
        (home / "flow.py").write_text(FLOWS[peer], encoding="utf-8")
        environment = own_environment(peer, home)
        environment["PATH"] = f"{python.parent}:{environment['PATH']}"
        for steps, shape in lengths:
            told = {"BENCH_STEPS": str(steps), "BENCH_CHAINED": "1" if shape == SEQUENCE else ""}
            command = [str(python), "flow.py", *PEERS[peer].arguments]
            found[f"{peer}, {steps} {shape}"] = Process(command, home, {**environment, **told})
    return found


class Found:
    """Processes that run here. A peer that does not is told and left out; ours may not fail."""

    def __init__(self, processes: Mapping[str, Process], peers: Sequence[str]) -> None:
        self.processes = dict(processes)
        self._peers = peers

    def run(self, name: str) -> float | None:
        try:
            return run(self.processes[name])
        except ProcessFailed as failure:
            peer = name.partition(",")[0]
            if peer not in self._peers:
                raise
            print(f"{peer} does not run here: {str(failure).splitlines()[-1]}", file=sys.stderr)
            for other in [known for known in self.processes if known.partition(",")[0] == peer]:
                del self.processes[other]
            return None

    def warm(self) -> None:
        """Once untimed: ours all, of a peer, which may take minutes, the first."""
        known = set[str]()
        for name in list(self.processes):
            who = name.partition(",")[0]
            if name in self.processes and (who not in self._peers or who not in known):
                self.run(name)
            known.add(who)


def measured(found: Found, rounds: int) -> list[Round]:
    measured: list[dict[str, float]] = []
    bare = Process([sys.executable, "-c", "pass"])
    run(bare)
    for number in range(rounds):
        names, seconds, beside = list(found.processes), dict[str, float](), list[float]()
        for name in names if number % 2 == 0 else reversed(names):
            if name not in found.processes:
                continue
            beside.append(run(bare))
            took = found.run(name)
            if took is not None:
                seconds[name] = took
        measured.append({**seconds, BARE: statistics.median(beside)})
    # One that failed later has no times in some rounds.
    return [{name: taken[name] for name in (*found.processes, BARE)} for taken in measured]


def further(who: str, shape: str = SEQUENCE) -> Callable[[Round], float]:
    return lambda seconds: (seconds[f"{who}, {MANY} {shape}"] - seconds[f"{who}, {FEW} {shape}"]) / (MANY - FEW)


def over(numerator: Callable[[Round], float], denominator: Callable[[Round], float]) -> Callable[[Round], float]:
    return lambda seconds: numerator(seconds) / denominator(seconds)


def ratios() -> list[Ratio]:
    bare = itemgetter(BARE)
    found = [Ratio(f"a further step, {kind} / {BARE}", over(further(f"mlops {kind}"), bare), 1.8) for kind in KINDS]
    for kind in KINDS:
        who = f"mlops {kind}"
        says = f"{MANY - FEW} further steps {PARALLEL} / {SEQUENCE}, {kind}"
        found.append(Ratio(says, over(further(who, PARALLEL), further(who)), 0.65))
        # The start of the command and of the runner is the same in both, and hides what the steps do.
        whole = [itemgetter(f"{who}, {MANY} {shape}") for shape in (PARALLEL, SEQUENCE)]
        found.append(Ratio(f"the same with the start of the command, {kind}", over(*whole), 0.65))
    return [*found, Ratio(f"{CACHED} / {CLIENTS}", over(itemgetter(CACHED), itemgetter(CLIENTS)), 1.5)]


def tell(rounds: Sequence[Round], peers: Sequence[str]) -> None:
    tell_seconds({name: [seconds[name] for seconds in rounds] for name in rounds[0]})
    fastest = {name: min(seconds[name] for seconds in rounds) for name in rounds[0]}
    shapes = (SEQUENCE, PARALLEL)
    print(f"\n{'milliseconds per further step':32}" + "".join(f"  {shape:>12}  {'(fastest)':>9}" for shape in shapes))
    for who in (*(f"mlops {kind}" for kind in KINDS), *peers):
        if f"{who}, {MANY} {SEQUENCE}" in fastest:
            each = [further(who, shape) for shape in shapes]
            told = [(statistics.median(map(cost, rounds)) * 1000, cost(fastest) * 1000) for cost in each]
            print(f"{who:32}" + "".join(f"  {median:12.1f}  {least:9.1f}" for median, least in told))
    print(f"{BARE:32}  {statistics.median(item[BARE] for item in rounds) * 1000:12.1f}  {fastest[BARE] * 1000:9.1f}")
    found = ratios()
    width = max(len(item.says) for item in found)
    print(f"\n{'':{width}}  {'wanted':>12}  {'median':>8}  {'fastest':>8}")
    for item in found:
        median = statistics.median(map(item.of, rounds))
        verdict = "ok" if median <= item.at_most else "MISSED"
        print(f"{item.says:{width}}  at most {item.at_most:4g}  {median:8.2f}  {item.of(fastest):8.2f}  {verdict}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", action="store_true", help="install kfp, metaflow, dagster and zenml, and time them")
    parser.add_argument("--environments", type=Path, default=ROOT / "build", help="where to, as peer-NAME")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    tell_machine()
    peers = install(given.environments) if given.peers else {}
    folder = Path(tempfile.mkdtemp(prefix="mlops-steps-", dir=Path.home()))
    try:
        found = Found(processes(folder, peers), list(peers))
        found.warm()
        rounds = measured(found, given.rounds)
    except (ProcessFailed, subprocess.SubprocessError) as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tell(rounds, list(peers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
