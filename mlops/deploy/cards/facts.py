"""What is known of a version, read of the account that holds it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from mlops.account import Account, answers
from mlops.deploy.cards import data as data_sets
from mlops.deploy.cards.data import DataSet
from mlops.deploy.endpoints import history, shift_records
from mlops.deploy.executions.details import jobs_of
from mlops.deploy.executions.following import ExecutionState, describe
from mlops.deploy.executions.inputs import inputs
from mlops.deploy.models import lineage as lineage_records
from mlops.deploy.models import registry
from mlops.deploy.models.happened import Happened, happened, person
from mlops.deploy.models.lineage import Content, Lineage
from mlops.deploy.models.registry import Report, Version
from mlops.deploy.shifting.mirroring import Mirrored
from mlops.deploy.shifting.samples import Looked, Samples
from mlops.ir import AccountError, Refusal
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide, hide_text
from mlops.project.card_intent import Intent, read_intent
from mlops.project.environments import Environment

_TRAINING = ("TrainingJob", "HyperParameterTuningJob", "AutoMLJob", "AutoMLJobV2")
"""Kinds of jobs that make models."""
_OF_THE_TOOLKIT = "sagemaker_"
"""Hyperparameters that say where the program lies, and nothing of the model."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A training job of the execution that registered the version; nothing that it was told is a secret."""

    step: str
    arn: str
    image: str | None
    hyperparameters: Mapping[str, str]
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Shifted:
    """What was said of the version while it was brought in: at the first look that was red, then it went ``back``, else
    at the last one."""

    endpoint: str
    at: str
    standing: str
    why: str
    stage: str
    looks: int
    back: bool


@dataclass(frozen=True, slots=True)
class Known:
    """``described`` is DescribeModelPackage's reply without secrets; ``said`` is what people say, a card's content.
    ``data`` are those that it was trained on, ``prepared`` the steps that made them of the ``raw`` ones."""

    version: Version
    described: Mapping[str, Any]
    author: str | None
    intent: Intent
    said: Mapping[str, Any]
    lineage: Lineage
    reports: tuple[Report, ...]
    trained: tuple[Trained, ...]
    data: tuple[DataSet, ...]
    prepared: tuple[str, ...] = ()
    raw: Mapping[str, Content] = field(default_factory=dict)
    shifted: tuple[Shifted, ...] = ()
    happened: tuple[Happened, ...] = ()
    unknown: tuple[str, ...] = ()
    """What could not be asked, in words."""

    @property
    def status(self) -> str:
        """Of the card: what the version itself carries, else what is declared."""
        return (self.described.get("ModelCard") or {}).get("ModelCardStatus") or self.intent.status

    @property
    def images(self) -> tuple[str, ...]:
        """Of what serves."""
        return tuple(str(item["Image"]) for item in self.containers if item.get("Image"))

    @property
    def containers(self) -> tuple[Mapping[str, Any], ...]:
        return tuple((self.described.get("InferenceSpecification") or {}).get("Containers") or ())

    @property
    def artefacts(self) -> tuple[str, ...]:
        return tuple(item.uri for item in self.lineage.artefacts)


_Look = TypeVar("_Look", Looked, Mirrored)


def see(
    account: Account,
    environment: Environment,
    version: Version,
    root: Path,
    *,
    whole: bool = True,
    most: int = data_sets.MOST_BYTES,
) -> Known:
    """``version`` has its details. Without ``whole`` no data are read, and nothing that happened since."""
    intent = read_intent(root, version.group)
    unknown: list[str] = []
    made = lineage_records.read(account, environment, version) or lineage_records.see(account, environment, version)
    if made.unknown is not None:
        unknown.append(made.unknown)
    state, jobs = _execution(account, made.execution, unknown)
    training = _training(state)
    # Where no step is known to train, all that was read may have been trained on.
    wanted = {name: item for name, item in made.data.items() if not training or name.partition(": ")[0] in training}
    prepared = tuple(_prepared(state, jobs, [item.uri for item in wanted.values()])) if training else ()
    described = hide({key: value for key, value in version.details.items() if key != "ResponseMetadata"})
    bare = [DataSet(name, item.uri, item.files) for name, item in wanted.items()]
    return Known(
        version,
        described,
        person(version.details.get("CreatedBy")),
        intent,
        _said(intent, version.details),
        made,
        tuple(registry.reports(account, version)),
        tuple(_trained(state, jobs, training)),
        data_sets.see(account, wanted, intent.private, most) if whole else tuple(bare),
        prepared,
        {name: item for name, item in made.data.items() if name.partition(": ")[0] in prepared},
        tuple(_shifts(account, environment, version, unknown)) if whole else (),
        happened(account, environment, version.group, [version], version.number) if whole else (),
        tuple(unknown),
    )


def trained(account: Account, version: Version, made: Lineage | None) -> tuple[tuple[Trained, ...], Sequence[str]]:
    """By the execution that ``made`` names, or else the version itself; and what could not be asked, in words."""
    unknown: list[str] = []
    execution = made.execution if made is not None else lineage_records.execution_of(version)
    state, jobs = _execution(account, execution, unknown)
    return tuple(_trained(state, jobs, _training(state))), unknown


def hyperparameters(jobs: Iterable[Trained]) -> Mapping[str, str]:
    """By step and name."""
    return {f"{job.step}: {name}": value for job in jobs for name, value in job.hyperparameters.items()}


def _training(state: ExecutionState) -> set[str]:
    """Names of steps."""
    return {step.name for step in state.steps if step.job_kind is not None and step.job_kind.name in _TRAINING}


def _execution(
    account: Account, execution: str | None, unknown: list[str]
) -> tuple[ExecutionState, Mapping[str, Mapping[str, Any]]]:
    nothing = ExecutionState("", "", "", None, ())
    if execution is None:
        return nothing, {}
    try:
        state = describe(account, execution)
        return state, jobs_of(account, state)
    except AccountError as error:
        unknown.append(f"its execution cannot be asked: {error.message}")
        return nothing, {}


def _prepared(state: ExecutionState, jobs: Mapping[str, Mapping[str, Any]], uris: Sequence[str]) -> Iterator[str]:
    """Steps that wrote what lies at the URIs, and those that wrote what these read, in the order of their starts."""
    waiting, found = [*uris], set[str]()
    while waiting:
        uri = waiting.pop()
        for step in state.steps:
            kind, job = step.job_kind, jobs.get(step.name, {})
            if kind is None or step.name in found or kind.name in _TRAINING:
                continue
            written = [folder for place in kind.outputs for folder in place.folders(job)]
            if any(f"{uri.rstrip('/')}/".startswith(folder) for folder in written):
                found.add(step.name)
                waiting += [read.uri for _, read in inputs(step, job)]
    yield from (step.name for step in state.steps if step.name in found)


def _trained(state: ExecutionState, jobs: Mapping[str, Mapping[str, Any]], training: set[str]) -> Iterator[Trained]:
    for step in state.steps:
        if step.name not in training or step.name not in jobs or step.job_kind is None:
            continue
        job = jobs[step.name]
        specification = job.get("AlgorithmSpecification") or {}
        yield Trained(
            step.name,
            str(step.metadata.get(step.kind, {}).get("Arn", "")),
            specification.get("TrainingImage") or specification.get("AlgorithmName"),
            {
                str(name): str(value)
                for name, value in hide(dict(job.get("HyperParameters") or {})).items()
                if not str(name).startswith(_OF_THE_TOOLKIT)
            },
            {str(item["MetricName"]): float(item["Value"]) for item in job.get("FinalMetricDataList") or ()},
        )


def _said(intent: Intent, details: Mapping[str, Any]) -> Mapping[str, Any]:
    """What mlops.toml declares, and over it what the version itself carries."""
    found: dict[str, Any] = intent.content()
    for section, told in _carried(details).items():
        there = found.get(section)
        both = isinstance(there, dict) and isinstance(told, Mapping)
        found[section] = {**there, **told} if both and isinstance(there, dict) else told
    return found


def _carried(details: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content of the card that a package carries, without secrets; empty where it has none or one that is no JSON
    object."""
    try:
        content = json.loads((details.get("ModelCard") or {}).get("ModelCardContent") or "{}")
    except (ValueError, RecursionError):
        return {}
    return hide(content) if isinstance(content, dict) else {}


def _shifts(account: Account, environment: Environment, version: Version, unknown: list[str]) -> Iterator[Shifted]:
    for endpoint in history.endpoints(account, environment):
        entries = history.read(account, environment, endpoint)
        if not history.of_version(entries, version.group, version.number, version.arn):
            continue
        try:
            with answers():
                found = list(shift_records.of_version(account, environment, endpoint, version.group, version.number))
        except Refusal as error:
            unknown.append(error.message)
            continue
        yield from (shift for item in found for shift in _shifted(item))


def _shifted(samples: Samples) -> Iterator[Shifted]:
    """Of the shadow before, and of the stages."""
    if samples.shadow is not None and samples.shadow.looks:
        yield _told(samples, samples.shadow.looks, lambda look: "shadow")
    if samples.looks:
        yield _told(samples, samples.looks, lambda look: f"{look.stage} of {len(samples.stages)}")


def _told(samples: Samples, looks: Sequence[_Look], stage: Callable[[_Look], str]) -> Shifted:
    red = next((item for item in looks if item.standing == "red"), None)
    told = red or looks[-1]
    at = datetime.fromtimestamp(looks[0].since, UTC).isoformat(timespec="seconds")
    return Shifted(samples.endpoint, at, told.standing, hide_text(told.why), stage(told), len(looks), red is not None)
