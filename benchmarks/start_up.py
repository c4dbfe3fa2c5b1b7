"""How long the shortest commands take from a cold start, beside bare imports and beside the official SDK."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from pathlib import Path

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
BARE = "import click, networkx, pydantic"
BESIDE_SDK = "mlops compile, beside the SDK"
SDK = "official SDK, same definition"

SHORT = {
    COMPILE: Process([*MLOPS, "compile", PIPELINE, "-o", "-"]),
    BARE: Process([sys.executable, "-c", "import click, networkx; from pydantic import BaseModel"]),
    "mlops check": Process([*MLOPS, "check", PIPELINE]),
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


def main() -> int:
    tell_machine()
    wanted = [Wanted("compile / bare imports", COMPILE, BARE, at_most=1.8)]
    try:
        for process in SHORT.values():
            run(process)
        seconds = time_together(SHORT, ROUNDS)
        if importlib.util.find_spec("sagemaker") is None:
            print("The official SDK is not installed, so there is no comparison: pip install 'mlops[sagemaker]'\n")
        else:
            # compile is timed once more: minutes may lie between the rounds above and the SDK's.
            with tempfile.TemporaryDirectory(prefix="mlops-start-up-") as folder:
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
