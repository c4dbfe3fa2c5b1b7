"""How fast the checker is: beside a compile of the same pipeline, for many definitions in one call, for a large one."""

from __future__ import annotations

import json
import sys
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from timing import MLOPS, Process, ProcessFailed, Wanted, run, tell_machine, tell_ratios, tell_seconds, time_together

STEPS = 15
MANY = 250
ROUNDS = 3
LARGE_BYTES = 1024 * 1024

PIPELINE = """\
from mlops import Fail, Pipeline, Processing, Training, when

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/tool:1"

with Pipeline("fifteen") as pipeline:
    source = pipeline.string("Source", default="s3://acme-data/raw/")
    floor = pipeline.float("Floor", default=0.5)
    data = source
    for number in range(6):
        prepare = Processing(f"Prepare{number}", code="work.py", image=IMAGE, inputs={"data": data}, outputs=["data"])
        Training(f"Train{number}", code="work.py", image=IMAGE, channels={"train": prepare.outputs["data"]})
        data = prepare.outputs["data"]
    judge = Processing("Judge", code="work.py", image=IMAGE, inputs={"data": data}, outputs=["report"],
                       reports={"quality": "report/quality.json"})
    with when(judge.reports["quality"]["score"] < floor, name="Poor"):
        Fail("Bad", "too low")
"""


def chain(definition: dict[str, Any], size: int) -> str:
    """The definition with as many copies of its first twelve steps as make it ``size`` bytes, each under a new name."""
    steps = [step for step in definition["Steps"] if step["Type"] != "Condition"][:12]
    made: list[dict[str, Any]] = []
    length = 0
    for number in count():
        for step in steps:
            text = json.dumps(step)
            for other in steps:
                text = text.replace(f'"{other["Name"]}"', f'"{other["Name"]}-{number}"')
                text = text.replace(f"Steps.{other['Name']}.", f"Steps.{other['Name']}-{number}.")
            made.append(json.loads(text))
            length += len(text) + 2
        if length >= size:
            break
    return json.dumps({**definition, "Steps": made})


def processes(folder: Path) -> dict[str, Process]:
    """``compile`` runs once untimed: it writes the definition that the others read."""
    (folder / "mlops.toml").write_text("[project]\n", encoding="utf-8")
    (folder / "work.py").write_text("pass\n", encoding="utf-8")
    pipeline, definition = folder / "pipeline.py", folder / "definition.json"
    pipeline.write_text(PIPELINE, encoding="utf-8")
    compile_ = Process([*MLOPS, "compile", str(pipeline), "-o", str(definition)])
    run(compile_)
    text = definition.read_text(encoding="utf-8")
    many = folder / "many"
    many.mkdir()
    for number in range(MANY):
        (many / f"{number}.json").write_text(text, encoding="utf-8")
    for parts in (1, 2, 4):
        part = chain(json.loads(text), LARGE_BYTES // parts)
        (folder / f"part{parts}.json").write_text(part, encoding="utf-8")
    return {
        "compile": compile_,
        "check .py": Process([*MLOPS, "check", str(pipeline)]),
        "check .json": Process([*MLOPS, "check", str(definition)]),
        f"check {MANY} .json": Process([*MLOPS, "check", str(many)]),
        **{f"check 1/{parts} MiB": Process([*MLOPS, "check", str(folder / f"part{parts}.json"), "--format", "json"])
           for parts in (4, 2, 1)},
    }  # fmt: skip


def main() -> int:
    tell_machine()
    wanted = [
        Wanted(f"check .json / compile, {STEPS} steps", "check .json", "compile", at_most=1.5),
        Wanted(f"check .py / compile, {STEPS} steps", "check .py", "compile", at_most=1.5),
        Wanted(f"check of {MANY} definitions / of one", f"check {MANY} .json", "check .json", at_most=6),
        Wanted("1 MiB / half of it", "check 1/1 MiB", "check 1/2 MiB", at_most=2.2),
        Wanted("half a MiB / a quarter", "check 1/2 MiB", "check 1/4 MiB", at_most=2.2),
    ]
    with tempfile.TemporaryDirectory(prefix="mlops-check-") as folder:
        try:
            timed = processes(Path(folder))
            for process in timed.values():
                run(process)
            seconds = time_together(timed, ROUNDS)
        except ProcessFailed as failure:
            print(failure, file=sys.stderr)
            return 1
    tell_seconds(seconds)
    tell_ratios(wanted, seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
