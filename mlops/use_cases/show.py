"""The steps of pipelines, and what each waits for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from mlops.check.sources import open_one, open_targets
from mlops.emit.targets.outline import emit
from mlops.ir import Checked, Listener, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide_value
from mlops.use_cases.judging import need_sound


def opened(target: str, environment: str, listener: Listener) -> tuple[Checked, ...]:
    """Raises Refusal where a pipeline has errors."""
    found = open_targets([target], environment)
    if found.templates:
        raise UsageError(
            f"{target} is a template of CloudFormation",
            hint="`mlops check` judges it, `mlops import --template` takes it",
        )
    need_sound(found.findings, listener, doing="show")
    return found.pipelines


@dataclass(frozen=True, slots=True)
class Drawn:
    """``name`` is the pipeline's."""

    name: str | None
    text: str


def drawn(target: str, environment: str, form: str, listener: Listener, *, whole: bool = False) -> Drawn:
    """As a picture, or in the language of a program that draws. ``whole``: a picture does not put steps together.
    Raises Refusal where the pipeline has errors."""
    found = open_one(target, environment)
    need_sound(found.findings, listener, doing="show")
    checked = found.pipelines[0]
    if form == "svg":
        from mlops.emit.targets.diagram import emit as picture

        return Drawn(checked.definition.name, picture(checked, whole=whole))
    return Drawn(checked.definition.name, import_module(f"mlops.emit.targets.{form}").emit(checked))


def outline(checked: Checked) -> str:
    """For people."""
    return emit(checked)


def as_dictionary(checked: Checked) -> Mapping[str, object]:
    """For programs. ``branches`` are the steps that a step lies in, each with the member that holds it."""
    definition = checked.definition
    return {
        "pipeline": definition.name,
        "parameters": [
            {
                "name": parameter.name,
                "type": parameter.type,
                "required": not parameter.has_default,
                "default": hide_value(parameter.name, parameter.default) if parameter.has_default else None,
            }
            for parameter in definition.parameters
        ],
        "steps": [
            {
                "name": placed.step.name,
                "type": placed.step.type,
                "after": sorted(checked.edges.get(placed.step.name, ()), key=checked.order.index),
                "branches": [{"step": step, "member": member} for step, member in placed.branches],
            }
            for placed in definition.placed()
        ],
    }
