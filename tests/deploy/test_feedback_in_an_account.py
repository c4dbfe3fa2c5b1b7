"""What EventBridge does of feedback in an account, and that the rest is refused by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops.deploy.monitors import running
from mlops.deploy.outcomes.ground_truth import prefix_of
from mlops.deploy.resources.trigger import declared
from mlops.deploy.starts import judge_starts
from mlops.ir import ConfigurationError, Definition, Parameter
from mlops.knowledge.eventbridge.matching import matches
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


@pytest.mark.parametrize(("found", "starts"), [(2, True), (0, False), (None, False)])
def test_violations_that_a_monitors_job_tells_of_start_a_pipeline(found: int | None, starts: bool) -> None:
    """By the event that a job puts on the bus when a schedule of the account started it."""
    environment = with_feedback(alarm=None, monitor="data", parameters={"Until": "{until}"})
    judge_starts(environment, [Definition("churn", parameters=(Parameter("Until", "String"),))])
    (rule,) = declared(environment, "churn")
    detail = {"monitor": "data", "violations": found, "until": "2026-11-29T10:00:00Z"}
    event = {"source": running.SOURCE, "detail-type": running.DETAIL, "detail": detail}
    assert matches(json.loads(rule.plain["EventPattern"]), event) is starts
    assert not matches(json.loads(rule.plain["EventPattern"]), {**event, "detail": {**detail, "monitor": "other"}})
    assert rule.plain["Target"]["SageMakerPipelineParameters"]["PipelineParameterList"] == [
        {"Name": "Until", "Value": "$.detail.until"}
    ]


def test_where_labels_lie_is_known_without_an_event() -> None:
    environment = with_feedback(endpoint="shop", parameters={"Labels": "{labels}"})
    judge_starts(environment, [Definition("churn", parameters=(Parameter("Labels", "String"),))])
    (rule,) = declared(environment, "churn")
    assert rule.plain["Target"]["SageMakerPipelineParameters"]["PipelineParameterList"] == [
        {"Name": "Labels", "Value": prefix_of(environment, "shop")}
    ]


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
    ("a monitor that starts a pipeline", {"alarm": None, "monitor": "data"}, None),
    (
        "a monitor's reason",
        {"alarm": None, "monitor": "data", "parameters": {"Why": "{reason}"}},
        "parameters.Why = '{reason}'",
    ),
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
