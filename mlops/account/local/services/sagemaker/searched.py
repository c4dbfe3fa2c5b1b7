"""What Search finds: of each kind of resource all there are, in the members of the service's SearchRecord."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker import (
    endpoints,
    executions,
    experiments,
    jobs,
    model_cards,
    models,
    pipelines,
    registry,
    resources,
)
from mlops.account.local.services.sagemaker.tags import tags_of
from mlops.account.local.settling import RUNNING, settle, settle_jobs
from mlops.account.local.state import State
from mlops.ir.dataclass import dataclass

Record: TypeAlias = Mapping[str, Any]
_CARD_WORDS = (
    ("ModelId", "model_overview", "model_id"),
    ("RiskRating", "intended_uses", "risk_rating"),
    ("ModelPackageGroupName", "model_package_details", "model_package_group_name"),
)
"""What a record has of a card's content, as text."""


@dataclass(frozen=True, slots=True)
class Searched:
    """``member`` of a result holds one, empty where the service's model has none. ``named`` are the members that tell
    one from all others; by the first, its ARN, tags are kept."""

    member: str
    named: tuple[str, ...]
    records: Callable[[State], Iterator[Record]]


def _nothing(_: State) -> Iterator[Record]:
    """Kinds that nobody can make here."""
    return iter(())


def _rows(kind: str, state: State) -> Iterator[Mapping[str, Any]]:
    return (resources.body_of(row) for row in state.store.all("SELECT * FROM resource WHERE kind = ?", kind))


def _names(kind: str, state: State) -> Iterator[str]:
    return (row["name"] for row in state.store.all("SELECT name FROM resource WHERE kind = ?", kind))


def _jobs(kind: str, state: State) -> Iterator[Record]:
    settle_jobs(state, kind)
    for body in _rows(kind, state):
        metrics = {item["MetricName"]: item.get("Value") for item in body.get("FinalMetricDataList") or ()}
        yield {**(jobs.NO_JOBS if kind == "HyperParameterTuningJob" else {}), **body, "Metrics": metrics}


def _described(kind: str, state: State) -> Iterator[Record]:
    """By what Describe says, which brings in line what is told of processes that are gone."""
    describe = {"Endpoint": endpoints.describe_endpoint, "Pipeline": pipelines.describe_pipeline}[kind]
    for name in _names(kind, state):
        try:
            yield describe(state, {f"{kind}Name": name})
        except Refusal:
            continue  # it went since the names were read


def _models(state: State) -> Iterator[Record]:
    for body in _rows(models.KIND, state):
        told = models.told(state, body)
        yield {"Model": {**told, "Tags": tags_of(state, told["ModelArn"])}, "ModelArn": told["ModelArn"]}


def _packages(state: State) -> Iterator[Record]:
    for row in state.store.all("SELECT * FROM package"):
        versioned = row["version"] != registry.UNVERSIONED
        # As the record's model says of the name of a versioned package.
        name = f"{row['name']}/{row['version']}" if versioned else row["name"]
        yield {**registry.told(state, row), "ModelPackageName": name}


def _groups(state: State) -> Iterator[Record]:
    return (registry.told_group(state, body) for body in _rows(registry.GROUP, state))


def _executions(state: State) -> Iterator[Record]:
    for row in state.store.all("SELECT id FROM execution WHERE status IN (?, ?)", *RUNNING):
        settle(state, row["id"])
    for row in state.store.all("SELECT * FROM execution"):
        yield {**executions.told(state, row), "PipelineParameters": executions.parameter_list(row)}


def _versions(state: State) -> Iterator[Record]:
    for name in _names(pipelines.KIND, state):
        for told in pipelines.list_pipeline_versions(state, {"PipelineName": name})["PipelineVersionSummaries"]:
            last = told["LastExecutionPipelineExecutionArn"]
            yield {**told, "LastModifiedTime": told["CreationTime"], "LastExecutedPipelineExecutionArn": last}


def _cards(state: State) -> Iterator[Record]:
    for name in _names(model_cards.KIND, state):
        told = model_cards.describe_model_card(state, {"ModelCardName": name})
        content = json.loads(told["Content"])
        words = {member: (content.get(section) or {}).get(word) for member, section, word in _CARD_WORDS}
        yield {**told, **words}


def _named(member: str, records: Callable[[State], Iterator[Record]]) -> Searched:
    return Searched(member, (f"{member}Arn",), records)


KINDS: Mapping[str, Searched] = {
    "Endpoint": _named("Endpoint", partial(_described, "Endpoint")),
    "Experiment": _named("Experiment", experiments.every_experiment),
    "ExperimentTrial": _named("Trial", experiments.every_trial),
    "ExperimentTrialComponent": _named("TrialComponent", experiments.every_component),
    "HyperParameterTuningJob": _named("HyperParameterTuningJob", partial(_jobs, "HyperParameterTuningJob")),
    "Model": _named("Model", _models),
    "ModelCard": _named("ModelCard", _cards),
    "ModelPackage": _named("ModelPackage", _packages),
    "ModelPackageGroup": _named("ModelPackageGroup", _groups),
    "Pipeline": _named("Pipeline", partial(_described, "Pipeline")),
    "PipelineExecution": _named("PipelineExecution", _executions),
    "PipelineVersion": Searched("PipelineVersion", ("PipelineArn", "PipelineVersionId"), _versions),
    "TrainingJob": _named("TrainingJob", partial(_jobs, "TrainingJob")),
    **{name: _named(name, _nothing) for name in ("FeatureGroup", "FeatureMetadata", "HubContent", "Job", "Project")},
    **{name: _named("", _nothing) for name in ("Image", "ImageVersion")},
}
"""By what a request's Resource says."""
