"""What holds of every constructor of a step, also of one that is new: misuse is told, and what it yields has a type."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import mlops
from mlops.check import step_types
from mlops.check.sources import Opened
from mlops.declare.references import Reference

STEPS = {
    name: found
    for name in mlops.__all__
    if isinstance(found := getattr(mlops, name), type) and issubclass(found, mlops.Step) and found is not mlops.Step
}
YIELD_NOTHING = {
    "Fail": "nothing can refer to it",
    "Cleanup": "deletes",
    "OtherStep": "of a type that nobody knows; property() reads it",
    "BedrockCustomModel": "what the service answers is not published",
    "BedrockCustomModelDeployment": "the same",
    "BedrockModelImport": "the same",
    "BedrockProvisionedModelThroughput": "the same",
}
BY_FUNCTION = {"Condition": "when"}


def test_every_type_of_step_has_a_constructor() -> None:
    made = {step.step_type.type for name, step in STEPS.items() if name != "OtherStep"}
    assert set(step_types()) - made == set(BY_FUNCTION)


@pytest.mark.parametrize("name", STEPS)
def test_a_misspelt_argument_is_told(name: str, declare: Callable[..., Opened]) -> None:
    known = STEPS[name]._arguments()
    given = next(argument for argument in known if len(argument) > 4 and argument != "name")
    slip = given[:-2] + given[-1]
    opened = declare(f'{name}("X", {slip}="x")')
    found = [finding for finding in opened.findings if finding.code == "D040"]
    assert [finding.where.line for finding in found] == [4]
    assert slip in found[0].message and given in (found[0].help or "")


@pytest.mark.parametrize("name", STEPS)
def test_an_argument_of_no_sense_is_told(name: str, declare: Callable[..., Opened]) -> None:
    own = [item for item in inspect.signature(STEPS[name].__init__).parameters.values() if item.name not in _OTHERS]
    first = own[0].name if own and own[0].kind is not own[0].VAR_KEYWORD else "after"
    opened = declare(f'{name}("X", {first}=object())')
    found = [finding for finding in opened.findings if finding.code == "D042"]
    assert found and found[0].where.line == 4 and first in found[0].message


_OTHERS = ("self", "name")


@pytest.mark.parametrize("name", STEPS)
def test_what_it_yields_has_a_type(name: str) -> None:
    assert bool(references(STEPS[name])) is (name not in YIELD_NOTHING)


def references(step: type[Any]) -> list[str]:
    """Attributes, and methods with arguments, that are or hold references, by their annotations."""
    found = []
    for attribute in dir(step):
        if attribute.startswith("_") or attribute == "property":
            continue
        member = inspect.getattr_static(step, attribute)
        function = member.fget if isinstance(member, property) else member
        if inspect.isfunction(function) and holds(function):
            found.append(attribute)
    return found + [key for key in ("outputs", "reports") if f"self.{key} = " in inspect.getsource(step)]


def holds(function: Callable[..., Any]) -> bool:
    try:
        returned = typing.get_type_hints(function).get("return")
    except NameError:
        return False
    kinds = [returned, *typing.get_args(returned)] if typing.get_origin(returned) in (Mapping, list) else [returned]
    return any(isinstance(kind, type) and issubclass(kind, Reference) for kind in kinds)
