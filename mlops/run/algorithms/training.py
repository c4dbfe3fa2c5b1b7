"""A training container of a built-in algorithm: ``training NAME VERSION``, inside the sandbox."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mlops.run.algorithms import implementation
from mlops.run.algorithms.job import AlgorithmFault, TrainingJob, UserFault


def main(words: Sequence[str]) -> int:
    name, version = words
    job = TrainingJob.read(version)
    try:
        implementation(name).train(job)
    except (UserFault, AlgorithmFault) as fault:
        sys.stdout.flush()
        sys.stderr.write(f"{fault}\n")
        (job.base / "output" / "failure").write_text(str(fault), encoding="utf-8")
        return 1
    return 0
