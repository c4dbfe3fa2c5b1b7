"""A card in SageMaker's words, of what is known of a version. It always fits the service's schema."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.deploy.cards.data import DataSet
from mlops.deploy.cards.facts import Known, Shifted
from mlops.deploy.models.registry import Report
from mlops.ir.counted import counted
from mlops.ir.image_uri import ecr_image
from mlops.knowledge.algorithms import algorithm
from mlops.knowledge.model_cards import LONGEST, fitted

_LONGEST_IMAGE = 255
_NUMBERS = (200, 50, 10, 0)
"""So many numbers of each report, as far as the whole fits."""


def content(known: Known) -> Mapping[str, Any]:
    """What is declared stands; what is not is filled in."""
    for most in _NUMBERS:
        found = _fitted(_content(known, most))
        if len(as_text(found)) <= LONGEST:
            return found
    return {name: value for name, value in found.items() if name != "evaluation_details"}


def _fitted(content: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in fitted(content).items() if value}


def as_text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True)


def _content(known: Known, most: int) -> Mapping[str, Any]:
    said = known.said
    return {
        "model_overview": {**_overview(known), **_texts(said.get("model_overview"))},
        "model_package_details": _package(known),
        "intended_uses": _texts(said.get("intended_uses")),
        "business_details": _texts(said.get("business_details")),
        "training_details": {**_training(known), **_texts(said.get("training_details"))},
        "evaluation_details": [
            *_listed(said.get("evaluation_details")),
            *(_evaluation(report, most) for report in known.reports),
            *map(_verdict, known.shifted),
        ],
        "additional_information": {
            **_texts(said.get("additional_information")),
            **_given(custom_details=dict(_details(known))),
        },
    }


def _texts(told: Any) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value not in ("", None)} if isinstance(told, Mapping) else {}


def _listed(told: Any) -> list[Any]:
    return told if isinstance(told, list) else []


def _overview(known: Known) -> Mapping[str, Any]:
    version = known.version
    made_of = {"container_image": list(known.images)}
    return _given(
        model_description=known.described.get("ModelPackageDescription"),
        model_creator=known.author,
        problem_type=known.described.get("Task"),
        algorithm_type=_algorithm(known),
        model_id=version.arn,
        model_artifact=list(known.artefacts),
        model_name=version.group,
        model_version=version.number,
        inference_environment=made_of if known.images else None,
    )


def _algorithm(known: Known) -> str | None:
    """Of SageMaker's own by the image's name, else the framework that the container says."""
    for trained in known.trained:
        found = algorithm(_repository(trained.image or ""))
        if found is not None:
            return found.title
    for container in known.containers:
        if container.get("Framework"):
            return " ".join(filter(None, (container["Framework"], container.get("FrameworkVersion"))))
    return None


def _repository(image: str) -> str:
    told = ecr_image(image)
    return (told.repository if told is not None else image).rpartition("/")[2]


def _package(known: Known) -> Mapping[str, Any]:
    told = known.described
    containers = [
        _given(image=item["Image"], model_data_url=item.get("ModelDataUrl"))
        for item in known.containers
        if 0 < len(str(item.get("Image") or "")) <= _LONGEST_IMAGE
    ]
    profile = (told.get("CreatedBy") or {}).get("UserProfileName")
    return _given(
        model_package_description=told.get("ModelPackageDescription"),
        model_package_arn=known.version.arn,
        created_by={"user_profile_name": profile} if profile else None,
        model_package_status=told.get("ModelPackageStatus"),
        model_approval_status=known.version.approval,
        approval_description=told.get("ApprovalDescription"),
        model_package_group_name=known.version.group,
        model_package_version=known.version.number,
        domain=told.get("Domain"),
        task=told.get("Task"),
        inference_specification={"containers": containers} if containers else None,
    )


def _training(known: Known) -> Mapping[str, Any]:
    jobs = known.trained
    several = len(jobs) > 1
    metrics = [
        {"name": _named(job.step, name, several), "value": value} for job in jobs for name, value in job.metrics.items()
    ]
    hyperparameters = [
        {"name": _named(job.step, name, several), "value": value}
        for job in jobs
        for name, value in job.hyperparameters.items()
    ]
    images = list(dict.fromkeys(job.image for job in jobs if job.image))
    details = _given(
        training_arn=jobs[0].arn if len(jobs) == 1 else None,
        training_datasets=list(dict.fromkeys(item.uri for item in known.data)),
        training_environment={"container_image": images} if images else None,
        training_metrics=metrics,
        hyper_parameters=hyperparameters,
    )
    return {"training_job_details": details} if details else {}


def _named(step: str, name: str, several: bool) -> str:
    return f"{step}: {name}" if several else name


def _evaluation(report: Report, most: int) -> Mapping[str, Any]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for name, value in list(report.numbers.items())[:most]:
        group, _, rest = name.rpartition(".")
        told: Any = value if math.isfinite(value) else str(value)
        kind = "number" if math.isfinite(value) else "string"
        groups.setdefault(group or report.name, []).append({"name": rest, "type": kind, "value": told})
    left = len(report.numbers) - most
    return _given(
        name=report.name,
        evaluation_observation=f"{counted(left, 'further number')} in the report" if left > 0 else None,
        datasets=[report.uri],
        metric_groups=[{"name": name, "metric_data": numbers} for name, numbers in groups.items()],
    )


def _verdict(shift: Shifted) -> Mapping[str, Any]:
    return {
        "name": f"Shift at {shift.endpoint}",
        "evaluation_observation": shift.why,
        "metadata": {
            "endpoint": shift.endpoint,
            "began": shift.at,
            "verdict": shift.standing,
            "stage": shift.stage,
            "looks": str(shift.looks),
        },
    }


def _details(known: Known) -> Iterator[tuple[str, str]]:
    """Those of the author's, and what else is known."""
    told = known.said.get("additional_information")
    own = told.get("custom_details") if isinstance(told, Mapping) else None
    if isinstance(own, Mapping):
        yield from ((str(name), str(value)) for name, value in own.items())
    made = known.lineage
    if made.commit:
        yield "commit", f"{made.commit}{', with changes that are in no commit' if made.dirty else ''}"
    if made.execution:
        yield "execution", made.execution
    for topic, values in (("code", made.code), ("parameters", made.parameters), ("seeds", made.seeds)):
        if values:
            yield topic, "; ".join(f"{name} = {value}" for name, value in values.items())
    for item in known.data:
        yield f"data {item.name}", in_words(item)
    for number, event in enumerate(known.happened, 1):
        who = f" by {event.by}" if event.by else ""
        where = f" at {event.endpoint}" if event.endpoint else ""
        why = f": {event.reason}" if event.reason else ""
        yield f"history {number}", f"{event.at} {event.status}{where}{who}{why}"


def in_words(item: DataSet) -> str:
    """What is told of a data set where there is room for a sentence."""
    found = item.statistics
    if found is None:
        return item.unknown or "not read"
    whole = "" if item.whole else ", of the part that was read"
    columns = "; ".join(
        f"{column.name} {column.kind}"
        + (f" {column.low} to {column.high}" if column.low is not None else "")
        + (f", {column.missing} missing" if column.missing else "")
        for column in found.columns
    )
    return f"{counted(found.rows, 'row')}, {counted(found.width, 'column')}{whole}: {columns}"


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, "", [], {})}
