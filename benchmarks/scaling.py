"""How compile and check grow from 1,000 to 5,000 steps: as a chain, a wide fan, and with branches."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from timing import MLOPS, Process, ProcessFailed, Wanted, run, tell_machine, tell_ratios, tell_seconds, time_together

SMALL, LARGE = 1000, 5000
ROUNDS = 3
AT_MOST = 6.0

PREAMBLE = """\
from mlops import Fail, Pipeline, Processing, join, when

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/tool:1"


def work(name, **more):
    return Processing(name, code="work.py", image=IMAGE, outputs=["data"], instance="ml.m5.large", **more)


with Pipeline("{shape}", description="{steps} steps") as pipeline:
    source = pipeline.string("Source", default="s3://acme-data/raw/")
    floor = pipeline.float("Floor", default=0.5)
"""

CHAIN = """\
    last = work("Step0", inputs={{"data": source}})
    for number in range(1, {steps}):
        last = work(f"Step{{number}}", inputs={{"data": last.outputs["data"]}})
"""

FAN = """\
    first = work("First", inputs={{"data": source}})
    middle = [work(f"Step{{number}}", inputs={{"data": first.outputs["data"]}}) for number in range({steps} - 2)]
    work("Last", inputs={{"data": source}}, after=middle)
"""

# Five steps a time: one that judges, the Condition, two steps in a row behind it, and a Fail on the other side.
BRANCHES = """\
    data = source
    for number in range({steps} // 5):
        judged = work(f"Judge{{number}}", inputs={{"data": data}}, reports={{"quality": "data/quality.json"}})
        with when(judged.reports["quality"]["score"] >= floor, name=f"Good{{number}}") as good:
            kept = work(f"Keep{{number}}", inputs={{"data": judged.outputs["data"]}})
            work(f"Use{{number}}", inputs={{"data": kept.outputs["data"]}})
        with good.otherwise():
            Fail(f"Bad{{number}}", join("score below ", floor))
        data = judged.outputs["data"]
"""

SHAPES = {"chain": CHAIN, "fan": FAN, "branches": BRANCHES}


def write_pipeline(folder: Path, shape: str, steps: int) -> Path:
    """A project of its own, so that no configuration of somebody else's counts."""
    project = folder / f"{shape}-{steps}"
    project.mkdir()
    (project / "mlops.toml").write_text("[project]\n", encoding="utf-8")
    (project / "work.py").write_text("pass\n", encoding="utf-8")
    file = project / "pipeline.py"
    file.write_text((PREAMBLE + SHAPES[shape]).format(shape=shape, steps=steps), encoding="utf-8")
    return file


def processes(folder: Path, shape: str) -> tuple[dict[str, Process], list[Wanted]]:
    """``compile`` runs once untimed: it writes the JSON that ``check`` reads."""
    found: dict[str, Process] = {}
    wanted = []
    for steps in (SMALL, LARGE):
        file = write_pipeline(folder, shape, steps)
        definition = file.with_name("definition.json")
        compiled = Process([*MLOPS, "compile", str(file), "-o", str(definition)])
        run(compiled)
        found[f"{shape} {steps}: compile"] = compiled
        found[f"{shape} {steps}: check .py"] = Process([*MLOPS, "check", str(file)])
        found[f"{shape} {steps}: check .json"] = Process([*MLOPS, "check", str(definition)])
    for what in ("compile", "check .py", "check .json"):
        large, small = f"{shape} {LARGE}: {what}", f"{shape} {SMALL}: {what}"
        wanted.append(Wanted(f"{shape}: {what}, {LARGE} / {SMALL} steps", large, small, at_most=AT_MOST))
    return found, wanted


def main() -> int:
    tell_machine()
    seconds: dict[str, list[float]] = {}
    wanted: list[Wanted] = []
    with tempfile.TemporaryDirectory(prefix="mlops-scaling-") as folder:
        try:
            for shape in SHAPES:
                timed, asked = processes(Path(folder), shape)
                seconds |= time_together(timed, ROUNDS)
                wanted += asked
        except ProcessFailed as failure:
            print(failure, file=sys.stderr)
            return 1
    tell_seconds(seconds)
    tell_ratios(wanted, seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
