"""How long the shortest commands take from a cold start, beside bare imports, beside the official SDK and, with
``--peers``, beside metaflow's check of six steps."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import tempfile
from pathlib import Path

from peers import install, own_environment
from timing import (
    MLOPS,
    ROOT,
    Process,
    ProcessFailed,
    Wanted,
    run,
    tell_machine,
    tell_ratios,
    tell_seconds,
    time_together,
)

EXAMPLE = ROOT / "pipelines" / "breast_cancer"
PIPELINE = str(EXAMPLE / "pipeline.py")
ORACLE = ROOT / "tests" / "oracle"
ROUNDS = 9
SDK_ROUNDS = 3

COMPILE = "mlops compile"
CHECK = "mlops check"
BARE = "import click, pydantic"
BESIDE_SDK = "mlops compile, beside the SDK"
SDK = "official SDK, same definition"

METAFLOW = "metaflow check, six steps"
METAFLOW_PYTHON = "METAFLOW_PYTHON"
"""A variable that names the interpreter of an environment with metaflow."""

BARE_PROGRAM = """\
import click
from pydantic import BaseModel
class Model(BaseModel):
    number: int
"""

FLOW = """\
from metaflow import FlowSpec, step


class Flow(FlowSpec):
    @step
    def start(self):
        self.next(self.prepare)

    @step
    def prepare(self):
        self.next(self.train)

    @step
    def train(self):
        self.next(self.evaluate)

    @step
    def evaluate(self):
        self.next(self.register)

    @step
    def register(self):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    Flow()
"""

SHORT = {
    COMPILE: Process([*MLOPS, "compile", PIPELINE, "-o", "-"]),
    BARE: Process([sys.executable, "-c", BARE_PROGRAM]),
    CHECK: Process([*MLOPS, "check", PIPELINE]),
    "mlops --help": Process([*MLOPS, "--help"]),
    "import mlops": Process([sys.executable, "-c", "import mlops"]),
    "python": Process([sys.executable, "-c", ""]),
}

NO_TELEMETRY = """\
SchemaVersion: "1.0"
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
"""


def official_sdk(folder: Path) -> Process:
    """The oracle's twin of the example: AWS calls are answered in the process, and no telemetry is waited for."""
    configuration = folder / "config.yaml"
    configuration.write_text(NO_TELEMETRY, encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SAGEMAKER_"))}
    environment |= {
        "AWS_ACCESS_KEY_ID": "dummy",
        "AWS_SECRET_ACCESS_KEY": "dummy",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": str(configuration),
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(configuration),
    }
    command = [sys.executable, str(ORACLE / "offline_aws.py"), str(ORACLE / "sdk_breast_cancer.py")]
    return Process(command, folder=EXAMPLE, environment=environment)


def metaflow(folder: Path, *, installs: bool) -> Process | None:
    """None, and told, where there is no environment with metaflow."""
    given = os.environ.get(METAFLOW_PYTHON)
    python = Path(given) if given else install(ROOT / "build", ["metaflow"]).get("metaflow") if installs else None
    if python is None:
        print(f"No metaflow, so there is no comparison with it: --peers installs it, or set {METAFLOW_PYTHON}\n")
        return None
    (folder / "flow.py").write_text(FLOW, encoding="utf-8")
    return Process([str(python), "flow.py", "--no-pylint", "check"], folder, own_environment("metaflow", folder))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", action="store_true", help="install metaflow into an environment of its own")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    tell_machine()
    wanted = [Wanted(f"{name} / bare imports", name, BARE, at_most=3.0) for name in (COMPILE, CHECK)]
    with tempfile.TemporaryDirectory(prefix="mlops-start-up-") as folder:
        try:
            short = dict(SHORT)
            peer = metaflow(Path(folder), installs=given.peers)
            if peer is not None:
                short[METAFLOW] = peer
                wanted += [Wanted(f"{name} / {METAFLOW}", name, METAFLOW, at_most=1.2) for name in (COMPILE, CHECK)]
            for process in short.values():
                run(process)
            seconds = time_together(short, given.rounds)
            if importlib.util.find_spec("sagemaker") is None:
                print("The official SDK is not installed, so there is no comparison: pip install 'sagemaker>=3'\n")
            else:
                # compile is timed once more: minutes may lie between the rounds above and the SDK's.
                twin = official_sdk(Path(folder))
                run(twin)
                seconds |= time_together({BESIDE_SDK: SHORT[COMPILE], SDK: twin}, SDK_ROUNDS)
                wanted.append(Wanted("official SDK / compile", SDK, BESIDE_SDK, at_least=10))
        except ProcessFailed as failure:
            print(failure, file=sys.stderr)
            return 1
    tell_seconds(seconds)
    tell_ratios(wanted, seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
