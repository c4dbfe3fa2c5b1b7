"""What rules are shown of a definition: jobs by what a step starts, and the instances and images of all of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sample_step_types import TYPES
from sound_definition import SOUND, place, spoilt

from mlops.check import check
from mlops.check.jobs import AUTOML, PROCESSING, TRAINING, TRANSFORM, TUNING, Kind
from mlops.check.subject import Subject
from mlops.ir import Definition, StepType
from mlops.ir.reader import read

ACME = StepType("AcmeTraining", request="CreateTrainingJobRequest", omits=frozenset({"TrainingJobName"}))


def definition(document: Any) -> Definition:
    found, _ = read(json.dumps(document), "churn.json")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def sound() -> Subject:
    return Subject(definition(SOUND), TYPES)


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        (TRAINING, ["Train:", "Segments:", "Tune:TrainingJobDefinition"]),
        (PROCESSING, ["Prepare:", "Drift:", "Bias:"]),
        (TRANSFORM, ["Batch:"]),
        (TUNING, ["Tune:"]),
        (AUTOML, ["Auto:"]),
    ],
)
def test_jobs_are_those_of_steps_and_of_what_steps_define(sound: Subject, kind: Kind, places: list[str]) -> None:
    assert [job.at for job in sound.jobs[kind]] == [place(short).rstrip("/") for short in places]


def test_every_instance_and_image_is_there_once(sound: Subject) -> None:
    at = [machine.at for machine in sound.machines]
    assert len(set(at)) == len(at)
    texts = {where for where, _, _ in sound.texts}
    assert {machine.type_at for machine in sound.machines if isinstance(machine.type, str)} == {
        where for where in texts if where.endswith("/InstanceType") and not where.startswith(place("Spark"))
    }
    assert {found.image_at for found in sound.containers if isinstance(found.image, str)} == {
        where
        for where in texts
        if where.endswith(("/TrainingImage", "/ImageUri", "/Image")) and "InferenceSpecification" not in where
    }


def test_a_step_type_of_a_plug_in_that_starts_a_training_job_is_judged_as_one() -> None:
    changes = {"Train.Type": ACME.type, "Train:StoppingCondition/MaxRuntimeInSeconds": 2592000}
    found = check(definition(spoilt(changes)), types={**TYPES, ACME.type: ACME}).findings
    assert ("X760", place("Train:StoppingCondition/MaxRuntimeInSeconds")) in [(item.code, item.path) for item in found]
