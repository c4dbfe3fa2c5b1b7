"""Selective executions: some steps anew, what they need from an earlier execution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mlops.account.local.refusal import invalid
from mlops.account.local.services.sagemaker.pipelines import checked
from mlops.account.local.settling import RUNNING, settle
from mlops.account.local.state import State
from mlops.account.local.step_records import succeeded
from mlops.ir import Checked, Step
from mlops.ir.dataclass import dataclass
from mlops.run.ports import StepRecord


@dataclass(frozen=True, slots=True)
class Selection:
    """``checked`` holds the selected steps and what is upstream of them; ``finished`` the records of the latter."""

    checked: Checked
    finished: Mapping[str, StepRecord]


def select(state: State, pipeline: str, text: str, config: Mapping[str, Any]) -> Selection:
    """Raises ValidationException, worded as the service words it where that is known."""
    whole = checked(text)
    selected = {item["StepName"] for item in config["SelectedSteps"]}
    unknown = sorted(selected - set(whole.edges))
    if unknown:
        raise invalid(f"The selected steps {unknown} are not in the pipeline.")
    needed = _upstream(whole, selected) - selected
    between = sorted(name for name in needed if _upstream(whole, {name}) & selected)
    if between:
        raise invalid(f"The selected steps must be connected: {between} lie between them.")
    finished = _records(state, pipeline, config.get("SourcePipelineExecutionArn"), sorted(selected), needed)
    kept = selected | needed
    definition = replace(whole.definition, steps=tuple(_only(whole.definition.steps, kept)))
    from mlops.check import check

    return Selection(check(definition), finished)


def _records(
    state: State, pipeline: str, source: str | None, selected: list[str], needed: set[str]
) -> dict[str, StepRecord]:
    if source is None:
        if needed:
            raise invalid(
                f"Invalid SourcePipelineExecutionArn: null. The selected steps {selected} have dependencies on "
                f"{sorted(needed)}"
            )
        return {}
    execution = source.rpartition("/")[2]
    settle(state, execution)
    row = state.store.one("SELECT * FROM execution WHERE id = ? AND pipeline = ?", execution, pipeline)
    if row is None:
        raise invalid(f"Invalid SourcePipelineExecutionArn: {source} is no execution of pipeline {pipeline}.")
    if row["status"] in RUNNING:
        raise invalid(f"Invalid SourcePipelineExecutionArn: {source} is still {row['status']}.")
    records = {name: record for name, record in succeeded(state, execution).items() if name in needed}
    missing = sorted(needed - set(records))
    if missing:
        raise invalid(f"Invalid SourcePipelineExecutionArn: in {source} the steps {missing} did not succeed.")
    return records


def _upstream(whole: Checked, names: Iterable[str]) -> set[str]:
    """All steps that must end before one of ``names``, however far up."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        for upstream in whole.edges.get(waiting.pop(), ()):
            if upstream not in found:
                found.add(upstream)
                waiting.append(upstream)
    return found


def _only(steps: Iterable[Step], kept: set[str]) -> Iterable[Step]:
    for step in steps:
        if step.name in kept:
            yield replace(
                step,
                blocks=tuple(replace(block, steps=tuple(_only(block.steps, kept))) for block in step.blocks),
            )
