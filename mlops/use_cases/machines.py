"""What follows alarms and violations in the account of an environment, of mlops.toml and of files alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.deploy.feedback.beside_pipelines import with_declared
from mlops.ir import Definition
from mlops.ir.surroundings import Surroundings

if TYPE_CHECKING:
    from mlops.project.environments import Environment


def surroundings_of(environment: Environment, definitions: Sequence[Definition], root: Path) -> Surroundings:
    """Of pipelines. Raises ConfigurationError with all that nobody would do there while the laptop is off."""
    from mlops.project.surroundings import surroundings

    found = with_declared(environment, definitions)
    if found.is_local or not found.feedback:
        return surroundings(found)
    from mlops.deploy.feedback.machines import machines  # few declare any

    names = [definition.name for definition in definitions]
    return replace(surroundings(found), machines=machines(found, names, root))
