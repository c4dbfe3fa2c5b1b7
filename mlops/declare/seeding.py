"""A pipeline's ``seed``: what may be one, and how it comes into the environment of each job."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.declare.misuse import misuse
from mlops.declare.parameters import IntegerParameter
from mlops.declare.references import Poison, lower_word
from mlops.declare.shown import shown
from mlops.ir import Block, Step, Value
from mlops.ir.seed import LARGEST, SEED, Variables, with_environments
from mlops.project.environments import Environment, place_of

if TYPE_CHECKING:
    from mlops.declare.pipeline import Pipeline

_RANGE = f"an integer from 0 to {LARGEST}"
_HELP = 'write seed=42; for a parameter, inside the block: pipeline.seed = pipeline.integer("Seed", default=42)'


def sound_seed(name: str, seed: object) -> int | IntegerParameter | None:
    """What was given as the seed of the pipeline ``name``; None where it is none, which is told."""
    if seed is None or isinstance(seed, Poison):
        return None
    if isinstance(seed, IntegerParameter) or _is_seed(seed):
        return seed  # type: ignore[return-value]
    wanted = _RANGE if isinstance(seed, int) and not isinstance(seed, bool) else f"{_RANGE}, or an integer parameter"
    misuse("D005", f"pipeline {name}: seed should be {wanted}; it is {shown(seed)}", help=_HELP)
    return None


def seed_value(pipeline: Pipeline, environment: Environment, root: Path | None) -> Value:
    """The seed as an environment variable has it, or None. What shows only when all is declared is told."""
    seed = pipeline.seed
    if not isinstance(seed, IntegerParameter):
        return None if seed is None else str(seed)
    if not any(seed is parameter for parameter in pipeline.parameters):
        message = f"pipeline {pipeline.name}: its seed is {seed.label}, which is none of its own parameters"
        misuse("D005", message, help=_HELP, where=pipeline.seed_where)
        return None
    given = environment.parameters.get(seed.name)
    there = None if given is None or root is None else place_of(root, environment.name, "parameters", seed.name)
    for what, value, where in (
        ("its default", seed.default, seed.where),
        *(("a choice", choice, seed.where) for choice in seed.choices or ()),
        (f"the default that the environment {environment.name} gives", given, there or seed.where),
    ):
        if isinstance(value, int) and not isinstance(value, bool) and not _is_seed(value):
            message = f"pipeline {pipeline.name}: its seed is {seed.label}, and {what} is {value}"
            misuse("D005", message, help=f"a seed is {_RANGE}", where=where)
    return lower_word(seed)


def seeded(steps: tuple[Step, ...], seed: Value) -> tuple[Step, ...]:
    """With ``seed`` in the environment of each job that has none of its own."""
    if seed is None:
        return steps

    def change(variables: Variables) -> Variables:
        return variables if SEED in variables else {**variables, SEED: seed}

    return tuple(
        replace(
            with_environments(step, change),
            blocks=tuple(Block(block.member, seeded(block.steps, seed)) for block in step.blocks),
        )
        for step in steps
    )


def _is_seed(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST
