"""A file with one request of the API is judged as the step is that makes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops.check.requests import operations
from mlops.check.sources import open_targets

CANARY = {
    "Type": "CANARY",
    "WaitIntervalInSeconds": 600,
    "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 25},
}
ALARMS = {"Alarms": [{"AlarmName": "errors"}]}
VARIANT = {"VariantName": "Blue", "ModelName": "m", "InitialInstanceCount": 4, "InstanceType": "ml.m5.large"}


def update(routing: Any = CANARY, config: Any = None, **more: Any) -> dict[str, Any]:
    policy = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}, "AutoRollbackConfiguration": ALARMS}
    request = {"EndpointName": "e", "EndpointConfigName": "c", "DeploymentConfig": policy, **more}
    beside = {} if config is None else {"EndpointConfig": {"EndpointConfigName": "c", "ProductionVariants": [config]}}
    return {"Operation": "UpdateEndpoint", "Request": request, **beside}


def configuration(*variants: Any, **more: Any) -> dict[str, Any]:
    return {"EndpointConfigName": "c", "ProductionVariants": list(variants), **more}


def told(folder: Path, content: Any) -> list[tuple[str, str, str | None, int | None]]:
    file = folder / "request.json"
    file.write_text(json.dumps(content, indent=1))
    found = open_targets([str(file)], "local").findings
    return [(item.code, item.severity.value, item.path, item.where.line) for item in found]


ROUTING = "/Request/DeploymentConfig/BlueGreenUpdatePolicy/TrafficRoutingConfiguration"


@pytest.mark.parametrize(
    ("content", "code", "severity", "at"),
    [
        (update({**CANARY, "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 60}}), "X802", "error", ROUTING),
        (update({"Type": "CANARY", "WaitIntervalInSeconds": 600}), "X802", "error", ROUTING),
        (update(config={**VARIANT, "InitialInstanceCount": 1}), "X904", "error", ROUTING),
        (update(config={**VARIANT, "InstanceType": "ml.m5.lrge"}), "S204", "error", "/EndpointConfig/Prod"),
        (
            update(ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DataCaptureConfig"}]),
            "X930",
            "warning",
            "/Request/ExcludeRetainedVariantProperties",
        ),
        (update(Retain=True), "S201", "error", "/Request/Retain"),
        (configuration(VARIANT, VARIANT), "X800", "error", "/ProductionVariants/1/VariantName"),
        (configuration(), "S208", "error", "/ProductionVariants"),
        (configuration(VARIANT, DataCapture={}), "S201", "error", "/DataCapture"),
        ({"EndpointName": "e" * 64, "EndpointConfigName": "c"}, "S206", "error", "/EndpointName"),
        ({"Operation": "CreateEndpiont", "Request": {}}, "J005", "error", "/Operation"),
        ({"TransformJobName": "t", "ModelName": "m", "TransformInput": {}}, "S202", "error", "/Transform"),
    ],
)
def test_a_faulty_request(tmp_path: Path, content: Any, code: str, severity: str, at: str) -> None:
    found = [item for item in told(tmp_path, content) if item[0] == code]
    assert found and all(item[1] == severity and (item[2] or "").startswith(at) and item[3] for item in found)


@pytest.mark.parametrize(
    "content",
    [
        update(),
        update(config=VARIANT),
        update(RetainAllVariantProperties=True, ExcludeRetainedVariantProperties=[]),
        configuration(VARIANT),
        {"EndpointName": "e", "EndpointConfigName": "c"},
    ],
)
def test_a_sound_request(tmp_path: Path, content: Any) -> None:
    assert told(tmp_path, content) == []


@pytest.mark.parametrize("content", [{}, {"a": 1}, {"Steps": []}, {"Version": "2020-12-01"}, {"EndpointName": "e"}])
def test_what_is_no_request_is_told_as_before(tmp_path: Path, content: Any) -> None:
    assert {code for code, *_ in told(tmp_path, content)} <= {"E501", "E502", "E503", "E504", "J005", "J006", "P409"}


def test_which_requests_are_judged() -> None:
    assert {"CreateEndpoint", "CreateEndpointConfig", "CreateTrainingJob", "UpdateEndpoint"} <= {*operations()}
