"""Models and configurations that steps name and nobody made on this machine, told before it is tried. Nothing of this
speaks of an account: whether one is there is asked of whoever knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from mlops.check.codes import SURROUNDINGS
from mlops.ir import Checked, Finding, Placed, Severity, Step, Value
from mlops.ir.members import get
from mlops.ir.values import pointer

HasOne: TypeAlias = Callable[[str, str], bool]
"""Whether there is one of that kind (as the service's operations spell it) and that name."""

_CODE = "A033"
_CALLED = {"Model": ("model", "create-model"), "EndpointConfig": ("endpoint configuration", "create-endpoint-config")}
"""By kind, which is the type of step that makes one: of the name that its member says, or that the service gives."""
_MAKES_NONE = frozenset({*_CALLED, "Condition", "Fail", "Transform", "RegisterModel", "Endpoint", "InferenceComponent"})
_SCRIPTS = frozenset({"Processing", "Training", "Tuning"})
"""They make nothing unless they may ask the account."""


def missing_names(checked: Checked, has: HasOne, *, scripts_may_ask: bool) -> Iterator[Finding]:
    """Of what a step names by a text, with values for parameters. Nothing is said behind a step that may make one."""
    steps = {placed.step.name: placed.step for placed in checked.definition.placed()}
    silent = _MAKES_NONE if scripts_may_ask else _MAKES_NONE | _SCRIPTS
    made = {(step.type, get(step.arguments, f"{step.type}Name")) for step in steps.values() if step.type in _CALLED}
    for placed in checked.definition.placed():
        wanted = [item for item in _named(placed.step) if item[1:] not in made]
        if wanted and all(steps[name].type in silent for name in checked.before(placed.step.name) & steps.keys()):
            for at, kind, name in wanted:
                if not has(kind, name):
                    yield _finding(placed, at, kind, name)


def _named(step: Step) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Where, which kind, which name."""
    request = step.arguments
    found: list[tuple[tuple[str | int, ...], str, Value]] = []
    match step.type:
        case "Transform":
            found = [(("Arguments", "ModelName"), "Model", get(request, "ModelName"))]
        case "QualityCheck" | "ClarifyCheck":
            found = [(("ModelName",), "Model", step.members.get("ModelName"))]
        case "InferenceComponent":
            at = ("Specification", "ModelName")
            found = [(("Arguments", *at), "Model", get(request, *at))]
        case "Endpoint":
            found = [(("Arguments", "EndpointConfigName"), "EndpointConfig", get(request, "EndpointConfigName"))]
        case "EndpointConfig":
            listed = get(request, "ProductionVariants")
            for index, variant in enumerate(listed if isinstance(listed, tuple) else ()):
                name = get(variant, "ModelName") if isinstance(variant, Mapping) else None
                found.append((("Arguments", "ProductionVariants", index, "ModelName"), "Model", name))
    return ((at, kind, name) for at, kind, name in found if isinstance(name, str) and name)


def _finding(placed: Placed, at: tuple[str | int, ...], kind: str, name: str) -> Finding:
    called, command = _CALLED[kind]
    return Finding(
        _CODE,
        SURROUNDINGS[_CODE][0],
        Severity.WARNING,
        f"there is no {called} {name} here, and no step before this one makes it",
        help=f"`mlops local exec -- aws sagemaker {command} …` makes one, as any client can; "
        f"`mlops run --stub {placed.step.name}=FILE` has a file stand for the step",
        step=placed.step.name,
        path=placed.pointer + pointer(*at),
        where=placed.step.where,
    )
