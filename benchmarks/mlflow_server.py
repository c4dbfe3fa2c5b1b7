"""`mlflow server` with runs in its store, in an environment of its own. Its telemetry is off."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REQUIREMENT = "mlflow"
_START_SECONDS = 300
_ENVIRONMENT = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
_RUNS = """\
import sys, time
from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient
client = MlflowClient(sys.argv[1])
experiment = client.create_experiment("many")
for number in range(int(sys.argv[2])):
    run = client.create_run(experiment).info.run_id
    metrics = [Metric(name, number / 1000, int(time.time() * 1000), 0) for name in ("accuracy", "loss")]
    client.log_batch(run, metrics, [Param("rate", str(number)), Param("trees", "100")])
    client.set_terminated(run)
print(experiment)
"""
"""With as many parameters and metrics as executions of a small pipeline have."""


def installed(folder: Path) -> Path | None:
    """Its interpreter, or None where it cannot be had, which is told."""
    python = folder / "bin" / "python"
    if python.is_file():
        return python
    print("installing mlflow", file=sys.stderr)
    venv.create(folder, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        print(f"mlflow cannot be installed here: {ended.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return python


class Server:
    def __init__(self, port: int, experiment: str) -> None:
        self._port, self._experiment = port, experiment

    def listed(self, most: int) -> float:
        """Seconds until it has told so many runs, the newest first, as its page asks for them."""
        asked = {"experiment_ids": [self._experiment], "max_results": most, "order_by": ["attributes.start_time DESC"]}
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        began = time.perf_counter()
        body = json.dumps(asked).encode()
        connection.request("POST", "/api/2.0/mlflow/runs/search", body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        told = reply.read()
        took = time.perf_counter() - began
        connection.close()
        if reply.status != 200 or len(json.loads(told)["runs"]) != most:
            raise SystemExit(f"mlflow answered with {reply.status}")
        return took


@contextmanager
def serving(python: Path, folder: Path, port: int, runs: int) -> Iterator[Server]:
    """With so many runs, by one worker, as the console has one process."""
    folder.mkdir()
    store = f"sqlite:///{folder}/mlflow.db"
    made = [str(python), "-c", _RUNS, store, str(runs)]
    told = subprocess.run(made, env=_ENVIRONMENT, cwd=folder, capture_output=True, text=True, check=True).stdout
    command = [str(python), "-m", "mlflow", "server", "--backend-store-uri", store, "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--workers", "1"],
        cwd=folder,
        env=_ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # its server is a process of its own, which ends with it by the group
    )
    try:
        _until_it_answers(port)
        yield Server(port, told.split()[-1])
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def _until_it_answers(port: int) -> None:
    ends = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.2)
    raise SystemExit("mlflow server does not answer")
