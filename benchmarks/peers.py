"""Other tools that run each step of a pipeline in a process of its own: how they are installed, and the same flow of
no-op steps in each one's words. Their telemetry is off."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Peer:
    """``environment`` takes a folder that is the peer's own."""

    requirement: str
    environment: Callable[[Path], Mapping[str, str]]
    arguments: tuple[str, ...] = ()


PEERS: Mapping[str, Peer] = {
    "kfp": Peer("kfp", lambda home: {}),
    "metaflow": Peer(
        "metaflow",
        lambda home: {
            "METAFLOW_USER": "bench",
            "METAFLOW_DEFAULT_METADATA": "local",
            "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(home),
            "METAFLOW_SERVICE_RETRY_COUNT": "0",
        },
        ("--quiet", "--no-pylint", "run"),
    ),
    "dagster": Peer("dagster", lambda home: {"DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "1"}),
    "zenml": Peer(
        "zenml[local]",
        lambda home: {
            "ZENML_CONFIG_PATH": str(home / "config"),
            "ZENML_ANALYTICS_OPT_IN": "false",
            "ZENML_LOGGING_VERBOSITY": "ERROR",
        },
    ),
}

FLOWS: Mapping[str, str] = {
    "kfp": """\
import os
from kfp import dsl, local

local.init(runner=local.SubprocessRunner(use_venv=False), raise_on_error=True)


@dsl.component
def noop():
    pass


@dsl.pipeline
def flow():
    before = None
    for _ in range(int(os.environ["BENCH_STEPS"])):
        task = noop()
        if before is not None and os.environ["BENCH_CHAINED"]:
            task.after(before)
        before = task


flow()
""",
    "metaflow": """\
import os
import subprocess
import sys

# Metaflow reads a flow's source, so its steps are written out.
steps = int(os.environ["BENCH_STEPS"])
names = [f"s{number}" for number in range(steps)]
if os.environ["BENCH_CHAINED"]:
    text = "".join(
        f"    @step\\n    def {name}(self):\\n        self.next(self.{after})\\n"
        for name, after in zip(names, [*names[1:], "end"])
    )
    text = f"    @step\\n    def start(self):\\n        self.next(self.s0)\\n{text}"
    end = "    @step\\n    def end(self):\\n        pass\\n"
else:
    branches = ", ".join(f"self.{name}" for name in names)
    text = f"    @step\\n    def start(self):\\n        self.next({branches})\\n"
    text += "".join(f"    @step\\n    def {name}(self):\\n        self.next(self.join)\\n" for name in names)
    text += "    @step\\n    def join(self, inputs):\\n        self.next(self.end)\\n"
    end = "    @step\\n    def end(self):\\n        pass\\n"
shape = "chain" if os.environ["BENCH_CHAINED"] else "fan"
file = f"flow_{shape}_{steps}.py"
with open(file, "w") as out:
    out.write(f"from metaflow import FlowSpec, step\\n\\n\\nclass Flow(FlowSpec):\\n{text}{end}\\n\\n"
              "if __name__ == '__main__':\\n    Flow()\\n")
sys.exit(subprocess.call([sys.executable, file, *sys.argv[1:]]))
""",
    "dagster": """\
import os
from dagster import DagsterInstance, Nothing, In, Out, execute_job, graph, multiprocess_executor, op, reconstructable


@op(ins={"before": In(Nothing)}, out=Out(Nothing))
def noop():
    pass


@op(out=Out(Nothing))
def first():
    pass


@graph
def flow():
    steps = int(os.environ["BENCH_STEPS"])
    before = first.alias("s0")()
    for number in range(1, steps):
        if os.environ["BENCH_CHAINED"]:
            before = noop.alias(f"s{number}")(before=before)
        else:
            first.alias(f"s{number}")()


def job():
    return flow.to_job(executor_def=multiprocess_executor)


if __name__ == "__main__":
    with DagsterInstance.get() as instance:
        assert execute_job(reconstructable(job), instance=instance, raise_on_error=True).success
""",
    "zenml": """\
import os
from zenml import pipeline, step


@step(enable_cache=False)
def noop() -> None:
    pass


@pipeline(enable_cache=False)
def flow() -> None:
    before = []
    for number in range(int(os.environ["BENCH_STEPS"])):
        noop(id=f"s{number}", after=before)
        before = [f"s{number}"] if os.environ["BENCH_CHAINED"] else []


if __name__ == "__main__":
    flow()
""",
}


def own_environment(name: str, home: Path) -> dict[str, str]:
    """The variables of a peer that keeps what it writes in ``home``."""
    return {**os.environ, **PEERS[name].environment(home), "HOME": str(home)}


def install(folder: Path, names: Iterable[str] = tuple(PEERS)) -> dict[str, Path]:
    """The interpreter of each peer's own environment, ``peer-NAME`` in ``folder``; one that cannot be installed is
    told."""
    found: dict[str, Path] = {}
    for name in names:
        peer = PEERS[name]
        environment = folder / f"peer-{name}"
        python = environment / "bin" / "python"
        if not (environment / "installed").exists():
            print(f"installing {name}", file=sys.stderr)
            venv.create(environment, with_pip=True, clear=True)
            command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", peer.requirement]
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
            if ended.returncode != 0:
                said = ended.stderr.strip().splitlines() or ["no reason"]
                print(f"{name} cannot be installed here: {said[-1]}", file=sys.stderr)
                continue
            (environment / "installed").touch()
        found[name] = python
    return found
