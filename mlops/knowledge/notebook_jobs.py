"""Notebook jobs: training jobs whose entry point runs a notebook."""

from __future__ import annotations

from importlib.util import find_spec

SCHEDULER = "amazon_sagemaker_scheduler"
"""The entry point that makes a notebook job of a training job."""
_NEEDED = ("nbclient", "ipykernel")


def missing_here() -> tuple[str, ...]:
    """What this Python lacks to run one."""
    return tuple(name for name in _NEEDED if find_spec(name) is None)
