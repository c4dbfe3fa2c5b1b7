"""A declared pipeline as a definition, in the order in which its steps stand in the document."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlops.check import order
from mlops.declare.lower import Images, lower_pipeline
from mlops.declare.misuse import collecting
from mlops.declare.pipeline import Pipeline
from mlops.ir import Definition, Finding
from mlops.project.environments import Environment


def lowered(
    pipeline: Pipeline, environment: Environment, pinned: Images, folders: tuple[Path, ...]
) -> tuple[Definition, Sequence[Finding]]:
    """With what was found on the way. Files are looked for in ``folders``, of which the last is the project's."""
    with collecting() as misuses:
        definition = lower_pipeline(pipeline, environment, pinned, folders)
    return definition if pipeline.keep_order else order(definition), misuses
