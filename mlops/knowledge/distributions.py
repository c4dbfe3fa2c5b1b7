"""How far a job can be spread on one machine: over how many hosts, and by which of the toolkit's distributions."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

MOST_HOSTS = 250
"""Last numbers of one job's addresses."""

OF_IMAGES = (
    "sagemaker_mpi_enabled",
    "sagemaker_distributed_dataparallel_enabled",
    "sagemaker_pytorch_ddp_enabled",
    "sagemaker_pytorch_xla_multi_worker_enabled",
)
TORCH = "sagemaker_torch_distributed_enabled"
NO_TORCHRUN = f"{TORCH} needs torchrun, which comes with torch: install torch"


def too_many(count: object) -> str:
    return f"InstanceCount is {count!r}; from 1 to {MOST_HOSTS} instances can be started here"


def of_images(flag: str) -> str:
    return (
        f"{flag} cannot be acted on here: it needs what the framework images bring (mpirun over SSH, SMDDP, XLA); "
        f"torchrun is there ({TORCH})"
    )


def has_torchrun() -> bool:
    """Beside the Python that runs steps."""
    return shutil.which("torchrun", path=str(Path(sys.executable).parent)) is not None


def no_script(program: str) -> str:
    return f"torch_distributed takes a Python script as entry point, not {program}"
