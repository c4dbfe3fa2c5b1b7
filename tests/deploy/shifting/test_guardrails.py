"""What guardrails express, by botocore's model and by the bounds that the service checks beside it."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.validate import validate_parameters
from hypothesis import given
from hypothesis import strategies as st

from mlops.deploy.shifting.guardrails import Inexpressible, deployment_config
from mlops.ir.shift import Course, Stage, equal_stages

SHAPE = botocore.session.get_session().get_service_model("sagemaker").shape_for("DeploymentConfig")


def stages(*pairs: tuple[float, float]) -> Course:
    return Course(tuple(Stage(float(share), float(bake)) for share, bake in pairs))


def routing(found: dict[str, Any]) -> dict[str, Any]:
    return dict(found["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"])


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


@pytest.mark.parametrize(
    ("course", "count", "expected", "termination", "limit"),
    [
        (stages((100, 0)), 1, {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}, 0, 1800),
        (stages((100, 600)), 1, {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}, 600, 2400),
        (
            stages((10, 300), (100, 60)),
            10,
            {"Type": "CANARY", "WaitIntervalInSeconds": 300, "CanarySize": percent(10)},
            60,
            2160,
        ),
        (
            stages((50, 0), (100, 0)),
            2,
            {"Type": "CANARY", "WaitIntervalInSeconds": 0, "CanarySize": percent(50)},
            0,
            1800,
        ),
        (
            stages((25, 600), (50, 600), (75, 600), (100, 0)),
            4,
            {"Type": "LINEAR", "WaitIntervalInSeconds": 600, "LinearStepSize": percent(25)},
            0,
            3600,
        ),
        (
            stages((40, 1), (80, 1), (100, 2)),
            None,
            {"Type": "LINEAR", "WaitIntervalInSeconds": 1, "LinearStepSize": percent(40)},
            2,
            1804,
        ),
    ],
)
def test_blue_and_green(
    course: Course, count: int | None, expected: dict[str, Any], termination: int, limit: int
) -> None:
    found = deployment_config(course, count)
    assert routing(found) == expected
    policy = found["BlueGreenUpdatePolicy"]
    assert (policy["TerminationWaitInSeconds"], policy["MaximumExecutionTimeoutInSeconds"]) == (termination, limit)


def test_batches_and_alarms() -> None:
    rolling = Course(equal_stages(25, 60, 60, "batch"), releases=True)
    assert deployment_config(rolling, 4, ["errors"]) == {
        "RollingUpdatePolicy": {
            "MaximumBatchSize": percent(25),
            "WaitIntervalInSeconds": 60,
            "MaximumExecutionTimeoutInSeconds": 2040,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
    }


@pytest.mark.parametrize(
    ("course", "count", "alarms", "why"),
    [
        (stages((5, 1), (25, 1), (50, 1), (100, 1)), 20, 0, "they know one canary or equal steps, and no others"),
        (stages((60, 1), (100, 1)), 10, 0, "their canary has at most 50 percent, and this one 60"),
        (stages((5, 1), (10, 1), *((5.0 * n, 1.0) for n in range(3, 20)), (100, 1)), 20, 0, "10 to 50 percent"),
        (stages((25, 1), (50, 2), (75, 1), (100, 0)), 4, 0, "equally long after each step, and not 1s and 2s"),
        (stages((12.5, 1), (100, 1)), 8, 0, "whole percent, and not 12.5"),
        (stages((10, 3601), (100, 1)), 10, 0, "at most 1h, and not 1h 1s"),
        (stages((10, 0.5), (100, 1)), 10, 0, "whole seconds"),
        (stages((10, 1), (100, 1)), 1, 0, "of 1 instance none can be the first 10 percent"),
        (stages((40, 1), (80, 1), (100, 1)), 3, 0, "of 3 instances none can be the first 40 percent"),
        (stages(*((10.0 * n, 3600.0) for n in range(1, 11))), 10, 0, "at most 8h in all"),
        (stages((10, 1), (100, 1)), 10, 11, "at most 10 alarms, and there are 11"),
        (Course(equal_stages(60, 1, 1, "batch"), True), 10, 0, "of 5 to 50 percent, and these are of 60"),
        (Course(equal_stages(25, 1, 1, "batch"), True), 1, 0, "of 1 instance none"),
    ],
)
def test_what_they_cannot(course: Course, count: int, alarms: int, why: str) -> None:
    with pytest.raises(Inexpressible) as told:
        deployment_config(course, count, [f"alarm-{number}" for number in range(alarms)])
    assert why in str(told.value)


BAKES = st.integers(0, 4000).map(float)
COURSES = st.one_of(
    st.builds(lambda share, bake, after: stages((share, bake), (100, after)), st.integers(1, 99), BAKES, BAKES),
    st.builds(
        lambda step, bake, after, releases: Course(equal_stages(step, bake, after, "step"), releases),
        st.integers(1, 100).map(float),
        BAKES,
        BAKES,
        st.booleans(),
    ),
)


@given(COURSES, st.none() | st.integers(1, 40))
def test_what_is_expressed_is_valid(course: Course, count: int | None) -> None:
    try:
        found = deployment_config(course, count)
    except Inexpressible as error:
        assert str(error)
        return
    validate_parameters(found, SHAPE)
    policy = found.get("BlueGreenUpdatePolicy") or found["RollingUpdatePolicy"]
    assert 600 <= policy["MaximumExecutionTimeoutInSeconds"] <= 28_800
    waiting = sum(stage.bake for stage in course.stages)
    assert policy["MaximumExecutionTimeoutInSeconds"] > waiting
    size = policy.get("MaximumBatchSize")
    if size is None:
        traffic = policy["TrafficRoutingConfiguration"]
        size = traffic.get("CanarySize") or traffic.get("LinearStepSize")
        assert 0 <= policy["TerminationWaitInSeconds"] <= 3600 and 0 <= traffic["WaitIntervalInSeconds"] <= 3600
    if size is not None:
        assert size["Value"] <= 50
