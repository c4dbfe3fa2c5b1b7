"""What a state of Terraform says that it made, in both forms in which Terraform gives one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops.deploy.terraform_state import read
from mlops.ir import UsageError


def managed(kind: str, name: str, *instances: Any, **more: Any) -> dict[str, Any]:
    return {"mode": "managed", "type": kind, "name": name, "instances": list(instances), **more}


def made(index: Any = None, **attributes: Any) -> dict[str, Any]:
    return {"attributes": attributes, **({} if index is None else {"index_key": index})}


ARN = "arn:aws:scheduler:us-east-1:111122223333:schedule/default/y"
PULLED = {
    "version": 4,
    "resources": [
        managed("aws_sagemaker_pipeline", "pipeline", made(pipeline_name="churn", password="hunter2-hunter2")),
        managed("aws_sagemaker_endpoint", "door", made("eu", name="churn-eu"), made(1, name="churn-1")),
        managed("aws_cloudwatch_event_rule", "drift", made(name="mlops-feedback-drift"), module="module.ours"),
        managed(
            "aws_cloudcontrolapi_resource",
            "a",
            made(type_name="AWS::CloudWatch::Alarm", desired_state='{"AlarmName": "slow", "Unit": "x"}'),
        ),
        managed("aws_scheduler_schedule", "there", made(name="x", arn=ARN.replace("us", "eu"))),
        managed("aws_scheduler_schedule", "here", made(name="y", arn=ARN)),
        managed("aws_unknown", "x", made(name="churn")),
        {**managed("aws_sagemaker_endpoint", "looked_up", made(name="theirs")), "mode": "data"},
        managed("aws_sagemaker_endpoint", "odd", made(name=3), "no instance", {}),
    ],
}  # fmt: skip
SHOWN = {
    "format_version": "1.0",
    "values": {
        "root_module": {
            "resources": [
                {
                    "mode": "managed",
                    "type": "aws_sagemaker_pipeline",
                    "address": "aws_sagemaker_pipeline.pipeline",
                    "values": {"pipeline_name": "churn"},
                }
            ],
            "child_modules": [
                {
                    "resources": [
                        {
                            "mode": "managed",
                            "type": "aws_cloudwatch_metric_alarm",
                            "address": "module.ours.aws_cloudwatch_metric_alarm.slow",
                            "values": {"alarm_name": "slow"},
                        }
                    ]
                }
            ],
        }
    },
}
ROWS: list[tuple[Any, str, str, str | None]] = [
    (PULLED, "pipeline", "churn", "aws_sagemaker_pipeline.pipeline"),
    (PULLED, "pipeline", "leaver", None),
    (PULLED, "endpoint", "churn", None),
    (PULLED, "endpoint", "churn-eu", 'aws_sagemaker_endpoint.door["eu"]'),
    (PULLED, "endpoint", "churn-1", "aws_sagemaker_endpoint.door[1]"),
    (PULLED, "endpoint", "theirs", None),
    (PULLED, "feedback", "drift", "module.ours.aws_cloudwatch_event_rule.drift"),
    (PULLED, "alarm", "slow", "aws_cloudcontrolapi_resource.a"),
    (PULLED, "alarm", "x", None),
    (PULLED, "schedule", "x", None),
    (PULLED, "schedule", "y", "aws_scheduler_schedule.here"),
    (SHOWN, "pipeline", "churn", "aws_sagemaker_pipeline.pipeline"),
    (SHOWN, "alarm", "slow", "module.ours.aws_cloudwatch_metric_alarm.slow"),
    ({"format_version": "1.0"}, "alarm", "slow", None),
    ({"version": 4}, "alarm", "slow", None),
]


@pytest.mark.parametrize(("told", "kind", "name", "address"), ROWS)
def test_what_it_made_has_its_address(told: Any, kind: str, name: str, address: str | None, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(json.dumps(told))
    assert read(tmp_path / "state.json").address(kind, name, "111122223333", "us-east-1") == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"version": 3, "modules": []}',
        '{"version": 4, "resources": "x"}',
        '{"version": 4, "resources": [{"mode": "managed", "type": "a", "name": "b", "instances": 5}]}',
        '{"format_version": "1.0", "values": []}',
        '{"format_version": "1.0", "values": {"root_module": {"resources": 5}}}',
        '{"format_version": "1.0", "values": {"root_module": {"child_modules": [7]}}}',
        '{"format_version": "1.2", "planned_values": {}, "resource_changes": []}',
        "[" * 100_000,
        "\udcff",
    ],
)
def test_what_is_no_state_is_told_with_the_mend(text: str, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(text, errors="surrogateescape")
    with pytest.raises(UsageError, match=r"state\.json"):
        read(tmp_path / "state.json")
