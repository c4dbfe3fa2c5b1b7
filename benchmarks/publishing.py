"""What it costs a run to tell what it does: CPU seconds of the same execution with its events and without.

Each side is a process of its own that runs ``--steps`` conditions, which do nothing but go from one state to the next,
in an account of its own. What differs is whether rows are written into the table of events. Metrics cost a run nothing:
they are read of its logs by whoever asks.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from timing import tell_machine

STEPS, ROUNDS = 500, 5
MOST_MILLISECONDS = 2.0
_ID = "benchmarking"


def run(how: str, folder: Path, steps: int) -> float:
    """CPU seconds of the execution alone."""
    from mlops.account.local import events
    from mlops.account.local.answering import answer
    from mlops.account.local.process.runner import run_execution
    from mlops.account.local.state import State, dump, now

    same = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    listed = [
        {"Name": f"Step{at}", "Type": "Condition", "Arguments": {"Conditions": [same], "IfSteps": [], "ElseSteps": []}}
        for at in range(steps)
    ]
    state = State(folder, "us-east-1")
    request = {
        "PipelineName": "told",
        "RoleArn": "arn:aws:iam::000000000000:role/r",
        "ClientRequestToken": "t" * 32,
        "PipelineDefinition": json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": listed}),
    }
    answer(state, "sagemaker", "CreatePipeline", request)
    state.store.write(
        "INSERT INTO execution VALUES (?, 'told', 1, 'Executing', 0, ?, ?, NULL, ?)",
        _ID,
        now(),
        now(),
        dump({"Parameters": {}}),
    )
    place = state.execution_folder(_ID)
    place.mkdir(parents=True)
    if how == "off":
        events.append = lambda *given: None
    before = time.process_time()
    run_execution(state, _ID, place)
    took = time.process_time() - before
    row = state.store.one("SELECT status FROM execution WHERE id = ?", _ID)
    count = state.store.one("SELECT count(*) AS n FROM event WHERE kind LIKE 'step.%'")
    if row is None or row["status"] != "Succeeded" or (count is not None and bool(count["n"]) != (how == "on")):
        sys.exit(f"it did not end as it should: {row and row['status']}, {count and count['n']} events")
    return took


def measured(how: str, steps: int) -> float:
    with tempfile.TemporaryDirectory(prefix="mlops-publishing-") as folder:
        command = [
            sys.executable,
            __file__,
            "--child",
            how,
            "--folder",
            str(Path(folder, ".mlops")),
            "--steps",
            str(steps),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return float(done.stdout.split()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--child", choices=("on", "off"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(run(given.child, given.folder, given.steps))
        return 0
    tell_machine()
    seconds: dict[str, list[float]] = {"on": [], "off": []}
    for number in range(given.rounds):
        for how in ("on", "off") if number % 2 == 0 else ("off", "on"):
            seconds[how].append(measured(how, given.steps))
    apart = [1000 * (one - other) / given.steps for one, other in zip(seconds["on"], seconds["off"], strict=True)]
    cost, whole = statistics.median(apart), 1000 * statistics.median(seconds["on"]) / given.steps
    print(
        f"to tell of a step costs {cost:.2f} ms of CPU (from {min(apart):.2f} to {max(apart):.2f}), of {whole:.2f} ms"
    )
    print(f"at most {MOST_MILLISECONDS:g} ms wanted: {'ok' if cost <= MOST_MILLISECONDS else 'MISSED'}")
    return 0 if cost <= MOST_MILLISECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
