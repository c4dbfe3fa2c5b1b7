"""Selective executions: some steps anew, on what an earlier execution of the same pipeline left behind.

All that can be wrong with a selection is said before the account is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy.executions.following import ENDED, describe
from mlops.deploy.pages import items
from mlops.ir import Checked, UsageError
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass

LOOK_BACK = 50
"""Executions that are asked, newest first, whether they have what the selected steps need."""


@dataclass(frozen=True, slots=True)
class Selection:
    """``needed`` are the steps upstream of ``steps``, whose results an earlier execution has to have."""

    steps: tuple[str, ...]
    needed: frozenset[str]


def select(checked: Checked, names: Sequence[str]) -> Selection:
    """Raises UsageError for a step that is not there, and for steps with others in between."""
    for name in names:
        if name not in checked.edges:
            raise UsageError(f"there is no step {name}{instead(name, checked.order, 'the steps are')}")
    selected = frozenset(names)
    needed = _upstream(checked, selected) - selected
    between = [name for name in checked.order if name in needed and _upstream(checked, {name}) & selected]
    if between:
        raise UsageError(
            f"the selected steps are not connected: {', '.join(between)} lies between them",
            hint="select it too: "
            + " ".join(f"--only {name}" for name in checked.order if name in {*selected, *between}),
        )
    return Selection(tuple(name for name in checked.order if name in selected), needed)


def selective_config(selection: Selection, source: str | None) -> Mapping[str, Any]:
    """SelectiveExecutionConfig on the execution whose ARN is ``source``; None where nothing is needed of one."""
    config: dict[str, Any] = {"SelectedSteps": [{"StepName": name} for name in selection.steps]}
    return config if source is None else {**config, "SourcePipelineExecutionArn": source}


def newest_source(account: Account, pipeline: str, selection: Selection) -> str | None:
    """The newest execution in which all that is needed succeeded, None where nothing is. Raises UsageError."""
    if not selection.needed:
        return None
    lacking: set[str] | None = None
    for arn in _ended(account, pipeline):
        steps = describe(account, arn).steps
        missing = selection.needed - {step.name for step in steps if step.status == "Succeeded" and not step.stub}
        if not missing:
            return arn
        lacking = lacking or set(missing)
    wanted = f"{', '.join(selection.steps)} on the results of {', '.join(sorted(selection.needed))}"
    if lacking is None:
        raise UsageError(
            f"{pipeline} has no past execution to run {wanted}", hint="run the whole pipeline once, without --only"
        )
    raise UsageError(
        f"no past execution of {pipeline} has all it takes to run {wanted}; in the newest "
        f"{', '.join(sorted(lacking))} did not succeed",
        hint="select these steps too, or run the whole pipeline",
    )


def _ended(account: Account, pipeline: str) -> list[str]:
    """Newest first."""
    sagemaker = account.client("sagemaker")
    with answers():
        listed = items(
            sagemaker,
            "list_pipeline_executions",
            "PipelineExecutionSummaries",
            PipelineName=pipeline,
            SortBy="CreationTime",
            SortOrder="Descending",
        )
        newest = unless_missing(lambda: list(islice(listed, LOOK_BACK))) or []
    return [str(item["PipelineExecutionArn"]) for item in newest if item["PipelineExecutionStatus"] in ENDED]


def _upstream(checked: Checked, names: Iterable[str]) -> frozenset[str]:
    """All steps that must end before one of ``names``, however far up."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        for before in checked.edges.get(waiting.pop(), ()):
            if before not in found:
                found.add(before)
                waiting.append(before)
    return frozenset(found)
