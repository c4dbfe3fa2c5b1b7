"""What every step type has to state, also one that is new."""

from __future__ import annotations

import boto3
import pytest

from mlops.check import job_kinds, step_types
from mlops.ir import Checked, Definition, JobKind, Step
from mlops.ir.permissions import LOGS, actions_of

KINDS = job_kinds.all_kinds()

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@pytest.mark.parametrize("name", list(step_types()))
def test_a_type_states_what_its_role_has_to_be_allowed(name: str) -> None:
    permissions = step_types()[name].permissions
    assert permissions is not None, "an empty tuple says that it needs nothing"
    assert [action for action in permissions if action.count(":") != 1] == []


@pytest.mark.parametrize("name", [name for name, found in step_types().items() if found.job and found.job.log_group])
def test_a_type_whose_jobs_log_states_that(name: str) -> None:
    assert set(LOGS) <= set(step_types()[name].permissions or ())


def test_what_pipelines_need_is_the_sum_over_their_steps() -> None:
    steps = (Step("A", "Lambda"), Step("B", "Fail"), Step("C", "Callback"), Step("D", "NobodyKnows"))
    checked = Checked(Definition("p", steps=steps), (), step_types(), {}, ())
    assert actions_of([checked]) == ("lambda:InvokeFunction", "sqs:SendMessage")


@every_kind
def test_a_kind_is_found_by_all_its_names(kind: JobKind) -> None:
    """Also by those that load nothing where a name cannot be a kind's."""
    assert job_kinds.by_name(kind.name) == kind
    assert job_kinds.by_member(kind.member) == kind
    assert job_kinds.by_segment(kind.segment) == kind
    assert kind.log_group is None or job_kinds.by_log_group(kind.log_group) == kind


@pytest.mark.parametrize("name", ["Model", "RegisterModel", "Condition", "", "OtherJob", "other-job", "OtherJobs"])
def test_what_is_no_kind_is_none(name: str) -> None:
    found = (job_kinds.by_name, job_kinds.by_member, job_kinds.by_segment, job_kinds.by_log_group)
    assert [find(name) for find in found] == [None] * 4


@every_kind
def test_the_service_has_the_operations_and_members_of_a_kind(kind: JobKind) -> None:
    client = boto3.client("sagemaker", region_name="us-east-1")
    model = client.meta.service_model
    assert client.meta.method_to_api_mapping[kind.describe_method] == kind.describe
    assert model.operation_model(kind.describe).input_shape.members[kind.name_member].metadata["max"] == kind.name_limit
    assert {kind.arn_member, kind.status_member} <= set(model.operation_model(kind.describe).output_shape.members)
    assert kind.member in model.shape_for("PipelineExecutionStepMetadata").members


@pytest.mark.parametrize("kind", job_kinds.kinds_here(), ids=lambda kind: kind.name)
def test_a_kind_that_runs_here_has_what_its_account_answers(kind: JobKind) -> None:
    model = boto3.client("sagemaker", region_name="us-east-1").meta.service_model
    described = model.operation_model(kind.describe).output_shape
    assert kind.end_member in described.members
    assert kind.summaries in model.operation_model(kind.list_operation).output_shape.members
    if kind.starts is not None:  # what is written is written by the jobs that it starts
        assert f"List{kind.starts}sFor{kind.name}" in model.operation_names
        return
    assert kind.start_member in described.members
    assert kind.destination in model.operation_model(f"Create{kind.name}").input_shape.members
    for place in (*kind.inputs, *kind.outputs):
        shape = described
        for member in place.path:
            shape = shape.members[member]
        if place.label is not None:
            assert place.label in shape.member.members
            shape = shape.member
        for member in place.inside:
            shape = shape.members[member]
        assert shape.type_name == "string"
