"""What is told of the starts that a driver makes, whatever it gives them."""

from __future__ import annotations

from typing import Any

import pytest

from mlops.check.explain import stories
from mlops.compose.driver_starts import start_findings, written_start
from mlops.ir import Definition, Parameter, Step, Where

CHURN = Definition(
    "churn", parameters=(Parameter("Days", "Integer", {"DefaultValue": 7}),), steps=(Step("Fit", "Training", {}),)
)


def chosen(*steps: Any) -> dict[str, Any]:
    return {"SelectiveExecutionConfig": {"SelectedSteps": [*steps]}}


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"PipelineParameters": [{"Name": "Days", "Value": "9"}], **chosen({"StepName": "Fit"})}, []),
        ({"PipelineParameters": [{"Name": "Day", "Value": "9"}]}, ["there is no parameter Day"]),
        (chosen({"StepName": "Fti"}), ["there is no step Fti"]),
        ({"PipelineParameters": {"Days": 9}, "SelectiveExecutionConfig": "Fit"}, []),
        ({"PipelineParameters": [7, None, ("Days", 9)], **chosen("Fit", 1)}, []),
        ({"PipelineParameters": 7, "SelectiveExecutionConfig": {"SelectedSteps": "Fit"}}, []),
    ],
)
def test_what_a_start_is_told(request_: dict[str, Any], told: list[str]) -> None:
    start = written_start(Where("driver.py", 3), {"PipelineName": "churn", **request_})
    found = start_findings([start], [CHURN])
    assert [item.message.removeprefix("this start is refused: ").partition("; ")[0] for item in found] == told
    assert all(item.severity is stories()[item.code].severity for item in found)
