"""How long each form of a 50-step pipeline takes from a cold start, beside its compile, and beside `cdk synth` of the
same resources."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from scaling import PREAMBLE
from timing import MLOPS, ROOT, Process, ProcessFailed, run, tell_machine, tell_seconds, time_together

sys.path.insert(0, str(ROOT))  # the packages of npm that tests have, too
from tests.npm import NotInstalled, installed

STEPS, ROUNDS = 50, 5
AT_MOST_SECONDS = 1.0
COMPILE, SYNTH, APPLICATION = "mlops compile", "cdk synth", "its application alone"
TARGETS = ("cloudformation", "iam-policy", "states", "terraform", "python", "mermaid", "dot", "outline")
PACKAGES = ("aws-cdk@2.1148.1", "aws-cdk-lib@2.276.0", "constructs@10.8.1")
CONFIGURATION = """\
[env.production]
account = "111122223333"
region = "eu-west-1"
role = "arn:aws:iam::111122223333:role/pipelines"
bucket = "acme-ml"
"""
BODY = """\
    last = work("Step0", inputs={{"data": source}})
    for number in range(1, {steps}):
        last = work(f"Step{{number}}", inputs={{"data": last.outputs["data"]}})
"""
CDK = """\
const { App, Stack } = require("aws-cdk-lib");
const { CfnInclude } = require("aws-cdk-lib/cloudformation-include");
const app = new App();
new CfnInclude(new Stack(app, "Pipeline"), "Template", { templateFile: process.env.TEMPLATE });
app.synth();
"""


def ours(project: Path) -> dict[str, Process]:
    (project / "mlops.toml").write_text(CONFIGURATION)
    (project / "work.py").write_text("print('nothing')\n")
    (project / "pipeline.py").write_text((PREAMBLE + BODY).format(shape="chain", steps=STEPS))
    ending = ("pipeline.py", "--env", "production", "-o")
    found = {COMPILE: Process([*MLOPS, "compile", *ending, "compiled.json"], project)}
    for target in TARGETS:
        found[f"mlops emit {target}"] = Process([*MLOPS, "emit", target, *ending, f"emitted.{target}"], project)
    return found


def cdk(project: Path) -> dict[str, Process]:
    """The same resources by constructs: a CfnInclude of the template, so that CDK has no definition to write."""
    run(
        Process(
            [*MLOPS, "emit", "cloudformation", "pipeline.py", "--env", "production", "--as", "json", "-o", "t.json"],
            project,
        )
    )
    there = installed(*PACKAGES)
    (there / "app.cjs").write_text(CDK)
    environment = {
        **os.environ,
        "TEMPLATE": str(project / "t.json"),
        "CDK_OUTDIR": str(project / "alone"),
        "CI": "true",
    }
    quiet = ("--quiet", "--no-notices", "--no-version-reporting", "--output", str(project / "out"))
    program = there / "node_modules" / ".bin" / "cdk"
    return {
        SYNTH: Process([str(program), "synth", "--app", "node app.cjs", *quiet], there, environment),
        APPLICATION: Process(["node", "app.cjs"], there, environment),
    }


def tell_differences(seconds: dict[str, list[float]]) -> None:
    """Of medians, to the compile."""
    compiled = statistics.median(seconds[COMPILE])
    more = {name: statistics.median(taken) - compiled for name, taken in seconds.items() if "emit" in name}
    width = max(map(len, more))
    print(f"\n{'':{width}}  wanted at most {AT_MOST_SECONDS:g} s more than {COMPILE}")
    for name, difference in more.items():
        print(f"{name:{width}}  {difference:+.2f} s  {'ok' if difference <= AT_MOST_SECONDS else 'MISSED'}")
    template = statistics.median(seconds["mlops emit cloudformation"])
    print(f"\n{SYNTH} / mlops emit cloudformation: {statistics.median(seconds[SYNTH]) / template:.1f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    tell_machine()
    with tempfile.TemporaryDirectory(prefix="mlops-infrastructure-") as folder:
        project = Path(folder)
        try:
            processes = {**ours(project), **cdk(project)}
            for process in processes.values():
                run(process)
            resources = json.loads((project / "t.json").read_text())["Resources"]
            seconds = time_together(processes, given.rounds)
        except (ProcessFailed, NotInstalled) as failed:
            print(failed, file=sys.stderr)
            return 1
    print(f"{STEPS} steps, {len(resources)} resources\n")
    tell_seconds(seconds)
    tell_differences(seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
