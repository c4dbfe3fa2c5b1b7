"""A declared pipeline as a definition, in the order in which its steps stand in the document."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.check import order
from mlops.declare.lower import Images, lower_pipeline, lower_resources
from mlops.declare.misuse import collecting
from mlops.declare.pipeline import Pipeline
from mlops.ir import Definition, Finding
from mlops.project.environments import Environment

if TYPE_CHECKING:
    from mlops.declare.resources.base import DeclaredResource


def lowered_resources(
    resources: Sequence[DeclaredResource],
    file: Path,
    environment: Environment,
    pinned: Images,
    folders: tuple[Path, ...],
) -> tuple[Definition, Sequence[Finding]]:
    """What a file declares beside its pipelines, with what was found on the way."""
    with collecting() as misuses:
        definition = lower_resources(resources, file, environment, pinned, folders)
    return order(definition), misuses


def lowered(
    pipeline: Pipeline, environment: Environment, pinned: Images, folders: tuple[Path, ...]
) -> tuple[Definition, Sequence[Finding]]:
    """With what was found on the way. Files are looked for in ``folders``, of which the last is the project's."""
    with collecting() as misuses:
        definition = lower_pipeline(pipeline, environment, pinned, folders)
    return definition if pipeline.keep_order else order(definition), misuses
