"""A pipeline as the definition that SageMaker takes, without credentials, region, network or clock."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.check.sources import need_pipeline, open_one, open_targets
from mlops.emit.targets.definition_json import emit
from mlops.ir import Definition, Listener, Refusal, UsageError
from mlops.ir.dataclass import dataclass
from mlops.use_cases.judging import need_sound

if TYPE_CHECKING:
    from mlops.check.defaults import Default


@dataclass(frozen=True, slots=True)
class Compiled:
    """``file`` is where its text goes by default."""

    definition: Definition
    file: Path

    @property
    def text(self) -> str:
        return emit(self.definition)


def compile_target(target: str, environment: str, listener: Listener, *, one: bool = False) -> tuple[Compiled, ...]:
    """Every pipeline of TARGET; with ``one`` it has to be a single one. Raises Refusal where one has errors."""
    opened = open_one(target, environment) if one else open_targets([target], environment, definitions=False)
    need_pipeline(opened, target)
    need_sound(opened.findings, listener, doing="compile")
    return tuple(
        Compiled(checked.definition, opened.root / "build" / f"{checked.definition.name}.json")
        for checked in opened.pipelines
    )


def defaults(compiled: Compiled, environment: str) -> tuple[Default, ...]:
    """What the environment fills in."""
    from mlops.check.defaults import explain_defaults  # compiles a second time, where somebody wants to know

    return explain_defaults(compiled.definition, environment)


def need_same(compiled: Compiled, golden: Path, target: str) -> None:
    """Raises Refusal where ``golden`` holds something else."""
    command = shlex.join(["mlops", "compile", target, "-o", str(golden)])
    if not golden.is_file():
        raise UsageError(f"there is no {golden}", hint=f"write it with `{command}`")
    if golden.read_text(encoding="utf-8") != compiled.text:
        raise Refusal(f"{golden} is stale", hint=f"write it again with `{command}`")
