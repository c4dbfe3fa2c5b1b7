"""The seed that all jobs of a definition share, which is said once, of the pipeline."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from mlops.ir import Block, Definition, Ref, Step, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.fields import INTEGER
from mlops.ir.seed import LARGEST, SEED, Variables, environments, with_environments

_NUMBER = re.compile(r"0|[1-9][0-9]{0,9}")


@dataclass(frozen=True, slots=True)
class Seed:
    """``value`` as the environments have it: of a ``number``, or of a ``parameter``."""

    value: Value
    number: int | None = None
    parameter: str | None = None


def seed_of(definition: Definition, kinds: Mapping[str, str]) -> Seed | None:
    """What most jobs have, where each has one. ``kinds`` are those of the parameters that have a variable."""
    variables = [item for placed in definition.placed() for item in environments(placed.step)]
    if not variables or not all(SEED in item for item in variables):
        return None
    counted = Counter(found for item in variables if (found := _seed(item[SEED], kinds)) is not None)
    return counted.most_common(1)[0][0] if counted else None


def without(steps: tuple[Step, ...], seed: Seed) -> tuple[Step, ...]:
    """Jobs with another one keep it."""

    def change(variables: Variables) -> Variables:
        return {key: value for key, value in variables.items() if key != SEED or value != seed.value}

    return tuple(
        replace(
            with_environments(step, change),
            blocks=tuple(Block(block.member, without(block.steps, seed)) for block in step.blocks),
        )
        for step in steps
    )


def _seed(value: Value, kinds: Mapping[str, str]) -> Seed | None:
    match value:
        case str() if _NUMBER.fullmatch(value) and int(value) <= LARGEST:
            return Seed(value, number=int(value))
        case Ref(expression) if kinds.get(expression.removeprefix("Parameters.")) == INTEGER:
            return Seed(value, parameter=expression.removeprefix("Parameters."))
    return None
