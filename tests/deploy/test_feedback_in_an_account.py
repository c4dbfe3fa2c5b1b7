"""What EventBridge does of feedback in an account, and that the rest is refused by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops.deploy.resources.trigger import declared
from mlops.deploy.starts import judge_starts
from mlops.ir import ConfigurationError, Definition, Parameter
from mlops.project.environments import Environment
from mlops.project.feedback import Feedback
from mlops.project.surroundings import surroundings

PROD = Environment(name="prod", region="eu-west-1", role="arn:aws:iam::111122223333:role/pipelines", bucket="acme-ml")
CHURN = Definition("churn")
PLAIN: dict[str, Any] = {"alarm": "drift", "pipeline": "churn", "cooldown": "0s", "per_day": 0}


def with_feedback(**more: Any) -> Environment:
    return replace(PROD, feedback={"drift": Feedback.model_validate({**PLAIN, **more})})


def test_an_alarm_starts_a_pipeline() -> None:
    environment = with_feedback(parameters={"Until": "{until}", "Why": "{reason}", "Days": 7})
    (rule,) = declared(environment, "churn")
    assert rule.name == "churn-feedback-drift" and rule.plain["State"] == "ENABLED"
    assert json.loads(rule.plain["EventPattern"])["detail"] == {"alarmName": ["drift"], "state": {"value": ["ALARM"]}}
    assert rule.plain["Target"]["SageMakerPipelineParameters"]["PipelineParameterList"] == [
        {"Name": "Days", "Value": "7"},
        {"Name": "Until", "Value": "$.time"},
        {"Name": "Why", "Value": "$.detail.state.reason"},
    ]
    assert [start.name for start in surroundings(environment).starts("churn")] == ["feedback-drift"]
    assert not [*declared(environment, "other")]
    assert not [*declared(replace(environment, state=Path()), "churn")]


def test_a_parameter_that_the_pipeline_does_not_take_is_told_here_too() -> None:
    taken = Definition("churn", parameters=(Parameter("Since", "String"), Parameter("Days", "Integer")))
    for given, said in (
        ({"Since": "{since}", "Days": 7}, None),
        ({"Sinse": "{since}"}, "Sinse"),
        ({"Days": "seven"}, "seven"),
    ):
        environment = replace(with_feedback(parameters=given, group="g"), state=Path())
        if said is None:
            judge_starts(environment, [taken])
            continue
        with pytest.raises(ConfigurationError, match=r"\[env.prod.feedback.drift\] of churn: ") as refused:
            judge_starts(environment, [taken])
        assert said in refused.value.message


REFUSED: list[tuple[str, dict[str, Any], str | None]] = [
    ("an alarm that starts a pipeline", {}, None),
    ("a pipeline of another file", {"pipeline": "other", "group": "g"}, None),
    ("a monitor", {"alarm": None, "monitor": "data"}, "monitor = 'data'"),
    ("a promotion", {"group": "churn"}, "group = 'churn': nobody would promote"),
    ("a shift taken back", {"rollback": True, "endpoint": "e"}, "rollback: nobody would take the shift back"),
    ("a person in between", {"approval": ["start"]}, "approval: nobody would wait"),
    ("a cooldown", {"cooldown": "1h"}, "cooldown: nobody would keep it"),
    ("a cap", {"per_day": 2}, "per_day: nobody would count"),
    ("the beginning of a window", {"parameters": {"Since": "{since}"}}, "parameters.Since = '{since}'"),
    ("a value inside of a text", {"parameters": {"Note": "at {until}"}}, "parameters.Note = 'at {until}'"),
    ("nothing but a notice", {"pipeline": None}, "no pipeline is started"),
]


@pytest.mark.parametrize(("more", "said"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_the_rest_is_refused(more: dict[str, Any], said: str | None) -> None:
    environment = with_feedback(**more)
    if said is None:
        judge_starts(environment, [CHURN])
        return
    with pytest.raises(ConfigurationError, match="there is no function of ours") as refused:
        judge_starts(environment, [CHURN])
    assert f"[env.prod.feedback.drift] {said}" in refused.value.message
    assert not [*declared(environment, "churn")]
