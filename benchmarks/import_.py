"""How fast definitions are read, written and made into Python, beside importing the official SDK's pipeline module."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable

from check import LARGE_BYTES, chain
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

from mlops.check import check
from mlops.emit.targets.definition_json import document
from mlops.ir.reader import read

DEFINITIONS = ROOT / "tests" / "emit" / "definitions"
ROUNDS = 3

IMPORT = "mlops import"
ROUND_TRIP = "read and written again"
SDK = "import of the official SDK's pipeline module"
READ_AND_WRITE = """
import json, sys
from mlops.emit.targets.definition_json import document
from mlops.ir.reader import read
definition, _ = read(open(sys.argv[1], encoding="utf-8").read())
json.dumps(document(definition))
"""
WANTED = (
    Wanted(f"{IMPORT} / {SDK}", IMPORT, SDK, at_most=1),
    Wanted(f"{ROUND_TRIP} / {SDK}", ROUND_TRIP, SDK, at_most=1),
)


def rate(says: str, size: int, act: Callable[[], object]) -> None:
    """The fastest of three, in MB (a million bytes) a second."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    print(f"{says:8}  {size / 1e6 / min(taken):8.2f} MB/s")


def tell_rates(text: str) -> None:
    definition, _ = read(text)
    if definition is None:
        raise ProcessFailed("the definition of 1 MiB cannot be read")
    size = len(text.encode())
    print(f"\na definition of {size} bytes and {len(definition.steps)} steps, inside one process")
    rate("read", size, lambda: read(text))
    rate("check", size, lambda: check(definition))
    rate("write", size, lambda: json.dumps(document(definition)))


def main() -> None:
    tell_machine()
    large = max(DEFINITIONS.glob("*.json"), key=lambda file: file.stat().st_size)
    timed = {
        IMPORT: Process([*MLOPS, "import", str(large)]),
        ROUND_TRIP: Process([sys.executable, "-c", READ_AND_WRITE, str(large)]),
    }
    if importlib.util.find_spec("sagemaker") is not None:
        timed[SDK] = Process(
            [sys.executable, "-c", "import sagemaker.mlops.workflow.pipeline"],
            # It makes clients where it is imported, and those want a region.
            environment={**os.environ, "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"},
        )
    for process in timed.values():
        run(process)
    print(f"{large.name}, {large.stat().st_size} bytes")
    seconds = time_together(timed, ROUNDS)
    tell_seconds(seconds)
    if SDK in seconds:
        tell_ratios(WANTED, seconds)
    else:
        print("without mlops[sagemaker] there is nothing to compare with")
    tell_rates(chain(json.loads((DEFINITIONS / "sdk3_abalone.json").read_text(encoding="utf-8")), LARGE_BYTES))


if __name__ == "__main__":
    try:
        main()
    except ProcessFailed as error:
        sys.exit(str(error))
