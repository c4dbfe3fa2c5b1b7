"""Every call of every strategy, by each engine, there and back, is one that the services take: by botocore, by what its
models say of enums, lengths and patterns, and by the rules of the service that no model has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ParamValidationError
from botocore.validate import validate_parameters

from mlops.account.local.refusal import Refusal as Refused
from mlops.account.local.shapes import obey, service_model
from mlops.check.requests import findings_of_request, operations
from mlops.deploy.strategies import strategies
from mlops.ir import Severity

from .service import Pages, Service
from .test_cut_off import CASES, Case, promoted
from .test_scaling import scaled

Asked = list[tuple[str, str, dict[str, Any]]]
"""Service, operation and request."""
WAYS: dict[str, Case] = {
    **CASES,
    "an A/B test": Case(
        {"strategy": {"ab": {"share": 50, "lasts": "1d"}}, "judge": {"wrong": {"compare": {"wanted": "better"}}}}
    ),
}


@dataclass
class Listening:
    """An account that keeps what it was asked."""

    service: Service
    asked: Asked = field(default_factory=list)
    region = "eu-west-1"
    events = None
    here = None

    def client(self, name: str) -> _Client:
        return _Client(name, self)


@dataclass
class _Client:
    name: str
    account: Listening

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            self.account.asked.append((self.name, _operation(self.name, method), request))
            return getattr(self.account.service, method)(**request)

        return call

    def get_paginator(self, method: str) -> Pages:
        pages = self.account.service.get_paginator(method)

        def ask(**request: Any) -> Any:
            self.account.asked.append((self.name, _operation(self.name, method), request))
            return pages.ask(**request)

        return Pages(ask)


def _operation(service: str, method: str) -> str:
    return next(name for name in service_model(service).operation_names if xform_name(name) == method)


@pytest.mark.parametrize("scales", [False, True], ids=["", "scaled"])
@pytest.mark.parametrize("back", [False, True], ids=["there", "and back"])
@pytest.mark.parametrize("name", WAYS)
def test_each_call_is_one_that_the_services_take(name: str, back: bool, scales: bool) -> None:
    """``back``: an alarm rings as soon as there is some traffic."""
    case = replace(WAYS[name], promote={**WAYS[name].promote, "alarms": ["slow"]})
    service = case.service()
    service.alarms = {"slow": "OK"}
    if scales:
        service.scaled = scaled().scaled
    listening: Any = Listening(service)

    def rings(at: str, operation: str) -> None:
        if at == "after" and operation == "update_weights":
            service.alarms["slow"] = "ALARM"

    if back:
        service.hook = rings
    told = promoted(listening, case, [])
    assert CHANGING & {operation for _, operation, _ in listening.asked}, told
    assert list(wrong(listening.asked)) == []


CHANGING = {"CreateEndpoint", "UpdateEndpoint", "UpdateEndpointWeightsAndCapacities", "UpdateInferenceComponent"}


def wrong(asked: Asked) -> Iterator[str]:
    """What a service, or who checks a request before it is sent, has against them."""
    configs: dict[str, dict[str, Any]] = {}
    for service, operation, request in asked:
        shape = service_model(service).operation_model(operation).input_shape
        assert shape is not None, operation
        validate_parameters(request, shape)
        obey(service, operation, request)
        if operation == "CreateEndpointConfig":
            configs[request["EndpointConfigName"]] = request
        if operation not in operations():
            continue
        config = configs.get(request.get("EndpointConfigName", "")) if operation == "UpdateEndpoint" else None
        beside = {} if config is None else {"EndpointConfig": config}
        found = findings_of_request({"Operation": operation, "Request": request, **beside}, "request.json")
        assert found is not None
        yield from (f"{operation}: {item.code} {item.message}" for item in found if item.severity is not Severity.INFO)


def test_every_strategy_is_judged() -> None:
    asked = {name for case in WAYS.values() for name in _strategies(case)}
    assert asked == {*strategies()}


def _strategies(case: Case) -> tuple[str, ...]:
    declared = case.promote.get("strategy", "all-at-once")
    return (declared,) if isinstance(declared, str) else tuple(declared)


def update(**more: Any) -> dict[str, Any]:
    traffic = {"Type": "CANARY", "WaitIntervalInSeconds": 60, "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 25}}
    policy = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {**traffic, **more}}}
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "slow"}]}}
    return {"EndpointName": "churn", "EndpointConfigName": "churn-2", "DeploymentConfig": {**policy, **alarms}}


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (update(), None),
        ({**update(), "EndpointName": "churn_1"}, "regular expression pattern"),
        (update(Type="CANARIES"), "enum value set"),
        (update(WaitIntervalInSeconds=4000), "less than or equal to 3600"),
        (update(CanarySize={"Type": "CAPACITY_PERCENT", "Value": 60}), "X802"),
        (update(CanarySize=25), "Invalid type for parameter"),
    ],
)
def test_what_the_service_would_refuse_is_seen(request_: dict[str, Any], said: str | None) -> None:
    try:
        found = " ".join(wrong([("sagemaker", "UpdateEndpoint", request_)]))
    except (Refused, ParamValidationError) as error:
        found = str(error)
    assert said in found if said else found == ""
