"""What small rows cannot tell: how far sketches and estimates are off, that memory does not grow with the data, and how
often samples of one distribution are called different."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mlops
from mlops.monitor.distinct import Distinct
from mlops.monitor.drift import of_categories, of_numbers
from mlops.monitor.sketch import Sketch, ranks_at, weighted

pytestmark = pytest.mark.proof("monitor")

ENTRY = Path(mlops.__file__).parent / "monitor" / "entry.py"
RUN = """
import resource, runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    code = end.code
print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
sys.exit(code)
"""


def sketched(values: np.ndarray) -> Sketch:
    sketch = Sketch()
    for part in np.array_split(values, max(1, len(values) // 65536)):
        sketch.add(part)
    return sketch


@pytest.mark.parametrize("name", ["sorted", "reversed", "shuffled"])
def test_ranks_of_a_sketch_are_within_one_percent(name: str) -> None:
    values = np.arange(1_000_000, dtype=float)
    given = {"sorted": values, "reversed": values[::-1], "shuffled": np.random.default_rng(3).permutation(values)}[name]
    sketch = sketched(given)
    assert sum(map(len, sketch.data())) < 3 * 2048
    found, ranks = weighted(sketch.data())
    assert ranks[-1] == len(values)
    places = np.linspace(0, len(values) - 1, 1000)
    assert np.abs(ranks_at(places, found, ranks) / len(values) - (places + 1) / len(values)).max() < 0.01


def test_many_texts_are_counted_within_ten_percent() -> None:
    distinct = Distinct()
    for start in range(0, 300_000, 50_000):
        distinct.add(str(number % 200_000) for number in range(start, start + 50_000))
    assert distinct.counts is None
    assert distinct.count == pytest.approx(200_000, rel=0.1)


def peak(folder: Path, rows: int) -> int:
    folder.mkdir()
    random = np.random.default_rng(1)
    block = "".join(
        f"{','.join(map(str, row))},{'abc'[at % 3]}\n" for at, row in enumerate(random.normal(size=(10_000, 9)))
    )
    with (folder / "data.csv").open("w") as file:
        file.write(",".join(f"c{at}" for at in range(10)) + "\n")
        file.writelines([block] * (rows // 10_000))
    environment = {
        **os.environ,
        "SAGEMAKER_BASE_DIR": str(folder / "ml"),
        "dataset_format": '{"csv": {"header": true}}',
        "dataset_source": str(folder / "data.csv"),
        "output_path": str(folder / "out"),
    }
    command = [sys.executable, "-c", RUN, str(ENTRY), "quality"]
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    return int(told.split("peak ")[1])


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    small, large = peak(tmp_path / "small", 100_000), peak(tmp_path / "large", 300_000)
    print(small, large)
    assert large < small * 1.3 + 20, (small, large)


def test_what_did_not_drift_is_not_called_drift_and_what_did_is() -> None:
    random = np.random.default_rng(11)

    def distance(size: int, shift: float) -> float:
        now, before = random.normal(shift, 1, size), random.normal(0, 1, size)
        return of_numbers(sketched(now).data(), sketched(before).data(), robust=True)

    def apart(size: int, share: float) -> float:
        now, before = random.random(size) < share, random.random(size) < 0.5
        counts = [{"a": int(given.sum()), "b": int((~given).sum())} for given in (now, before)]
        return of_categories(*counts, robust=True)

    for size in (50, 500, 5000):
        assert sum(distance(size, 0.0) > 0.1 for _ in range(200)) == 0
        assert sum(apart(size, 0.5) > 0.1 for _ in range(200)) == 0
    assert sum(distance(2000, 0.75) > 0.1 for _ in range(50)) == 50
    assert sum(apart(2000, 0.75) > 0.1 for _ in range(50)) == 50
